//! Import: users of older services become accounts, each once, and what became of every row is told.

mod command;
mod csv;
mod formats;
mod hashes;
mod login_names;
mod plain_passwords;
mod quoting;
mod storable_values;
mod tenants;

use accountd::account::import::{self, Issue, Report, Source};
use entity::{audit_event, imported, role_permission, throttle, user};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp};

/// The bcrypt hash of `secret` that flask_auth_service_mongo 0.1.8 made.
const SECRET: &str = "$2b$12$Jk9E19C58lSv88Zd7EgS5eFDKdHAPj8sBUxGYrRm2wdJqUb2CGql2";

/// A bcrypt hash of `asdf` that costs next to nothing.
const HASH_OF_ASDF: &str = "$2a$04$Mba5ETsZPQ.Lu2TFRR1oeuC4DpubNp5yfR7YR45IWL.FSkEh4ww0S";

fn lines(rows: &[Value]) -> Source {
    let text: Vec<String> = rows.iter().map(Value::to_string).collect();
    accountd::account::import::jsonl::read(&text.join("\n"))
}

/// Imports, which must not fail.
async fn run(app: &TestApp, format: &'static str, source: Source) -> Report {
    let mut report = Report::default();
    import::run(&app.app, format, source, &mut report, |_| {}).await.unwrap();
    report
}

/// Tells what would happen.
async fn dry_run(db: Option<&DatabaseConnection>, app: &TestApp, format: &'static str, source: Source) -> Report {
    let mut report = Report::default();
    let now = accountd::clock::Clock::now(&*app.clock);
    import::dry_run(db, format, source, now, &mut report, |_| {}).await.unwrap();
    report
}

/// Row and text of each finding.
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

/// Signs in with the old password, which makes a hash of now of the old one, and once more with the new hash.
async fn can_sign_in(app: &TestApp, name: &str, key: &str, password: &str) {
    let login = async |password: &str| {
        let input = json!({ "username": name, "password": password });
        app.anonymous().mutate_retrying("login", input, "errors { code }").await
    };
    for _ in 0..2 {
        assert_eq!(login(password).await.payload_error("login"), None, "{name}");
        let hash = find_user(app, key).await.password_hash.unwrap();
        assert!(hash.expose().starts_with("$argon2id$v=19$m=16,t=1,p=1$"), "{name} has a hash of now");
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
    let text = format!("{}\n{{\n", rows.map(|row| row.to_string()).join("\n"));
    let before = count(&app).await;
    let expected_refusals = [
        (2, "its name is that of row 1"),
        (3, "its name is that of row 1"),
        (4, "its name is empty"),
        (5, "its name is empty"),
        (6, "its name cannot be used: use letters, digits, '.', '-' and '_', and begin with a letter or a digit"),
        (7, "an account that is here already has its name"),
        (9, "its e-mail address is that of row 8"),
        (10, "its e-mail address: write it like name@example.org"),
        (11, "there is no field `pasword`"),
        (12, "`active` is neither true nor false"),
        (13, "it has a `password` and a `password_hash`: give one"),
        (14, "its roles: use one line of text that is not empty"),
        (18, "it is no JSON object"),
        (20, "it is no JSON"),
    ];
    let expected_shut_out = [
        (8, "its password hash is of no known scheme"),
        (15, "its password hash costs more than is computed"),
        (16, "it is disabled, and its password hash is damaged"),
        (17, "it has no password"),
        (19, "its password hash is longer than 255 bytes"),
    ];
    let mut rehearsal =
        dry_run(Some(app.app.db.reader()), &app, "general", accountd::account::import::jsonl::read(&text)).await;
    assert_eq!(count(&app).await, before, "a rehearsal changes nothing");
    let mut report = run(&app, "general", accountd::account::import::jsonl::read(&text)).await;
    for report in [&mut rehearsal, &mut report] {
        report.refused.sort_by_key(|finding| finding.row);
        assert_eq!(reported(&report.refused), expected_refusals);
        assert_eq!(reported(&report.cannot_sign_in), expected_shut_out);
        let left_out = "its display name is left out: use one line of text that is not empty";
        assert_eq!(reported(&report.remarks), [(17, left_out)]);
        assert_eq!((report.rows, report.created, report.already_imported), (20, 6, 0));
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
    // Renamed, with another password, and deleted: none of it is undone.
    let one = find_user(&app, "u1").await;
    let id = |user: &user::Model| accountd::account::user::id::UserId::from(user.uid).to_string();
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
    // Another service's user of the same name is somebody else.
    let other = run(&app, "other", lines(&rows[3..])).await;
    assert_eq!(reported(&other.refused), [(1, "an account that is here already has its name")]);
}

/// Two imports of one file at once: each account is made once, and neither import fails.
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

#[tokio::test]
async fn import_keeps_free_row_ids_and_reports_taken_ones() {
    let app = TestApp::new().await;
    let ann = account_of(&app, "ann").await;
    let rows = [
        json!({ "username": "bea", "id": 7 }),
        json!({ "username": "cid", "id": ann }),
        json!({ "username": "dan", "id": 7 }),
        json!({ "username": "eve", "id": -1 }),
        json!({ "username": "fay", "id": i64::MAX }),
        json!({ "username": "gus", "id": 12 }),
        json!({ "username": "hal", "id": (1_i64 << 52) + 1 }),
    ];
    let report = run(&app, "general", lines(&rows)).await;
    assert_eq!((find_user(&app, "bea").await.id, find_user(&app, "gus").await.id), (7, 12));
    let (cid, dan) = (find_user(&app, "cid").await.id, find_user(&app, "dan").await.id);
    let expected = [
        (2, format!("its number {ann} is taken: here it gets {cid}")),
        (3, format!("its number 7 is taken: here it gets {dan}")),
        (4, "its number is out of range".to_owned()),
        (5, "its number is out of range".to_owned()),
        (7, "its number is out of range".to_owned()),
    ];
    let expected: Vec<(u64, &str)> = expected.iter().map(|(row, text)| (*row, text.as_str())).collect();
    assert_eq!(reported(&report.remarks), expected);
    // Nobody who comes later meets a number that was brought along.
    for name in ["x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8"] {
        account_of(&app, name).await;
    }
    assert_eq!(count(&app).await, 16);
}

async fn account_of(app: &TestApp, name: &str) -> i64 {
    app.user(name).await;
    find_user(app, name).await.id
}

/// Z-5: roles without permissions are harmless, and whoever becomes an administrator is named.
#[tokio::test]
async fn import_creates_roles_without_permissions() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let input = json!({ "name": "helper", "permissions": ["USERS_READ"] });
    root.mutate_ok("saveRole", input, "role { id }").await;
    let rows = [
        json!({ "username": "ann", "password": PASSWORD, "roles": ["editor", "Editor", "HELPER"] }),
        json!({ "username": "bea", "password": PASSWORD, "roles": ["Admin", "editor"] }),
        json!({ "username": "cid", "password": PASSWORD }),
    ];
    let report = run(&app, "general", lines(&rows)).await;
    assert_eq!(report.roles.iter().collect::<Vec<_>>(), ["editor"]);
    assert_eq!(report.administrators, ["bea"]);
    assert_eq!(role_permission::Entity::find().count(app.app.db.reader()).await.unwrap(), 1, "the helper's own");
    let mine = async |name: &str| {
        let actor = app.login(name, PASSWORD).await;
        actor.send("{ me { roles permissions } }", json!({})).await.data()["me"].clone()
    };
    assert_eq!(mine("ann").await, json!({ "roles": ["editor", "helper"], "permissions": ["USERS_READ"] }));
    assert_eq!(mine("cid").await, json!({ "roles": [], "permissions": [] }));
    let bea = mine("bea").await;
    assert_eq!(bea["roles"], json!(["admin", "editor"]));
    assert!(bea["permissions"].as_array().unwrap().len() > 7);
}

/// Q11: one record for each batch, and nothing secret in it.
#[tokio::test]
async fn import_commits_and_audits_in_batches() {
    let app = TestApp::new().await;
    let mut rows: Vec<Value> =
        (1..=1_001).map(|number| json!({ "username": format!("u{number}"), "password_hash": HASH_OF_ASDF })).collect();
    rows[1_000]["roles"] = json!(["admin"]);
    let steps = std::cell::RefCell::new(Vec::new());
    let mut report = Report::default();
    let progress = |count| steps.borrow_mut().push(count);
    import::run(&app.app, "general", lines(&rows), &mut report, progress).await.unwrap();
    assert_eq!((report.created, steps.into_inner()), (1_001, vec![500, 500, 1]));
    let events =
        audit_event::Entity::find().order_by_asc(audit_event::Column::Id).all(app.app.db.reader()).await.unwrap();
    let details: Vec<Value> = events
        .iter()
        .map(|event| {
            assert_eq!((event.action.as_str(), event.request_id.as_deref()), ("user.import", Some("command line")));
            serde_json::from_str(event.details.as_deref().unwrap()).unwrap()
        })
        .collect();
    let detail = |rows: [u64; 2], accounts: u64, administrators: &[&str]| json!({ "format": "general", "rows": rows, "accounts": accounts, "administrators": administrators });
    assert_eq!(
        details,
        [detail([1, 500], 500, &[]), detail([501, 1_000], 500, &[]), detail([1_001, 1_001], 1, &["u1001"])]
    );
    assert_eq!(imported::Entity::find().count(app.app.db.reader()).await.unwrap(), 1_001);
    assert_eq!(throttle::Entity::find().count(app.app.db.reader()).await.unwrap(), 0);
}
