//! Statements that change a row only if it still is what was read: races that SQLite, with its one writer, cannot show.

use accountd::clock::Clock;
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

/// S5: a login that was overtaken by a new password, or by an administrator, opens nothing.
#[tokio::test]
async fn login_of_a_changed_user_is_not_recorded() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (&StatementTransaction(app.app.db.begin().await.unwrap()), app.clock.now());
    let read = ann(db).await;
    assert!(users::update_login(db, &read, None, now).await.unwrap());
    assert!(users::update_password(db, &read, "another".to_owned(), false, now).await.unwrap());
    assert!(!users::update_login(db, &read, None, now).await.unwrap(), "the password was changed");

    let read = ann(db).await;
    assert!(users::update_status(db, &read, Status::Disabled, now).await.unwrap());
    assert!(!users::update_login(db, &read, None, now).await.unwrap(), "the account was disabled");
}

/// C7: of two logins that renew one hash the second sees that it was overtaken.
#[tokio::test]
async fn password_rehash_is_stored_once() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (&StatementTransaction(app.app.db.begin().await.unwrap()), app.clock.now());
    let read = ann(db).await;
    assert!(users::update_login(db, &read, Some("first".to_owned()), now).await.unwrap());
    assert!(!users::update_login(db, &read, Some("second".to_owned()), now).await.unwrap());
    assert_eq!(ann(db).await.password_hash.unwrap().expose(), "first");
}

#[tokio::test]
async fn update_of_an_outdated_user_version_is_refused() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (&StatementTransaction(app.app.db.begin().await.unwrap()), app.clock.now());
    let read = ann(db).await;
    assert!(users::update_version(db, &read, now).await.unwrap());
    assert!(!users::update_version(db, &read, now).await.unwrap());
    assert!(!users::update_password(db, &read, "stale".to_owned(), false, now).await.unwrap());
    assert!(!users::update_status(db, &read, Status::Disabled, now).await.unwrap());
    assert!(!users::update_account(db, &read, users::Changes::default(), now).await.unwrap());
    assert_eq!(ann(db).await.version, read.version + 1);
}

/// S3 S5
#[tokio::test]
async fn session_rotates_once_and_never_after_its_end() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (&StatementTransaction(app.app.db.begin().await.unwrap()), app.clock.now());
    let read = entity::session::Entity::find().one(db).await.unwrap().unwrap();
    assert!(sessions::update_generation(db, &read, step(now)).await.unwrap());
    assert!(!sessions::update_generation(db, &read, step(now)).await.unwrap(), "another tab was faster");

    let read = sessions::find(db, read.uid).await.unwrap().unwrap();
    assert_eq!((read.generation, read.receipt), (2, 1));
    assert!(sessions::update_ended(db, &read, EndReason::Logout, now).await.unwrap());
    assert!(!sessions::update_ended(db, &read, EndReason::Revoked, now).await.unwrap(), "once");
    assert!(!sessions::update_generation(db, &read, step(now)).await.unwrap(), "it is over");
    let read = sessions::find(db, read.uid).await.unwrap().unwrap();
    assert_eq!((read.generation, read.end_reason), (2, Some(EndReason::Logout)));
}

/// A receipt that arrives late takes none back.
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

/// A8: a try that is given back takes no guess of somebody else with it.
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
    assert!(!throttles::insert(db, &first).await.unwrap(), "another try began to count");
    let reserved = throttles::find(db, "user:1").await.unwrap().unwrap();
    assert_eq!(reserved, first);
    let next = throttle::Model { failures: 2, updated_at: (now + TimeDelta::seconds(1)).into(), ..first.clone() };
    assert!(throttles::update(db, &reserved, &next).await.unwrap());
    assert!(!throttles::update(db, &reserved, &first).await.unwrap(), "another try was counted since");
    assert_eq!(throttles::find(db, "user:1").await.unwrap().unwrap().failures, 2);

    // A success clears the failures; what is under way beside it stays counted.
    let found = throttles::find(db, "user:1").await.unwrap().unwrap();
    assert!(throttles::update(db, &found, &throttle::Model { pending: 3, ..next.clone() }).await.unwrap());
    throttles::clear(db, "user:1").await.unwrap();
    let found = throttles::find(db, "user:1").await.unwrap().unwrap();
    assert_eq!((found.failures, found.pending), (0, 2));
    throttles::clear(db, "user:1").await.unwrap();
    throttles::clear(db, "user:1").await.unwrap();
    assert_eq!(throttles::find(db, "user:1").await.unwrap(), None);
}

/// Statements that write and tell nobody, and why nobody has to know.
const UNMARKED: [(&str, &str); 20] = [
    ("audit_events::", "a record of what was, not of what is"),
    ("api_tokens::update_last_used", "shown only; who notes it has the row and remembers it as noted"),
    ("api_tokens::delete_over_from_login", "what goes was over long ago"),
    ("change_counters::raise", "it is the telling"),
    ("revoked_tokens::delete_over", "what goes was over long ago"),
    ("login_origins::", "budgets of attempts go by them, and no caller is one"),
    ("imports::insert", "a note of what was imported"),
    ("imports::insert_tenant", "nobody is in a tenant that is new"),
    ("imports::rename", "a note of what was imported"),
    ("imports::replace_failures", "counters are read where they count"),
    ("roles::insert", "nobody holds a role that is new"),
    ("roles::update_description", "no caller's access says what a role is for"),
    ("sessions::delete_over", "what goes was over long ago"),
    ("sessions::update_issued", "read where a cut-off is taken"),
    ("sessions::update_receipt", "a token of a later generation is new; who notes it remembers it as noted"),
    ("signing_keys::", "keys are read at the start"),
    ("tenants::insert", "nobody is in a tenant that is new"),
    ("tenants::update_name", "no caller's access says what a tenant is called"),
    ("throttles::", "counters are read where they count"),
    ("webhook_deliveries::", "messages to others"),
];

/// S8, S9, Z-4: whatever changes a caller, or what a caller may do, cannot be written without telling.
#[test]
fn writing_statements_mark_what_they_affect() {
    let writes = ["insert(", "insert_many(", "update_many(", "delete_many(", "delete_by_id("];
    let (mut untold, mut told) = (Vec::new(), 0);
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
            if head.contains("impl Writes") || head.contains("impl Revokes") {
                assert!(is_delegate || body.contains(".touch("), "{name} may tell, and does not");
                told += 1;
            } else {
                untold.push(name);
            }
        }
    }
    assert!(told >= 15, "{told} statements were found that tell");
    untold.retain(|name| !UNMARKED.iter().any(|(excused, _)| name.starts_with(excused)));
    assert_eq!(untold, [""; 0], "these write, take no `&impl Writes`, and are not excused above");
}

/// What makes access tokens of a user wrong, by the words of the statement.
const REVOKING: [&str; 4] =
    ["user_role::Entity::delete", "status: Set(", "user::Entity::delete", "revoked_token::Entity::insert"];

/// No use case can forget to publish what it revokes: such statements run in a transaction that publishes it.
#[test]
fn token_revoking_statements_run_where_it_is_published() {
    let mut found = 0;
    for file in rust_files(&["src/store"]) {
        let code = file.code();
        for function in code.split("\npub async fn ").skip(1) {
            let (head, body) = function.split_once("{\n").unwrap();
            let body = body.split("\n}\n").next().unwrap();
            if REVOKING.iter().any(|words| body.contains(words)) {
                assert!(head.contains("impl Revokes"), "{}: {head}", file.path);
                found += 1;
            }
        }
    }
    assert!(found >= 5, "{found} statements were found");
    // Nobody else runs them: use cases make no rows of these tables.
    for file in rust_files(&["src/account", "src/graphql", "src/rest"]) {
        let code = file.code();
        for words in ["user_role::Entity::", "user::Entity::", "revoked_token::Entity::", "session::Entity::"] {
            assert!(!code.contains(words), "{} has statements of its own", file.path);
        }
    }
}
