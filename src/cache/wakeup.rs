//! Peer wakeup: makes other nodes poll the counters at once, instead of within a quarter of a second.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::error::Result;

pub mod postgres;
pub mod redis;

/// A boxed future, as trait objects need it.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A way to wake the other nodes. It may lose wakeups or add spurious ones: they carry no data.
pub trait PeerWakeup: Send + Sync {
    /// Wakes the peers.
    fn send(&self) -> BoxFuture<'_, Result<()>>;

    /// Forwards wakeups to `wakeup` indefinitely; reconnects after a lost connection.
    fn listen(self: Arc<Self>, wakeup: Arc<Notify>) -> BoxFuture<'static, ()>;
}
