//! Peer wakeup by PostgreSQL's LISTEN and NOTIFY.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sea_orm::{ConnectionTrait, DatabaseConnection, sqlx};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;
use tokio::time::sleep;

use super::{BoxFuture, PeerWakeup};
use crate::error::{Error, Result};

/// The channel; each database has its own.
const CHANNEL: &str = "accountd";

/// The application name of the listening connection, for operators who read `pg_stat_activity`.
const APPLICATION: &str = "accountd listen";

/// Pause before a lost connection is reopened.
const RECONNECT_INTERVAL: Duration = Duration::from_millis(500);

/// Peer wakeup through the database itself. Where that fails (CockroachDB accepts the statements but does not deliver,
/// a pooler may share one connection), nodes rely on polling.
pub struct PostgresNotify {
    options: PgConnectOptions,
    sender: DatabaseConnection,
}

impl PostgresNotify {
    /// Listens to the database at `url` and notifies by `sender`.
    ///
    /// # Errors
    /// When `url` is not a PostgreSQL URL.
    pub fn new(url: &SecretString, sender: DatabaseConnection) -> Result<Self> {
        // The driver's message may quote the URL, and with it the password.
        let options: PgConnectOptions =
            url.expose_secret().parse().map_err(|_| Error::internal("invalid database URL"))?;
        Ok(Self { options: options.application_name(APPLICATION).extra_float_digits(None), sender })
    }

    async fn forward(&self, wakeup: &Notify) -> Result<(), sqlx::Error> {
        // A pool of one: the listener holds its connection for good.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(self.options.clone())
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            // Wakeups before the connection, or while it was lost, did not arrive.
            wakeup.notify_one();
            listener.try_recv().await?;
        }
    }
}

impl PeerWakeup for PostgresNotify {
    fn send(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            // After the commit and not in it: PostgreSQL serializes commits that notify.
            self.sender.execute_unprepared("NOTIFY accountd").await?;
            Ok(())
        })
    }

    fn listen(self: Arc<Self>, wakeup: Arc<Notify>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let mut is_healthy = true;
            loop {
                if let Err(error) = self.forward(&wakeup).await
                    && is_healthy
                {
                    tracing::warn!(cause = %error, "no notifications from the database: this node relies on polling");
                    is_healthy = false;
                }
                sleep(RECONNECT_INTERVAL).await;
            }
        })
    }
}
