//! Conditional updates: a row changes only if it still is as read. SQLite, with its one writer, cannot show these
//! races.

use accountd::clock::Clock;
use accountd::error::RefusalCode;
use accountd::store::sessions::Rotation;
use accountd::store::{TenantScope, sessions, throttles, users};
use chrono::{DateTime, TimeDelta, Utc};
use entity::session::EndReason;
use entity::throttle;
use entity::user::{self, Status};
use sea_orm::{ConnectionTrait, EntityTrait};

use crate::support::TestApp;
use crate::support::source_files::rust_files;
use crate::support::statement_transaction::StatementTransaction;

async fn ann(db: &impl ConnectionTrait) -> user::Model {
    users::find_by_username(db, TenantScope::AllTenants, "ann").await.unwrap().unwrap()
}

fn step(now: DateTime<Utc>) -> Rotation {
    Rotation { issued_at: now, idle_end_at: now, now }
}

/// S5: a login overtaken by a password change, or by an administrator, opens no session.
#[tokio::test]
async fn login_of_a_changed_user_is_not_recorded() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (&StatementTransaction(app.app.db.begin().await.unwrap()), app.clock.now());
    let read = ann(db).await;
    assert_eq!(users::update_login(db, &read, None, now).await.unwrap(), Some(ann(db).await));
    let changed = users::update_password(db, &ann(db).await, "another".to_owned(), false, now).await.unwrap();
    assert_eq!(changed, ann(db).await);
    assert_eq!(users::update_login(db, &read, None, now).await.unwrap(), None, "the password was changed");

    let read = ann(db).await;
    assert_eq!(users::update_status(db, &read, Status::Disabled, now).await.unwrap(), ann(db).await);
    assert_eq!(users::update_login(db, &read, None, now).await.unwrap(), None, "the account was disabled");
}

/// C7: of two logins that rehash one password the second sees the conflict.
#[tokio::test]
async fn password_rehash_is_stored_once() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (&StatementTransaction(app.app.db.begin().await.unwrap()), app.clock.now());
    let read = ann(db).await;
    assert!(users::update_login(db, &read, Some("first".to_owned()), now).await.unwrap().is_some());
    assert!(users::update_login(db, &read, Some("second".to_owned()), now).await.unwrap().is_none());
    assert_eq!(ann(db).await.password_hash.unwrap().expose(), "first");
}

#[tokio::test]
async fn update_of_an_outdated_user_version_is_refused() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (&StatementTransaction(app.app.db.begin().await.unwrap()), app.clock.now());
    let read = ann(db).await;
    assert_eq!(users::update_version(db, &read, now).await.unwrap(), ann(db).await);
    let refused = [
        users::update_version(db, &read, now).await,
        users::update_password(db, &read, "stale".to_owned(), false, now).await,
        users::update_status(db, &read, Status::Disabled, now).await,
        users::update_account(db, &read, users::Changes::default(), now).await,
    ];
    for update in refused {
        assert!(update.unwrap_err().is_refusal(RefusalCode::Conflict));
    }
    assert_eq!(ann(db).await.version, read.version + 1);
}

/// S3 S5
#[tokio::test]
async fn session_rotates_once_and_never_after_its_end() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (&StatementTransaction(app.app.db.begin().await.unwrap()), app.clock.now());
    let read = entity::session::Entity::find().one(db).await.unwrap().unwrap();
    let rotated = sessions::update_generation(db, &read, step(now)).await.unwrap();
    assert_eq!(sessions::update_generation(db, &read, step(now)).await.unwrap(), None, "another tab was faster");

    let read = sessions::find(db, read.uid).await.unwrap().unwrap();
    assert_eq!(rotated.as_ref(), Some(&read));
    assert_eq!((read.generation, read.receipt), (2, 1));
    assert!(sessions::update_ended(db, &read, EndReason::Logout, now).await.unwrap());
    assert!(!sessions::update_ended(db, &read, EndReason::Revoked, now).await.unwrap(), "once");
    assert_eq!(sessions::update_generation(db, &read, step(now)).await.unwrap(), None, "it has ended");
    let read = sessions::find(db, read.uid).await.unwrap().unwrap();
    assert_eq!((read.generation, read.end_reason), (2, Some(EndReason::Logout)));
}

/// A late receipt does not reset a later one.
#[tokio::test]
async fn session_receipt_only_increases() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (app.app.db.writer(), app.clock.now());
    let read = entity::session::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
    sessions::update_receipt(db, read.id, 3, now).await.unwrap();
    sessions::update_receipt(db, read.id, 2, now).await.unwrap();
    assert_eq!(sessions::find(db, read.uid).await.unwrap().unwrap().receipt, 3);
}

/// A8: a released attempt does not remove the guess of another client.
#[tokio::test]
async fn counter_is_released_only_from_the_value_read() {
    let app = TestApp::new().await;
    let (db, now) = (app.app.db.writer(), app.clock.now());
    let first = throttle::Model {
        subject: "user:1".to_owned(),
        failures: 1,
        pending: 0,
        blocked_until: now.into(),
        updated_at: now.into(),
    };
    assert!(throttles::insert(db, &first).await.unwrap());
    assert!(!throttles::insert(db, &first).await.unwrap(), "another attempt began to count");
    let reserved = throttles::find(db, "user:1").await.unwrap().unwrap();
    assert_eq!(reserved, first);
    let next = throttle::Model { failures: 2, updated_at: (now + TimeDelta::seconds(1)).into(), ..first.clone() };
    assert!(throttles::update(db, &reserved, &next).await.unwrap());
    assert!(!throttles::update(db, &reserved, &first).await.unwrap(), "another attempt was counted since");
    assert_eq!(throttles::find(db, "user:1").await.unwrap().unwrap().failures, 2);

    // A success clears the failures; attempts in progress stay counted.
    let found = throttles::find(db, "user:1").await.unwrap().unwrap();
    assert!(throttles::update(db, &found, &throttle::Model { pending: 3, ..next.clone() }).await.unwrap());
    throttles::clear(db, "user:1").await.unwrap();
    let found = throttles::find(db, "user:1").await.unwrap().unwrap();
    assert_eq!((found.failures, found.pending), (0, 2));
    throttles::clear(db, "user:1").await.unwrap();
    throttles::clear(db, "user:1").await.unwrap();
    assert_eq!(throttles::find(db, "user:1").await.unwrap(), None);
}

/// Writing statements that mark no change, with the reason.
const UNMARKED: [(&str, &str); 17] = [
    ("audit_events::", "an append-only record"),
    ("api_tokens::update_last_used", "display only; the writing node caches the written value"),
    ("change_counters::increment", "this is the mark itself"),
    ("login_origins::", "used by rate limits, not by callers"),
    ("imports::insert", "import records"),
    ("imports::insert_tenant", "a new tenant has no users"),
    ("imports::rename_source", "import records"),
    ("imports::replace_failures", "counters are read by each use"),
    ("roles::insert", "a new role has no holders"),
    ("roles::update_description", "descriptions do not affect access"),
    ("sessions::update_issued_at", "read when a cut-off is written"),
    (
        "sessions/rotation::update_receipt",
        "a token of a later generation misses the cache; the writing node caches the written value",
    ),
    ("signing_keys::", "keys are read at startup"),
    ("tenants::insert", "a new tenant has no users"),
    ("tenants::update_name", "names do not affect access"),
    ("throttles::", "counters are read by each use"),
    ("webhook_deliveries::", "outgoing messages"),
];

/// S8, S9, Z-4: every statement that changes a caller or its permissions marks the change.
#[test]
fn writing_statements_mark_what_they_affect() {
    let writes = ["insert(", "insert_many(", "update_many(", "delete_many(", "delete_by_id("];
    let (mut unmarked, mut marking) = (Vec::new(), 0);
    for file in rust_files(&["src/store"]) {
        let table = file.path.trim_start_matches("src/store/").trim_end_matches(".rs").to_owned();
        let code = file.code();
        for function in code.split("\npub async fn ").skip(1) {
            let name = format!("{table}::{}", function.split(['(', '<']).next().unwrap());
            let (head, body) = function.split_once("{\n").unwrap();
            let body = body.split("\n}\n").next().unwrap();
            let is_delegate = body.contains("    update(db, user");
            if !is_delegate && !writes.iter().any(|word| body.contains(word)) {
                continue;
            }
            if head.contains("impl TracksChanges") || head.contains("impl TracksRevocations") {
                assert!(is_delegate || body.contains(".mark_changed("), "{name} could mark its change, and does not");
                marking += 1;
            } else {
                unmarked.push(name);
            }
        }
    }
    assert!(marking >= 15, "{marking} statements were found that mark their change");
    unmarked.retain(|name| !UNMARKED.iter().any(|(excused, _)| name.starts_with(excused)));
    assert_eq!(unmarked, [""; 0], "these write without marking the change, and are not listed above");
}

/// Statements that invalidate access tokens of a user, by their text.
const REVOKING: [&str; 4] =
    ["user_role::Entity::delete", "status: Set(", "user::Entity::delete", "revoked_token::Entity::insert"];

/// Such statements run only in a transaction that publishes the revocation.
#[test]
fn token_revoking_statements_run_where_it_is_published() {
    let mut found = 0;
    for file in rust_files(&["src/store"]) {
        let code = file.code();
        for function in code.split("\npub async fn ").skip(1) {
            let (head, body) = function.split_once("{\n").unwrap();
            let body = body.split("\n}\n").next().unwrap();
            if REVOKING.iter().any(|words| body.contains(words)) {
                assert!(head.contains("impl TracksRevocations"), "{}: {head}", file.path);
                found += 1;
            }
        }
    }
    assert!(found >= 5, "{found} statements were found");
    // No other module runs them: use cases build no rows of these tables.
    for file in rust_files(&["src/account", "src/graphql", "src/dialects", "src/gateway"]) {
        let code = file.code();
        for words in ["user_role::Entity::", "user::Entity::", "revoked_token::Entity::", "session::Entity::"] {
            assert!(!code.contains(words), "{} has statements of its own", file.path);
        }
    }
}

/// A transaction that waited for another one has an older time: the time of the last change stays.
#[tokio::test]
async fn time_of_the_last_change_never_goes_back() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (&StatementTransaction(app.app.db.begin().await.unwrap()), app.clock.now());
    let changed = users::update_version(db, &ann(db).await, now).await.unwrap().updated_at;
    let before = now - TimeDelta::seconds(1);
    assert_eq!(users::update_version(db, &ann(db).await, before).await.unwrap().updated_at, changed);
    users::update_tenant_disabled(db, 1, false, before).await.unwrap();
    assert_eq!(ann(db).await.updated_at, changed);
    let later = now + TimeDelta::seconds(1);
    users::update_tenant_disabled(db, 1, false, later).await.unwrap();
    assert_eq!(ann(db).await.updated_at, later.into());
}
