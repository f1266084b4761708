//! The limit on open files: every connection uses a file descriptor, and the database needs some, too.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// A generous reserve for the database, the log and the listener.
const RESERVED: u64 = 128;

/// Raises the process's limit for `connections` connections, and returns how many are possible.
pub fn raise_file_limit(connections: usize) -> usize {
    let needed = (connections as u64).saturating_add(RESERVED);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(current) = current.filter(|current| *current < needed) else { return connections };
    let raised = maximum.map_or(needed, |maximum| maximum.min(needed));
    let current = match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
        Ok(()) => raised,
        Err(_) => current,
    };
    let possible = current.saturating_sub(RESERVED).max(1);
    usize::try_from(possible).unwrap_or(connections).min(connections)
}
