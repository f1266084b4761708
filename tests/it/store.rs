//! Statements that change a row only if it still is what was read: races that SQLite, with its one writer, cannot show.

use accountd::clock::Clock;
use accountd::store::{Scope, sessions, throttles, users};
use chrono::TimeDelta;
use entity::session::EndReason;
use entity::user::{self, Status};
use sea_orm::EntityTrait;

use crate::support::TestApp;

async fn ann(app: &TestApp) -> user::Model {
    users::find_by_username(app.app.db.reader(), Scope::Installation, "ann").await.unwrap().unwrap()
}

/// S5: a login that was overtaken by a new password, or by an administrator, opens nothing.
#[tokio::test]
async fn record_no_login_of_an_account_that_has_changed() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (app.app.db.writer(), app.clock.now());
    let read = ann(&app).await;
    assert!(users::update_login(db, &read, None, now).await.unwrap());
    assert!(users::update_password(db, &read, "another".to_owned(), false, now).await.unwrap());
    assert!(!users::update_login(db, &read, None, now).await.unwrap(), "the password was changed");

    let read = ann(&app).await;
    assert!(users::update_status(db, &read, Status::Disabled, now).await.unwrap());
    assert!(!users::update_login(db, &read, None, now).await.unwrap(), "the account was disabled");
}

/// C7: of two logins that renew one hash the second sees that it was overtaken.
#[tokio::test]
async fn renew_a_hash_once() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (app.app.db.writer(), app.clock.now());
    let read = ann(&app).await;
    assert!(users::update_login(db, &read, Some("first".to_owned()), now).await.unwrap());
    assert!(!users::update_login(db, &read, Some("second".to_owned()), now).await.unwrap());
    assert_eq!(ann(&app).await.password_hash.unwrap().expose(), "first");
}

#[tokio::test]
async fn change_no_account_of_an_older_version() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (app.app.db.writer(), app.clock.now());
    let read = ann(&app).await;
    assert!(users::touch(db, &read, now).await.unwrap());
    assert!(!users::touch(db, &read, now).await.unwrap());
    assert!(!users::update_password(db, &read, "stale".to_owned(), false, now).await.unwrap());
    assert!(!users::update_status(db, &read, Status::Disabled, now).await.unwrap());
    assert!(!users::update_account(db, &read, users::Changes::default(), now).await.unwrap());
    assert_eq!(ann(&app).await.version, read.version + 1);
}

/// S3 S5
#[tokio::test]
async fn rotate_a_session_once_and_never_after_its_end() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (db, now) = (app.app.db.writer(), app.clock.now());
    let read = entity::session::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
    assert!(sessions::update_generation(db, &read, now, now).await.unwrap());
    assert!(!sessions::update_generation(db, &read, now, now).await.unwrap(), "another tab was faster");

    let read = sessions::find(db, read.uid).await.unwrap().unwrap();
    assert_eq!((read.generation, read.receipt), (2, 1));
    assert!(sessions::update_ended(db, read.id, EndReason::Logout, now).await.unwrap());
    assert!(!sessions::update_ended(db, read.id, EndReason::Revoked, now).await.unwrap(), "once");
    assert!(!sessions::update_generation(db, &read, now, now).await.unwrap(), "it is over");
    let read = sessions::find(db, read.uid).await.unwrap().unwrap();
    assert_eq!((read.generation, read.end_reason), (2, Some(EndReason::Logout)));
}

/// A receipt that arrives late takes none back.
#[tokio::test]
async fn note_receipts_only_forward() {
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
async fn a_counter_goes_back_only_from_where_it_was_read() {
    let app = TestApp::new().await;
    let (db, now) = (app.app.db.writer(), app.clock.now());
    assert!(throttles::insert(db, "user:1", 1, now, now).await.unwrap());
    let reserved = throttles::find(db, "user:1").await.unwrap().unwrap();
    let later = now + TimeDelta::seconds(1);
    assert!(throttles::update(db, &reserved, 2, later, later).await.unwrap());
    assert!(!throttles::update(db, &reserved, 0, now, now).await.unwrap(), "another try was counted since");
    assert_eq!(throttles::find(db, "user:1").await.unwrap().unwrap().failures, 2);
}
