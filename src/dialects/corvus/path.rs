//! Paths outside the mount.

use crate::config::Mount;

/// Path of the users: `/user` beside a mount that ends in `/auth`, as in the old service; below any other mount.
pub(super) fn users(mount: &Mount) -> String {
    match mount.path.as_str().strip_suffix("/auth") {
        Some(above) => format!("{above}/user"),
        None => mount.join("/user"),
    }
}
