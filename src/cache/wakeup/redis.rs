//! Nudges by Redis, for databases that carry none.

use std::sync::Arc;
use std::time::Duration;

use redis::cmd;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::{BoxFuture, PeerWakeup};
use crate::error::{Error, Result};
use crate::redis::SharedRedis;

/// The channel. Installations that share a Redis wake each other for nothing, and that is all.
const CHANNEL: &str = "acct:1:changes";

/// How long a lost connection is left alone before it is made again.
const RECONNECT_INTERVAL: Duration = Duration::from_millis(500);

/// Publishes and subscribes.
pub struct RedisPubSub(Arc<SharedRedis>);

impl RedisPubSub {
    /// Nudges through this Redis.
    pub fn new(shared: Arc<SharedRedis>) -> Self {
        Self(shared)
    }
}

impl PeerWakeup for RedisPubSub {
    fn send(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            let receivers = self.0.query::<u64>(cmd("PUBLISH").arg(CHANNEL).arg("")).await;
            receivers.map(drop).ok_or_else(|| Error::internal("Redis does not answer"))
        })
    }

    fn listen(self: Arc<Self>, wakeup: Arc<Notify>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                if let Err(error) = self.0.listen(CHANNEL, &wakeup).await {
                    tracing::debug!(cause = format!("{error:#}"), "no nudges from Redis: this node looks by itself");
                }
                sleep(RECONNECT_INTERVAL).await;
            }
        })
    }
}
