//! What is true right now: a memory in front of the database, and how nodes tell each other to look again.
//!
//! The promise (S8, S9, Z-4): a change that this process made counts for every request that starts after its
//! acknowledgement; one that another made counts within a second; and where news of the others cannot arrive, nothing
//! is remembered. It rests on five things:
//!
//! - Statements that change what a caller is or may do run in a [`Transaction`] only, which takes note of whom they
//!   concern ([`crate::store::Writes`]).
//! - A commit raises counters in the database with the change, all or nothing; then it notes the change in this
//!   process's [`Ledger`], before anybody is told that it was made.
//! - While a commit is under way, this process remembers nothing about those whom it concerns: whoever asks is told what
//!   the database says, so that nobody is told the past after somebody was told the present (linearizability).
//! - Every node reads the counters a few times a second ([`Watch`]), and at once when it is nudged
//!   ([`wakeup::Nudge`]). Only this reading is trusted: a nudge that is lost costs time, and nothing else.
//! - A [`Memory`] keeps an answer together with the ledger's instant from before the database was asked. An answer that
//!   is older than a change, or was asked for while the change was made, is never given.

pub use identity_cache::{IdentityCache, TokenHash};
pub use invalidation_log::InvalidationLog;
pub use invalidation_poller::InvalidationPoller;

mod identity_cache;
pub(crate) mod invalidation_log;
mod invalidation_poller;
pub mod revocation_list;
pub mod wakeup;
