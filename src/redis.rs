//! The Redis that nodes share, where one is configured. It holds counters and carries wakeups, and nothing else: when
//! it is down, slow or emptied, each node counts and polls on its own (promise R10).

use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, IntoConnectionInfo, ProtocolVersion, PushKind};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, Notify, mpsc};

use crate::error::{Error, Result};

/// How long a request waits for an answer before it continues without one.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(250);

/// Pause after a failure before the next attempt.
const BACKOFF: Duration = Duration::from_secs(1);

/// A client with bounded waits and a pause after failures.
pub struct SharedRedis {
    client: Client,
    state: Mutex<ConnectionState>,
}

#[derive(Default)]
struct ConnectionState {
    connection: Option<MultiplexedConnection>,
    failed_at: Option<Instant>,
}

impl SharedRedis {
    /// A client for the Redis at `url`; it connects on first use.
    ///
    /// # Errors
    /// When `url` is not a Redis URL.
    pub fn new(url: &SecretString) -> Result<Self> {
        // The error message may quote the URL, and with it the password.
        let unreadable = |_| Error::internal("invalid redis_url: use the form redis://:password@host:6379/0");
        let address = url.expose_secret().into_connection_info().map_err(unreadable)?;
        let settings = address.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(address.set_redis_settings(settings)).map_err(unreadable)?;
        Ok(Self { client, state: Mutex::default() })
    }

    /// The answer to a command, or `None` if there is none in time.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        // Boxed: a request's futures nest deeply.
        let mut connection = Box::pin(self.connection()).await?;
        match Box::pin(command.query_async(&mut connection)).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.back_off(&mut *self.state.lock().await, &error);
                None
            }
        }
    }

    async fn connection(&self) -> Option<MultiplexedConnection> {
        let mut state = self.state.lock().await;
        if state.connection.is_none() && state.failed_at.is_none_or(|since| since.elapsed() >= BACKOFF) {
            match self.client.get_multiplexed_async_connection_with_config(&connection_config()).await {
                Ok(connection) => {
                    if state.failed_at.take().is_some() {
                        tracing::info!("Redis available again");
                    }
                    state.connection = Some(connection);
                }
                Err(error) => self.back_off(&mut state, &error),
            }
        }
        state.connection.clone()
    }

    fn back_off(&self, state: &mut ConnectionState, cause: &redis::RedisError) {
        if state.failed_at.is_none() {
            tracing::warn!(%cause, "Redis unavailable: this node counts and polls on its own");
        }
        *state = ConnectionState { connection: None, failed_at: Some(Instant::now()) };
    }

    /// Signals `wakeup` for every message on `channel`, until the connection is lost.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn listen(&self, channel: &str, wakeup: &Notify) -> Result<()> {
        let (sender, mut pushes) = mpsc::unbounded_channel();
        let settings = connection_config().set_push_sender(sender);
        let connecting = self.client.get_multiplexed_async_connection_with_config(&settings);
        let mut connection = connecting.await.map_err(Error::internal)?;
        connection.subscribe(channel).await.map_err(Error::internal)?;
        // Messages from before the subscription did not arrive.
        wakeup.notify_one();
        while let Some(push) = pushes.recv().await {
            match push.kind {
                PushKind::Message => wakeup.notify_one(),
                PushKind::Disconnection => break,
                _ => {}
            }
        }
        Ok(())
    }
}

fn connection_config() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(RESPONSE_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
}
