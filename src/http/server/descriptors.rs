//! File descriptors: every connection takes one, and the database must not be left without.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What the database, the log and the listener take, generously.
const RESERVED: u64 = 128;

/// Asks the system for descriptors for so many connections, and tells how many there can be.
pub fn raise_file_limit(connections: usize) -> usize {
    let wanted = (connections as u64).saturating_add(RESERVED);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(current) = current.filter(|current| *current < wanted) else { return connections };
    let raised = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let current = match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
        Ok(()) => raised,
        Err(_) => current,
    };
    let possible = current.saturating_sub(RESERVED).max(1);
    usize::try_from(possible).unwrap_or(connections).min(connections)
}
