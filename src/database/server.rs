//! A database server: how it is connected to, and why that fails, in words without a secret.

use std::time::Duration;

use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, AssertSqlSafe, Connection, Executor};
use sea_orm::{ConnectOptions, DbErr, RuntimeErr, SqlxError};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::{ACQUIRE_TIMEOUT, IDLE_TIMEOUT, STATEMENT_TIMEOUT, mysql_session_limits};
use crate::config;
use crate::error::{Error, Result};

/// A server of PostgreSQL, or of MySQL or MariaDB.
pub(super) struct Server {
    /// As the setting has it, without parameters that nobody reads.
    url: SecretString,
    driver: Driver,
}

enum Driver {
    Postgres(Box<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
}

impl Server {
    /// What the URL says.
    ///
    /// # Errors
    /// When the driver cannot read it; its own words may hold a password, and are left out.
    pub fn parse(url: &SecretString) -> Result<Self> {
        let unreadable = || {
            Error::internal(
                "database_url has a parameter with a value that cannot be used: look at what stands behind its ?",
            )
        };
        let is_postgres = url.expose_secret().starts_with("postgres");
        let (text, unread) = config::strip_unknown_parameters(url.expose_secret()).ok_or_else(unreadable)?;
        if unread > 0 {
            tracing::warn!(
                parameters = unread,
                "database_url has parameters that the driver does not know: they do nothing"
            );
        }
        let driver = match is_postgres {
            // Poolers refuse what they cannot restore for the next client, and this is of no use since PostgreSQL 12.
            true => text
                .parse()
                .map(|options: PgConnectOptions| Driver::Postgres(Box::new(options.extra_float_digits(None)))),
            false => text.parse().map(|options: MySqlConnectOptions| Driver::MySql(Box::new(options))),
        };
        Ok(Self { driver: driver.map_err(|_| unreadable())?, url: text.into() })
    }

    /// How its connections are made, and what each of them is told first.
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

    /// Where it is: a host and a port, or the path of a socket.
    fn address(&self) -> String {
        let (host, port, socket) = match &self.driver {
            Driver::Postgres(options) => (options.get_host(), options.get_port(), options.get_socket()),
            Driver::MySql(options) => (options.get_host(), options.get_port(), options.get_socket()),
        };
        socket.map_or_else(|| format!("{host}:{port}"), |socket| socket.display().to_string())
    }

    /// Why no connection could be made.
    pub async fn connection_error(&self, error: &DbErr) -> Error {
        let cause = match error {
            DbErr::Conn(RuntimeErr::SqlxError(cause)) if !matches!(**cause, SqlxError::PoolTimedOut) => cause_of(cause),
            // A pool tries again until its patience is over, and does not say why it failed.
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
            Err(_) => format!("no answer within {} s", ACQUIRE_TIMEOUT.as_secs()),
            Ok(Err(error)) => cause_of(&error),
            Ok(Ok(())) => "it did not answer in time, and does now: start again".to_owned(),
        }
    }

    /// Looks whether a pooler in front of PostgreSQL gives each transaction another connection, and takes away the
    /// statements that were prepared on it.
    ///
    /// # Errors
    /// When it does: nothing would work.
    pub async fn check_pooler(&self) -> Result<()> {
        let Driver::Postgres(options) = &self.driver else { return Ok(()) };
        // Whatever else goes wrong here goes wrong for the first statement, too, and is told then.
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
                "the pooler at {} gives each transaction another connection and forgets prepared statements: set \
                 pool_mode = session there, or name the server itself (docs/nodes.md)",
                self.address()
            ))),
            Ok(PoolerMode::TransactionKeepingStatements) => {
                tracing::warn!(
                    "the pooler of database_url gives each transaction another connection: time limits have to be set \
                     in the database, and nodes learn of changes by looking (docs/nodes.md)"
                );
                Ok(())
            }
            Ok(PoolerMode::Session) | Err(_) => Ok(()),
        }
    }
}

/// How long the look at a pooler may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Whose connections to the server are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PoolerMode {
    /// One for each of ours.
    Session,
    /// Each transaction gets another one, which knows the statements that were prepared.
    TransactionKeepingStatements,
    /// Each transaction gets another one, which does not.
    TransactionLosingStatements,
}

/// What one client sets on its connection another must not see, nor may it be gone while that one has a transaction
/// open.
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
        // By turns on whichever connection is free: each has prepared its statement under the same name.
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

/// Whether a prepared statement is not where it was prepared (26000), or another client's is there (42P05).
fn is_missing_statement(error: &SqlxError) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code == "26000" || code == "42P05")
}

/// The cause alone, once: what wraps it says it again.
fn cause_of(error: &SqlxError) -> String {
    match error {
        SqlxError::Database(error) => error.message().to_owned(),
        SqlxError::Io(error) => match error.to_string() {
            text if text.starts_with("failed to lookup address") => {
                format!("{text}; is that the host? Characters like # @ / ? in a password have to be percent-encoded")
            }
            text => text,
        },
        // It may quote what it could not read.
        SqlxError::Configuration(_) => "its URL cannot be used".to_owned(),
        other => other.to_string(),
    }
}

/// What each connection to PostgreSQL is told first.
fn postgres_session_limits() -> String {
    format!("SET statement_timeout = {STATEMENT_TIMEOUT}; SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT}")
}
