//! Read-only access to the databases of older services, for imports.

use std::path::Path;
use std::time::Duration;

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, QueryResult, RuntimeErr, SqlxError,
    Statement, TryGetable,
};

use crate::error::{Error, Result};

/// Timeout for a connection to an older database.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// The database of an older service.
#[derive(Debug)]
pub struct SourceDatabase(DatabaseConnection);

impl SourceDatabase {
    /// Opens an SQLite file read-only.
    ///
    /// # Errors
    /// If the file is missing or not an SQLite database.
    pub async fn open_file(path: &Path) -> Result<Self> {
        let path = path
            .to_str()
            .ok_or_else(|| Error::internal("database path is not valid UTF-8: rename the file"))?
            .to_owned();
        let mut options = ConnectOptions::new("sqlite:");
        options.max_connections(1).sqlx_logging(false);
        options.map_sqlx_sqlite_opts(move |options| options.filename(&path).read_only(true));
        Ok(Self(Database::connect(options).await?))
    }

    /// Opens a MySQL, MariaDB or PostgreSQL database by its URL.
    ///
    /// # Errors
    /// If the database is unreachable. The messages never contain the URL, which may hold a password.
    pub async fn open_url(url: &str) -> Result<Self> {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).acquire_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
        match Database::connect(options).await {
            Err(DbErr::Conn(RuntimeErr::SqlxError(cause))) if !matches!(*cause, SqlxError::Configuration(_)) => {
                Err(Error::internal(cause.to_string()))
            }
            Err(_) => Err(Error::internal("invalid database URL: check its syntax and parameters")),
            Ok(db) => Ok(Self(db)),
        }
    }

    /// Runs a query without parameters; returns all its rows.
    pub async fn rows(&self, sql: &'static str) -> Result<Vec<SourceRow>> {
        let statement = Statement::from_sql_and_values(self.0.get_database_backend(), sql, []);
        Ok(self.0.query_all_raw(statement).await?.into_iter().map(SourceRow).collect())
    }

    /// Closes the connection.
    pub async fn close(self) -> Result<()> {
        Ok(self.0.close().await?)
    }
}

/// A row of a query's result.
#[derive(Debug)]
pub struct SourceRow(QueryResult);

impl SourceRow {
    /// The value in a column.
    ///
    /// # Errors
    /// If the column is missing, or its value is not of the type `T`.
    pub fn value<T: TryGetable>(&self, column: &str) -> Result<T> {
        Ok(self.0.try_get("", column)?)
    }
}
