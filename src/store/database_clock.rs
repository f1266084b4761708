//! Clock of the database. Times in rows come from the node; this clock only prevents a node whose clock runs ahead from
//! deleting rows too early.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::error::{Error, Result};

/// Current time of the database server; that of the node for SQLite.
pub async fn now(db: &impl ConnectionTrait) -> Result<DateTime<Utc>> {
    let backend = db.get_database_backend();
    let milliseconds = match backend {
        DbBackend::Postgres => "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
        DbBackend::MySql => "SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
        _ => "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    };
    let row = db.query_one_raw(Statement::from_sql_and_values(backend, milliseconds, [])).await?;
    let milliseconds = row.map(|row| row.try_get_by_index::<i64>(0)).transpose()?;
    let time = milliseconds.and_then(DateTime::from_timestamp_millis);
    time.ok_or_else(|| Error::internal("database returned no valid time: check its clock"))
}
