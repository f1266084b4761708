//! Bulk creation of users and sessions in an embedded database.

use std::sync::Arc;

use accountd::account::tokens;
use accountd::app::App;
use accountd::clock::SystemClock;
use accountd::config::{Config, Flags};
use accountd::entropy::SystemEntropy;
use accountd::startup;
use entity::session::{self, Transport};
use entity::user;
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, QuerySelect, Set};
use secrecy::ExposeSecret;
use tokio::runtime::Runtime;

use crate::server::TempDirectory;

/// Rows per statement: SQLite accepts 32,766 values in one.
const BATCH: usize = 1_000;

/// Inserts `count` users in one statement and one transaction, which no API of the service does.
pub fn users(directory: &TempDirectory, count: usize) {
    let statement = format!(
        "INSERT INTO user (uid, tenant_id, username, username_key, email, email_key, must_change_password, status,
             created_at, updated_at, version)
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         SELECT randomblob(16), 1, 'user' || i, 'user' || i, 'user' || i || '@example.org',
             'user' || i || '@example.org', 0, 'ACTIVE', 1700000000000 + i, 1700000000000 + i, 1 FROM n"
    );
    with_app(directory, async move |app| {
        app.db.writer().execute_unprepared(&statement).await.expect("users");
    });
}

/// Opens a session for each of the first `count` users; returns their access tokens.
pub fn sessions(directory: &TempDirectory, count: usize) -> Vec<String> {
    with_app(directory, async move |app| {
        let now = app.clock.now();
        let query = user::Entity::find().order_by_asc(user::Column::Id).limit(count as u64);
        let users = query.all(app.db.reader()).await.expect("users");
        let mut tokens = Vec::with_capacity(count);
        let tx = app.db.begin().await.expect("a transaction");
        for batch in users.chunks(BATCH) {
            let rows: Vec<session::ActiveModel> = batch
                .iter()
                .map(|user| session::ActiveModel {
                    uid: Set(app.entropy.uuid(now)),
                    user_id: Set(user.id),
                    generation: Set(1),
                    receipt: Set(1),
                    transport: Set(Transport::Body),
                    created_at: Set(now.into()),
                    rotated_at: Set(now.into()),
                    last_seen_at: Set(now.into()),
                    idle_end_at: Set((now + app.config.token.refresh_idle).into()),
                    absolute_end_at: Set((now + app.config.token.refresh_absolute).into()),
                    ..Default::default()
                })
                .collect();
            let made = session::Entity::insert_many(rows).exec_with_returning(&tx).await.expect("sessions");
            for (user, session) in batch.iter().zip(&made) {
                let pair = tokens::issue_pair(&app, user, &[], session, now).expect("tokens");
                tokens.push(pair.access_token.expose_secret().to_owned());
            }
        }
        tx.commit().await.expect("a commit");
        tokens
    })
}

/// Runs `work` with an `App` on the directory's database.
fn with_app<T>(directory: &TempDirectory, work: impl AsyncFnOnce(App) -> T) -> T {
    Runtime::new().expect("a runtime").block_on(async {
        let flags = Flags { data_dir: Some(directory.path().to_owned()), ..Flags::default() };
        let config = Config::load(flags, []).expect("settings");
        let app = startup::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.expect("a service");
        let result = work(app.clone()).await;
        app.db.close().await.expect("closed connections");
        result
    })
}
