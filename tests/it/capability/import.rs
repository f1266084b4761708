//! Import: users of older services become users, each once, and the report covers every row.

mod command;
mod csv;
mod formats;
mod hashes;
mod login_names;
mod plain_passwords;
mod quoting;
mod row_ids;
mod storable_values;
mod tenants;

use accountd::account::import::{self, Issue, Report, Source};
use entity::user;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp};

/// The bcrypt hash of `secret` by flask_auth_service_mongo 0.1.8.
const SECRET: &str = "$2b$12$Jk9E19C58lSv88Zd7EgS5eFDKdHAPj8sBUxGYrRm2wdJqUb2CGql2";

/// A bcrypt hash of `asdf` at a negligible cost.
const HASH_OF_ASDF: &str = "$2a$04$Mba5ETsZPQ.Lu2TFRR1oeuC4DpubNp5yfR7YR45IWL.FSkEh4ww0S";

fn lines(rows: &[Value]) -> Source {
    let text: Vec<String> = rows.iter().map(Value::to_string).collect();
    accountd::account::import::jsonl::read(&text.join("\n"))
}

/// Runs an import, which must succeed.
async fn run(app: &TestApp, format: &'static str, source: Source) -> Report {
    let mut report = Report::default();
    import::run(&app.app, format, source, &mut report, |_| {}).await.unwrap();
    report
}

/// Runs a dry run.
async fn dry_run(db: Option<&DatabaseConnection>, app: &TestApp, format: &'static str, source: Source) -> Report {
    let mut report = Report::default();
    let now = accountd::clock::Clock::now(&*app.clock);
    import::dry_run(db, format, source, now, &mut report, |_| {}).await.unwrap();
    report
}

/// Row and text of each issue.
fn reported(findings: &[Issue]) -> Vec<(u64, &str)> {
    findings.iter().map(|finding| (finding.row, finding.message.as_str())).collect()
}

async fn find_user(app: &TestApp, name: &str) -> user::Model {
    let found = user::Entity::find().filter(user::Column::UsernameKey.eq(name)).one(app.app.db.reader()).await;
    found.unwrap().unwrap_or_else(|| panic!("there is no {name}"))
}

async fn count(app: &TestApp) -> u64 {
    user::Entity::find().count(app.app.db.reader()).await.unwrap()
}

/// Logs in with the old password, which replaces the old hash, and again with the new hash.
async fn can_sign_in(app: &TestApp, name: &str, key: &str, password: &str) {
    let login = async |password: &str| {
        let input = json!({ "username": name, "password": password });
        app.anonymous().mutate_retrying("login", input, "errors { code }").await
    };
    for _ in 0..2 {
        assert_eq!(login(password).await.payload_error("login"), None, "{name}");
        let hash = find_user(app, key).await.password_hash.unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=16,t=1,p=1$"), "{name} has a current hash");
    }
    let wrong = login(&format!("{password}x")).await;
    assert_eq!(wrong.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"));
}

#[tokio::test]
async fn import_reports_refused_rows_and_users_unable_to_sign_in() {
    let app = TestApp::new().await;
    app.user("taken").await;
    let rows = [
        json!({ "username": "jose", "password_hash": HASH_OF_ASDF }),
        json!({ "username": " Jose ", "password_hash": HASH_OF_ASDF }),
        json!({ "username": "ＪＯＳＥ", "password_hash": HASH_OF_ASDF }),
        json!({ "username": "" }),
        json!({ "username": null }),
        json!({ "username": "bruce wayne" }),
        json!({ "username": "Taken" }),
        json!({ "username": "ann", "email": "Ann@Example.org", "password_hash": "5f4dcc3b5aa765d61d8327deb882cf99" }),
        json!({ "username": "bea", "email": "ann@example.ORG" }),
        json!({ "username": "cid", "email": "cid" }),
        json!({ "username": "dan", "pasword": "x" }),
        json!({ "username": "eve", "active": "no" }),
        json!({ "username": "fay", "password": "x", "password_hash": HASH_OF_ASDF }),
        json!({ "username": "gus", "roles": ["a\nb"] }),
        json!({ "username": "hal", "password_hash": "$2b$31$Jk9E19C58lSv88Zd7EgS5eFDKdHAPj8sBUxGYrRm2wdJqUb2CGql2" }),
        json!({ "username": "ida", "password_hash": "$2b$12$Jk9E19C58lSv88Zd7E", "active": false }),
        json!({ "username": "jan", "password": "", "display_name": "a\u{7}b" }),
        json!(["kim"]),
        json!({ "username": "lee", "password_hash": format!("$argon2id$v=19$m=16,t=1,p=1${}$x", "A".repeat(1_000_000)) }),
    ];
    let twice = r#"{"username":"meg","active":false,"active":true}"#;
    let text = format!("{}\n{{\n{twice}\n", rows.map(|row| row.to_string()).join("\n"));
    let before = count(&app).await;
    let expected_refusals = [
        (2, "it has the username of row 1"),
        (3, "it has the username of row 1"),
        (4, "its username is empty"),
        (5, "its username is empty"),
        (6, "its username is not allowed: use letters, digits, '.', '-' and '_', and begin with a letter or a digit"),
        (7, "an existing user has its username"),
        (9, "it has the e-mail address of row 8"),
        (10, "its e-mail address: use the form name@example.org"),
        (11, "unknown field `pasword`"),
        (12, "`active` is neither true nor false"),
        (13, "it has `password` and `password_hash`: use one of them"),
        (14, "its roles: use one non-empty line of text"),
        (18, "it is not a JSON object"),
        (20, "it is not JSON"),
        (21, "a field is given twice"),
    ];
    let expected_shut_out = [
        (8, "its password hash has an unsupported scheme"),
        (15, "its password hash exceeds the cost limit"),
        (16, "it is disabled, and its password hash is malformed"),
        (17, "it has no password"),
        (19, "its password hash is longer than 255 bytes"),
    ];
    let mut rehearsal =
        dry_run(Some(app.app.db.reader()), &app, "general", accountd::account::import::jsonl::read(&text)).await;
    assert_eq!(count(&app).await, before, "a dry run changes nothing");
    let mut report = run(&app, "general", accountd::account::import::jsonl::read(&text)).await;
    for report in [&mut rehearsal, &mut report] {
        report.refused.sort_by_key(|finding| finding.row);
        assert_eq!(reported(&report.refused), expected_refusals);
        assert_eq!(reported(&report.cannot_sign_in), expected_shut_out);
        let left_out = "its display name is dropped: use one non-empty line of text";
        assert_eq!(reported(&report.remarks), [(17, left_out)]);
        assert_eq!((report.rows, report.created, report.already_imported), (21, 6, 0));
    }
    assert_eq!(count(&app).await, before + 6);
    for name in ["ann", "hal", "ida", "jan", "lee"] {
        for password in ["", "x", "password", "secret"] {
            let answer = app.anonymous().login(name, password).await;
            assert_eq!(answer.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"), "{name}");
        }
    }
    can_sign_in(&app, "Jose", "jose", "asdf").await;
}

#[tokio::test]
async fn repeated_import_changes_nothing() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let rows: Vec<Value> =
        (1..=4).map(|number| json!({ "username": format!("u{number}"), "password": PASSWORD })).collect();
    let first = run(&app, "general", lines(&rows[..2])).await;
    assert_eq!((first.created, first.already_imported), (2, 0));
    // Renamed, with another password, and deleted: the import reverts nothing.
    let one = find_user(&app, "u1").await;
    let id = |user: &user::Model| accountd::account::names::id::UserId::from(user.uid).to_string();
    root.mutate_ok("updateUser", json!({ "userId": id(&one), "username": "first" }), "user { id }").await;
    root.mutate_ok("deleteUser", json!({ "userId": id(&find_user(&app, "u2").await) }), "deletedUserId").await;
    let second = run(&app, "general", lines(&rows)).await;
    assert_eq!((second.created, second.already_imported, second.refused.len()), (2, 2, 0));
    let third = run(&app, "general", lines(&rows)).await;
    assert_eq!((third.created, third.already_imported), (0, 4));
    assert_eq!(find_user(&app, "first").await.uid, one.uid);
    let names: Vec<String> = user::Entity::find()
        .order_by_asc(user::Column::UsernameKey)
        .all(app.app.db.reader())
        .await
        .unwrap()
        .into_iter()
        .map(|user| user.username)
        .collect();
    assert_eq!(names, ["first", "root", "u3", "u4"]);
    // A user of the same name in another service is another user.
    let other = run(&app, "other", lines(&rows[3..])).await;
    assert_eq!(reported(&other.refused), [(1, "an existing user has its username")]);
}

/// Two imports of one file at once: each user is created once, and neither import fails.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_imports_create_each_user_once() {
    let app = TestApp::new().await;
    let rows: Vec<Value> = (0..600)
        .map(|number| json!({ "username": format!("u{number}"), "password_hash": HASH_OF_ASDF, "roles": ["r"] }))
        .collect();
    let (one, two) = tokio::join!(run(&app, "general", lines(&rows)), run(&app, "general", lines(&rows)));
    assert_eq!((one.created + two.created, one.already_imported + two.already_imported), (600, 600));
    assert_eq!(count(&app).await, 600);
}
