//! Classifies database errors: busy, unavailable, or a defect of the program.

use sea_orm::error::ConnAcquireErr;
use sea_orm::{DbErr, RuntimeErr, SqlxError, SqlxMySqlError, SqlxPostgresError, SqlxSqliteError};

/// Why the database is temporarily unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outage {
    /// Busy for longer than the timeout.
    Busy,
    /// It does not respond, or cannot store.
    Unavailable,
}

impl Outage {
    /// The outage that an error indicates, if any.
    pub fn from_error(error: &DbErr) -> Option<Self> {
        match error {
            // All connections stayed in use until the timeout.
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Some(Self::Busy),
            // No connection could be made, for any reason.
            DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) | DbErr::Conn(_) => Some(Self::Unavailable),
            DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
                classify_driver_error(cause)
            }
            _ => None,
        }
    }
}

/// Whether the error indicates a busy database.
pub fn is_database_busy(error: &DbErr) -> bool {
    Outage::from_error(error) == Some(Outage::Busy)
}

fn classify_driver_error(error: &SqlxError) -> Option<Outage> {
    match error {
        // The connection broke during the statement.
        SqlxError::Io(_) | SqlxError::Tls(_) | SqlxError::PoolClosed | SqlxError::WorkerCrashed => {
            Some(Outage::Unavailable)
        }
        SqlxError::PoolTimedOut => Some(Outage::Busy),
        SqlxError::Database(error) => {
            if let Some(error) = error.try_downcast_ref::<SqlxPostgresError>() {
                classify_postgres_code(error.code())
            } else if let Some(error) = error.try_downcast_ref::<SqlxMySqlError>() {
                classify_mysql_code(error.number())
            } else {
                error.try_downcast_ref::<SqlxSqliteError>()?;
                classify_sqlite_code(error.code()?.parse().ok()?)
            }
        }
        _ => None,
    }
}

/// Result codes of SQLite (<https://sqlite.org/rescode.html>); the lowest byte of an extended code is the primary one.
fn classify_sqlite_code(code: i32) -> Option<Outage> {
    match code & 0xff {
        // BUSY: another process writes, or has locked the file.
        5 => Some(Outage::Busy),
        // READONLY, IOERR, FULL, CANTOPEN.
        8 | 10 | 13 | 14 => Some(Outage::Unavailable),
        _ => None,
    }
}

/// SQLSTATE codes of PostgreSQL (its manual, appendix A).
fn classify_postgres_code(code: &str) -> Option<Outage> {
    match code {
        // A statement or a lock wait timed out.
        "57014" | "55P03" => Some(Outage::Busy),
        // An idle transaction was ended.
        "25P03" => Some(Outage::Unavailable),
        _ => match code.get(..2) {
            // Connection exceptions, insufficient resources, operator intervention, system errors.
            Some("08" | "53" | "57" | "58") => Some(Outage::Unavailable),
            _ => None,
        },
    }
}

/// Error numbers of MySQL and MariaDB (their manuals' error reference).
fn classify_mysql_code(number: u16) -> Option<Outage> {
    match number {
        // A statement or a lock wait timed out: ER_LOCK_WAIT_TIMEOUT, ER_QUERY_TIMEOUT, ER_STATEMENT_TIMEOUT.
        1205 | 3024 | 1969 => Some(Outage::Busy),
        // ER_DISK_FULL, ER_ERROR_ON_READ, ER_ERROR_ON_WRITE, ER_GET_ERRNO, ER_OUT_OF_RESOURCES, ER_CON_COUNT_ERROR,
        // ER_SERVER_SHUTDOWN, ER_RECORD_FILE_FULL, ER_QUERY_INTERRUPTED, ER_OPTION_PREVENTS_STATEMENT (read-only),
        // ER_CONNECTION_KILLED.
        1021 | 1024 | 1026 | 1030 | 1041 | 1040 | 1053 | 1114 | 1317 | 1290 | 1927 => Some(Outage::Unavailable),
        _ => None,
    }
}
