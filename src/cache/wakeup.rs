//! Nudges: how a node tells the others to look at the counters at once, instead of within a quarter of a second.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::error::Result;

pub mod postgres;
pub mod redis;

/// Work that is still to be done.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A way to wake the other nodes. It may lose nudges and make others up: it carries no news, only the hint to look.
pub trait PeerWakeup: Send + Sync {
    /// Wakes whoever listens.
    fn send(&self) -> BoxFuture<'_, Result<()>>;

    /// Passes on what is heard, for ever; where the connection is lost it is made again.
    fn listen(self: Arc<Self>, wakeup: Arc<Notify>) -> BoxFuture<'static, ()>;
}
