//! Nudges by Redis, for databases that carry none.

use std::sync::Arc;
use std::time::Duration;

use redis::cmd;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::{Nudge, Work};
use crate::error::{Error, Result};
use crate::shared::Shared;

/// The channel. Installations that share a Redis wake each other for nothing, and that is all.
const CHANNEL: &str = "acct:1:changes";

/// How long a lost connection is left alone before it is made again.
const PAUSE: Duration = Duration::from_millis(500);

/// Publishes and subscribes.
pub struct Publish(Arc<Shared>);

impl Publish {
    /// Nudges through this Redis.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }
}

impl Nudge for Publish {
    fn send(&self) -> Work<'_, Result<()>> {
        Box::pin(async {
            let heard = self.0.ask::<u64>(cmd("PUBLISH").arg(CHANNEL).arg("")).await;
            heard.map(drop).ok_or_else(|| Error::internal("Redis does not answer"))
        })
    }

    fn listen(self: Arc<Self>, woken: Arc<Notify>) -> Work<'static, ()> {
        Box::pin(async move {
            loop {
                if let Err(error) = self.0.listen(CHANNEL, &woken).await {
                    tracing::debug!(cause = format!("{error:#}"), "no nudges from Redis: this node looks by itself");
                }
                sleep(PAUSE).await;
            }
        })
    }
}
