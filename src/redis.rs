//! What nodes share beside the database, where it is configured: one Redis. It holds counts and carries hints, and
//! nothing else: when it is away, slow or emptied, each node counts for itself and looks for itself (promise R10).

use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, IntoConnectionInfo, ProtocolVersion, PushKind};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Mutex, Notify, mpsc};

use crate::error::{Error, Result};

/// How long a request waits for an answer before it goes on without.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(250);

/// How long nobody asks again after that.
const BACKOFF: Duration = Duration::from_secs(1);

/// The Redis of these nodes.
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
    /// The Redis at `url`; nothing is asked of it yet.
    ///
    /// # Errors
    /// When that is no URL of a Redis.
    pub fn new(url: &SecretString) -> Result<Self> {
        // The complaint may quote the URL, and with it the password.
        let unreadable = |_| Error::internal("redis_url cannot be read: write it like redis://:password@host:6379/0");
        let address = url.expose_secret().into_connection_info().map_err(unreadable)?;
        let settings = address.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(address.set_redis_settings(settings)).map_err(unreadable)?;
        Ok(Self { client, state: Mutex::default() })
    }

    /// The answer to a command, or nothing if there is none in time.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        // Boxed: the futures of a request nest deeply.
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
                        tracing::info!("Redis answers again");
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
            tracing::warn!(%cause, "Redis does not answer: this node counts and looks for itself");
        }
        *state = ConnectionState { connection: None, failed_at: Some(Instant::now()) };
    }

    /// Passes on every message of `channel` until the connection is lost.
    ///
    /// # Errors
    /// When the connection cannot be made.
    pub async fn listen(&self, channel: &str, wakeup: &Notify) -> Result<()> {
        let (sender, mut pushes) = mpsc::unbounded_channel();
        let settings = connection_config().set_push_sender(sender);
        let connecting = self.client.get_multiplexed_async_connection_with_config(&settings);
        let mut connection = connecting.await.map_err(Error::internal)?;
        connection.subscribe(channel).await.map_err(Error::internal)?;
        // What was said before was not heard.
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
