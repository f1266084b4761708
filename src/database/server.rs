//! Connections to a database server, and connection errors without secrets.

use std::time::Duration;

use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, AssertSqlSafe, Connection, Executor};
use sea_orm::{ConnectOptions, DbErr, RuntimeErr, SqlxError};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::session_limits::{
    ACQUIRE_TIMEOUT, IDLE_TIMEOUT, STATEMENT_TIMEOUT, mysql_session_limits, postgres_session_limits,
};
use crate::config;
use crate::error::{Error, Result};

/// A PostgreSQL, MySQL or MariaDB server.
pub(super) struct Server {
    /// The URL of the setting, without parameters that the driver ignores.
    url: SecretString,
    driver: Driver,
}

enum Driver {
    Postgres(Box<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
}

impl Server {
    /// Parses the URL.
    ///
    /// # Errors
    /// The driver cannot parse it; its own message may hold a password, and is omitted.
    pub fn parse(url: &SecretString) -> Result<Self> {
        let unreadable =
            || Error::internal("database_url has a parameter with an invalid value: check the part after its ?");
        let is_postgres = url.expose_secret().starts_with("postgres");
        let (text, unread) = config::strip_unknown_parameters(url.expose_secret()).ok_or_else(unreadable)?;
        if unread > 0 {
            tracing::warn!(parameters = unread, "database_url has parameters that the driver ignores");
        }
        let driver = match is_postgres {
            // Poolers reject parameters that they cannot restore, and this one is obsolete since PostgreSQL 12.
            true => text
                .parse()
                .map(|options: PgConnectOptions| Driver::Postgres(Box::new(options.extra_float_digits(None)))),
            false => text.parse().map(|options: MySqlConnectOptions| Driver::MySql(Box::new(options))),
        };
        Ok(Self { driver: driver.map_err(|_| unreadable())?, url: text.into() })
    }

    /// Pool options, with the first statement of each connection.
    pub fn connect_options(&self) -> ConnectOptions {
        let mut options = ConnectOptions::new(self.url.expose_secret());
        options
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(|options| options.extra_float_digits(None))
            .map_sqlx_postgres_pool_opts(|pool| {
                pool.after_connect(|connection, _| {
                    Box::pin(
                        async move { connection.execute(AssertSqlSafe(postgres_session_limits())).await.map(drop) },
                    )
                })
            })
            .map_sqlx_mysql_pool_opts(|pool| {
                pool.after_connect(|connection, _| {
                    let limits = mysql_session_limits(STATEMENT_TIMEOUT, IDLE_TIMEOUT);
                    Box::pin(async move { connection.execute(AssertSqlSafe(limits)).await.map(drop) })
                })
            });
        options
    }

    /// Host and port, or the path of a socket.
    fn address(&self) -> String {
        let (host, port, socket) = match &self.driver {
            Driver::Postgres(options) => (options.get_host(), options.get_port(), options.get_socket()),
            Driver::MySql(options) => (options.get_host(), options.get_port(), options.get_socket()),
        };
        socket.map_or_else(|| format!("{host}:{port}"), |socket| socket.display().to_string())
    }

    /// The error for a failed connection.
    pub async fn connection_error(&self, error: &DbErr) -> Error {
        let cause = match error {
            DbErr::Conn(RuntimeErr::SqlxError(cause)) if !matches!(**cause, SqlxError::PoolTimedOut) => cause_of(cause),
            // A pool retries until its timeout, and does not report the cause.
            _ => self.connect_once().await,
        };
        Error::internal(format!("cannot reach the server of database_url at {}: {cause}", self.address()))
    }

    async fn connect_once(&self) -> String {
        let connecting = async {
            match &self.driver {
                Driver::Postgres(options) => PgConnection::connect_with(options).await.map(drop),
                Driver::MySql(options) => MySqlConnection::connect_with(options).await.map(drop),
            }
        };
        match timeout(ACQUIRE_TIMEOUT, connecting).await {
            Err(_) => format!("no response within {} s", ACQUIRE_TIMEOUT.as_secs()),
            Ok(Err(error)) => cause_of(&error),
            Ok(Ok(())) => "it did not respond in time, but does now: restart".to_owned(),
        }
    }

    /// Checks whether a pooler in front of PostgreSQL switches connections between transactions and loses prepared
    /// statements.
    ///
    /// # Errors
    /// It does: no statement would work.
    pub async fn check_pooler(&self) -> Result<()> {
        let Driver::Postgres(options) = &self.driver else { return Ok(()) };
        // Other errors here recur at the first statement, and are reported there.
        let mode = timeout(PROBE_TIMEOUT, probe_pooler_mode(options)).await.map_or(Ok(PoolerMode::Session), |shared| {
            shared.or_else(|error| match error {
                error @ SqlxError::Database(_) if is_missing_statement(&error) => {
                    Ok(PoolerMode::TransactionLosingStatements)
                }
                error => Err(error),
            })
        });
        match mode {
            Ok(PoolerMode::TransactionLosingStatements) => Err(Error::internal(format!(
                "the pooler at {} uses transaction pooling and loses prepared statements: set \
                 pool_mode = session there, or connect to the server directly (docs/nodes.md)",
                self.address()
            ))),
            Ok(PoolerMode::TransactionKeepingStatements) => {
                tracing::warn!(
                    "the pooler of database_url uses transaction pooling: set time limits in the database; nodes poll \
                     for changes (docs/nodes.md)"
                );
                Ok(())
            }
            Ok(PoolerMode::Session) | Err(_) => Ok(()),
        }
    }
}

/// Time limit of the pooler probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// How a pooler assigns server connections to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PoolerMode {
    /// One per client connection: session pooling, or no pooler.
    Session,
    /// Transaction pooling that keeps prepared statements.
    TransactionKeepingStatements,
    /// Transaction pooling that loses prepared statements.
    TransactionLosingStatements,
}

/// Probes for transaction pooling: with it, a session variable of one client is visible to another, or missing for its
/// own client while the other has a transaction open.
async fn probe_pooler_mode(options: &PgConnectOptions) -> Result<PoolerMode, SqlxError> {
    const SET: &str = "SET accountd.probe = 'here'";
    const SEEN: &str = "SELECT 1 WHERE coalesce(current_setting('accountd.probe', true), '') = 'here'";
    let mut one = PgConnection::connect_with(options).await?;
    let mut other = PgConnection::connect_with(options).await?;
    one.execute(SET).await?;
    other.execute("BEGIN").await?;
    let seen_there = other.fetch_optional(SEEN).await?.is_some();
    let seen_here = one.fetch_optional(SEEN).await?.is_some();
    let mode = if seen_there || !seen_here {
        other.execute("ROLLBACK").await?;
        // Alternating clients on any free connection: both prepare a statement under the same name.
        let prepared = || sqlx::query("SELECT $1::int4").bind(1_i32);
        for _ in 0..2 {
            prepared().execute(&mut one).await?;
            prepared().execute(&mut other).await?;
        }
        PoolerMode::TransactionKeepingStatements
    } else {
        PoolerMode::Session
    };
    one.close().await?;
    other.close().await?;
    Ok(mode)
}

/// Whether a prepared statement is missing (26000), or another client's has its name (42P05).
fn is_missing_statement(error: &SqlxError) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == "26000" || code == "42P05")
}

/// The innermost cause, since each wrapper repeats it.
fn cause_of(error: &SqlxError) -> String {
    match error {
        SqlxError::Database(error) => error.message().to_owned(),
        SqlxError::Io(error) => match error.to_string() {
            text if text.starts_with("failed to lookup address") => {
                format!("{text}; check the host, and percent-encode characters like # @ / ? in the password")
            }
            text => text,
        },
        // It may quote a malformed value.
        SqlxError::Configuration(_) => "its URL is invalid".to_owned(),
        other => other.to_string(),
    }
}
