//! Values reach the database only if every database takes them; if one is refused all the same, the error names its
//! row.

use accountd::account::import::{self, Report};
use entity::user;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryOrder};
use serde_json::{Value, json};

use super::{count, dry_run, find_user, lines, reported, run};
use crate::support::TestApp;
use crate::support::database::backend;

const SHA1: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

/// PostgreSQL takes no text with NUL, the others do: on all of them the row is reported, in a dry run too.
#[tokio::test]
async fn control_characters_are_reported_for_each_row() {
    let hashes = ["\0", "\u{7}", "\u{85}"].map(|one| {
        [
            format!("sha1$ab{one}cd${SHA1}"),
            format!("pbkdf2:sha256:1000$a{one}b${SHA1}{SHA1}"),
            format!("scrypt:16384:8:1$a{one}b${SHA1}{SHA1}"),
        ]
    });
    let mut rows: Vec<Value> = hashes
        .as_flattened()
        .iter()
        .zip(1..)
        .map(|(hash, number)| json!({ "username": format!("u{number}"), "password_hash": hash }))
        .collect();
    let damaged = rows.len();
    // In a password column, too.
    rows.push(json!({ "username": "ann", "password": hashes[0][0] }));
    rows.push(json!({ "username": "a\0b" }));
    rows.push(json!({ "username": "bea", "email": "b\0ea@example.org" }));
    rows.push(json!({ "username": "cid", "roles": ["a\0b"] }));
    rows.push(json!({ "username": "dan", "display_name": "a\0b" }));
    rows.push(json!({ "username": "eve", "password": "plain-\0-battery-7" }));
    let app = TestApp::new().await;
    let rehearsal = dry_run(Some(app.app.db.reader()), &app, "general", lines(&rows)).await;
    let report = run(&app, "general", lines(&rows)).await;
    for report in [&rehearsal, &report] {
        let shut_out = reported(&report.cannot_sign_in);
        assert!(shut_out[..damaged].iter().all(|(_, why)| *why == "its password hash is malformed"), "{shut_out:?}");
        assert_eq!(shut_out[damaged].1, "its password looks like a hash, and its password hash is malformed");
        let refused: Vec<u64> = report.refused.iter().map(|finding| finding.row).collect();
        assert_eq!(refused, [11, 12, 13]);
        assert_eq!(reported(&report.remarks), [(14, "its display name is dropped: use one non-empty line of text")]);
    }
    assert_eq!(count(&app).await, report.created);
    assert_eq!(find_user(&app, "dan").await.display_name, None);
    app.login("eve", "plain-\0-battery-7").await;
}

/// Adds a rule that only the database has.
async fn add_refusing_trigger(app: &TestApp) {
    let sql = match backend() {
        DbBackend::Sqlite => {
            "CREATE TRIGGER no_bad BEFORE INSERT ON user WHEN NEW.username = 'bad'
            BEGIN SELECT RAISE(ABORT, 'no_bad'); END"
        }
        DbBackend::MySql => "ALTER TABLE `user` ADD CONSTRAINT no_bad CHECK (username <> 'bad')",
        _ => "ALTER TABLE \"user\" ADD CONSTRAINT no_bad CHECK (username <> 'bad')",
    };
    app.app.db.reader().execute_unprepared(sql).await.unwrap();
}

#[tokio::test]
async fn row_refused_by_the_database_is_named() {
    let app = TestApp::new().await;
    add_refusing_trigger(&app).await;
    let mut rows: Vec<Value> =
        (1..=20).map(|number| json!({ "username": format!("u{number}"), "password": "correct-horse-9" })).collect();
    rows[12]["username"] = json!("bad");
    let mut report = Report::default();
    let failed = import::run(&app.app, "general", lines(&rows), &mut report, |_| {}).await.unwrap_err();
    let accountd::error::Error::Internal(cause) = failed else { panic!("{failed:?}") };
    let cause = format!("{cause:#}");
    assert!(cause.starts_with("row 13 \"bad\" cannot be stored: ") && cause.contains("no_bad"), "{cause}");
    assert_eq!((report.created, count(&app).await), (12, 12), "earlier rows are imported");
    rows.remove(12);
    let report = run(&app, "general", lines(&rows)).await;
    assert_eq!((report.created, report.already_imported), (7, 12));
    app.login("u20", "correct-horse-9").await;
}

/// Later users get row ids that JavaScript represents exactly.
#[tokio::test]
async fn import_of_the_highest_row_id_leaves_room_for_new_users() {
    let app = TestApp::new().await;
    let highest = 1_i64 << 52;
    let rows = [json!({ "username": "ann", "id": highest }), json!({ "username": "bea", "id": (1_i64 << 53) - 1 })];
    let report = run(&app, "general", lines(&rows)).await;
    assert_eq!(reported(&report.remarks), [(2, "its id is out of range")]);
    assert_eq!(find_user(&app, "ann").await.id, highest);
    app.user("cid").await;
    for name in ["bea", "cid"] {
        assert!(find_user(&app, name).await.id < 1 << 53, "{name}");
    }
}

/// One taken id does not cost the rows of later batches theirs.
#[tokio::test]
async fn generated_row_ids_avoid_ids_of_later_rows() {
    let app = TestApp::new().await;
    app.admin("root").await;
    let taken = find_user(&app, "root").await.id;
    let last = taken + 501;
    let rows: Vec<Value> =
        (taken..=last).map(|number| json!({ "username": format!("u{number}"), "id": number })).collect();
    let report = run(&app, "general", lines(&rows)).await;
    let remark = format!("its id {taken} is taken: its new id is {}", last + 1);
    assert_eq!(reported(&report.remarks), [(1, remark.as_str())]);
    let users = user::Entity::find().order_by_asc(user::Column::Id).all(app.app.db.reader()).await.unwrap();
    let kept = users.iter().filter(|user| user.username == format!("u{}", user.id)).count();
    assert_eq!(kept, 501);
    app.user("later").await;
    assert!(find_user(&app, "later").await.id > last + 1);
}
