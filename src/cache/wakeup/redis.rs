//! Peer wakeup by Redis publish/subscribe, for databases without notifications.

use std::sync::Arc;
use std::time::Duration;

use redis::cmd;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::{BoxFuture, PeerWakeup};
use crate::error::{Error, Result};
use crate::redis::SharedRedis;

/// The channel. Installations that share a Redis cause each other spurious wakeups, and nothing else.
const CHANNEL: &str = "acct:1:changes";

/// Pause before a lost connection is reopened.
const RECONNECT_INTERVAL: Duration = Duration::from_millis(500);

/// Peer wakeup by a Redis channel.
pub struct RedisPubSub(Arc<SharedRedis>);

impl RedisPubSub {
    /// Wakes peers through this Redis.
    pub fn new(shared: Arc<SharedRedis>) -> Self {
        Self(shared)
    }
}

impl PeerWakeup for RedisPubSub {
    fn send(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            let receivers = self.0.query::<u64>(cmd("PUBLISH").arg(CHANNEL).arg("")).await;
            receivers.map(drop).ok_or_else(|| Error::internal("Redis unavailable"))
        })
    }

    fn listen(self: Arc<Self>, wakeup: Arc<Notify>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                if let Err(error) = self.0.listen(CHANNEL, &wakeup).await {
                    tracing::debug!(cause = format!("{error:#}"), "no wakeups from Redis: this node relies on polling");
                }
                sleep(RECONNECT_INTERVAL).await;
            }
        })
    }
}
