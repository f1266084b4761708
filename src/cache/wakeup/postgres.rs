//! Nudges by PostgreSQL's LISTEN and NOTIFY.

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

/// What the listening connection calls itself, for those who look at the server's list of connections.
const APPLICATION: &str = "accountd listen";

/// How long a lost connection is left alone before it is made again.
const RECONNECT_INTERVAL: Duration = Duration::from_millis(500);

/// The database itself carries the nudges. Where it cannot (CockroachDB knows the words and not the deed, a pooler may
/// share one connection among many), nodes look by themselves.
pub struct PostgresNotify {
    options: PgConnectOptions,
    sender: DatabaseConnection,
}

impl PostgresNotify {
    /// Listens to the database at `url` and speaks by `sender`.
    ///
    /// # Errors
    /// When that is no URL.
    pub fn new(url: &SecretString, sender: DatabaseConnection) -> Result<Self> {
        // The driver's complaint may quote the URL, and with it the password.
        let options: PgConnectOptions =
            url.expose_secret().parse().map_err(|_| Error::internal("the database's URL cannot be read"))?;
        Ok(Self { options: options.application_name(APPLICATION).extra_float_digits(None), sender })
    }

    async fn forward(&self, wakeup: &Notify) -> Result<(), sqlx::Error> {
        // A pool of one: the listener borrows its connection for good.
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(self.options.clone())
            .await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            // What was said before, or while the connection was lost, was not heard.
            wakeup.notify_one();
            listener.try_recv().await?;
        }
    }
}

impl PeerWakeup for PostgresNotify {
    fn send(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async {
            // After the commit and not in it: commits that notify wait for each other (PostgreSQL serialises them).
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
                    tracing::warn!(cause = %error, "no notifications from the database: this node looks by itself");
                    is_healthy = false;
                }
                sleep(RECONNECT_INTERVAL).await;
            }
        })
    }
}
