//! Waits until a statement waits for a lock of another transaction.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::TestApp;
use super::database::backend;

/// InnoDB renews its list of transactions only after 100 ms without a read.
const RECHECK_INTERVAL: Duration = Duration::from_millis(150);

static READING: Mutex<()> = Mutex::const_new(());

/// Whether a statement waits for a lock in this database; unknown on SQLite.
async fn is_blocked(db: &impl ConnectionTrait) -> bool {
    let sql = match backend() {
        DbBackend::Postgres => {
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        }
        DbBackend::MySql => {
            "SELECT count(*) FROM information_schema.innodb_trx JOIN information_schema.processlist
             ON processlist.id = trx_mysql_thread_id WHERE db = DATABASE() AND trx_state = 'LOCK WAIT'"
        }
        _ => return true,
    };
    let row = db.query_one_raw(Statement::from_sql_and_values(backend(), sql, [])).await.unwrap().unwrap();
    row.try_get_by_index::<i64>(0).unwrap() > 0
}

/// Waits until `task` is done or waits for a lock in the database of `app`; on SQLite for one interval.
pub async fn until_blocked<T>(app: &TestApp, task: &JoinHandle<T>) {
    while !task.is_finished() {
        // One test at a time: reads of several would keep the list from being renewed.
        let _reading = READING.lock().await;
        tokio::time::sleep(RECHECK_INTERVAL).await;
        if is_blocked(app.app.db.reader()).await {
            return;
        }
    }
}
