//! State of one mount: its role and the executor of its schema.

use std::sync::{Arc, OnceLock};

use super::schema::Executor;
use crate::config::Mount;

/// State of one mount.
#[derive(Clone)]
pub(super) struct MountContext {
    /// The role that callers need here; any role if none.
    pub role: Option<Arc<str>>,
    /// Executor of the dialect's schema, built at the first operation.
    pub executor: Arc<OnceLock<Executor>>,
}

impl MountContext {
    /// The state of `mount`.
    pub fn new(mount: &Mount) -> Self {
        Self { role: mount.role.as_deref().map(Arc::from), executor: Arc::default() }
    }
}
