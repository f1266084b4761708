//! Authentication cache and its invalidation across nodes.
//!
//! Guarantee (S8, S9, Z-4): a change by this process is visible to every request that starts after its acknowledgement.
//! A change by another node is visible within a second. If invalidations cannot arrive, nothing is served from the
//! cache. It rests on five rules:
//!
//! - Statements that change what a caller is or may do run in a [`Transaction`](crate::database::transaction::Transaction) only,
//!   which records the affected users ([`crate::store::TracksChanges`]).
//! - A commit increments counters in the database together with the change, atomically. Then it records the change in
//!   this process's [`InvalidationLog`], before the change is acknowledged.
//! - During a commit the cache serves nothing about the affected users: every request reads the database. So none sees
//!   the old state after another has seen the new one (linearizability).
//! - Every node polls the counters several times a second ([`InvalidationPoller`]), and at once when another node wakes
//!   it ([`wakeup::PeerWakeup`]). Only the poll is authoritative: a lost wakeup costs time, and nothing else.
//! - An [`IdentityCache`] entry holds the log's version from before the database was read. An entry that is older than
//!   a change, or was read during its commit, is never served.

pub use identity_cache::{IdentityCache, TokenHash};
pub use invalidation_log::InvalidationLog;
pub use invalidation_poller::InvalidationPoller;

mod identity_cache;
pub(crate) mod invalidation_log;
mod invalidation_poller;
pub mod revocation_list;
pub mod wakeup;
