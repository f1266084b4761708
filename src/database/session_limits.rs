//! Time limits of database connections, and the statements that set them.

use std::time::Duration;

/// Time that a request waits for a connection.
pub(super) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// Time limit of a database server for one statement or lock wait, in milliseconds.
pub(super) const STATEMENT_TIMEOUT: u32 = 5_000;

/// Time after which a database server ends an idle transaction, in milliseconds.
pub(super) const IDLE_TIMEOUT: u32 = 10_000;

/// First statement on each connection to MySQL or MariaDB: time limits in milliseconds, 0 for none. Only MariaDB runs
/// the first comment and only MySQL 8 the second, which limits only reads and not idle transactions.
pub(super) fn mysql_session_limits(statement: u32, idle: u32) -> String {
    let seconds = |milliseconds: u32| milliseconds / 1_000;
    format!(
        "SET SESSION innodb_lock_wait_timeout = {lock} \
         /*M! , max_statement_time = {statement}, idle_transaction_timeout = {idle} */ \
         /*!80000 , max_execution_time = {milliseconds} */",
        lock = seconds(STATEMENT_TIMEOUT),
        milliseconds = statement,
        statement = seconds(statement),
        idle = seconds(idle),
    )
}

/// First statement on each connection to PostgreSQL.
pub(super) fn postgres_session_limits() -> String {
    format!("SET statement_timeout = {STATEMENT_TIMEOUT}; SET idle_in_transaction_session_timeout = {IDLE_TIMEOUT}")
}
