//! Startup: from settings to a running [`App`](crate::app::App), with data directory, secret, database and keys.
//!
//! `open` starts the invalidation poller and, in `security/pool.rs`, the hash threads. The embedded database starts its
//! commit worker in `database/group_commit.rs`. `background` joins the other jobs; `cli/serve.rs` spawns it.

use crate::error::Error;

mod connect;
mod data_dir;
mod jobs;
mod migrate;
mod open;

pub use connect::{connect, open_read_only};
pub use jobs::background;
pub use migrate::migrate;
pub use open::open;

/// Exposes the cause: the reader is the operator, not a client.
fn into_anyhow(error: Error) -> anyhow::Error {
    match error {
        Error::Internal(cause) | Error::StorageUnavailable(cause) => cause,
        other => other.into(),
    }
}
