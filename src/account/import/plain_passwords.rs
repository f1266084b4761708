//! Hashes the plain-text passwords of imported users on the hashing threads.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::thread;

use tokio::task::JoinSet;

use super::candidate::{Candidate, CandidatePassword};
use crate::app::App;
use crate::error::{Error, Result};

/// Hashes of plain-text passwords, by row number.
pub(super) type Hashes = HashMap<u64, String>;

/// Hashes the plain-text passwords of `candidates` that are not among `hashes`.
pub(super) async fn hash_missing<'a>(
    app: &App,
    candidates: impl Iterator<Item = &'a Candidate>,
    hashes: &mut Hashes,
) -> Result<()> {
    let plain = candidates.filter_map(|candidate| match &candidate.password {
        CandidatePassword::Plain(text) if !hashes.contains_key(&candidate.row) => Some((candidate.row, text.clone())),
        CandidatePassword::Plain(_) | CandidatePassword::Hash(_) | CandidatePassword::None(_) => None,
    });
    let mut plain = plain.collect::<Vec<_>>().into_iter();
    // One job per hashing thread, so that no job waits long in the queue.
    let threads = app.config.password.hash_threads.or(thread::available_parallelism().ok());
    let threads = threads.map_or(1, NonZeroUsize::get);
    let mut jobs = JoinSet::new();
    loop {
        while jobs.len() < threads
            && let Some((row, text)) = plain.next()
        {
            let app = app.clone();
            jobs.spawn(async move { app.hasher.hash(&text).await.map(|hash| (row, hash)) });
        }
        let Some(hashed) = jobs.join_next().await else { return Ok(()) };
        hashes.extend([hashed.map_err(Error::internal)??]);
    }
}
