//! Each format from the old software's output to a login with the old password.

mod plantdb_users;
mod user_api_users;

use std::path::PathBuf;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use serde_json::json;
use tempfile::{TempDir, tempdir};

use super::{SECRET, can_sign_in, find_user, reported, run};
use crate::support::TestApp;

/// The file of an older service, created by SQL; deleted on drop.
pub(super) struct OldFile {
    pub path: PathBuf,
    _directory: TempDir,
}

impl OldFile {
    pub async fn of(statements: &[&str]) -> Self {
        let directory = tempdir().unwrap();
        let file = Self { path: directory.path().join("data.db"), _directory: directory };
        let db = Database::connect(format!("sqlite:{}?mode=rwc", file.path.display())).await.unwrap();
        fill(&db, statements).await;
        db.close().await.unwrap();
        file
    }
}

async fn fill(db: &DatabaseConnection, statements: &[&str]) {
    for statement in statements {
        db.execute_unprepared(statement).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
    }
}

/// Plain passwords of the older course: hashed during the import.
#[tokio::test]
async fn tecladocode_import_carries_over_ids_and_plain_passwords() {
    let file = OldFile::of(&[
        "CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, username VARCHAR(80) UNIQUE, password VARCHAR(80))",
        "INSERT INTO users VALUES (1, 'jose', 'asdf'), (2, 'Jose', '1234'), (3, '', 'x'), (4, NULL, 'x'),
            (5, 'bob', NULL), (6, 'ann', ''), (9, 'Rolf', 'passwörd'), (10, x'ff', 'x'), (11, 4711, 4711),
            (12, 'eve', x'ff')",
    ])
    .await;
    let app = TestApp::new().await;
    let report =
        run(&app, "tecladocode", accountd::dialects::tecladocode::import::read(&file.path).await.unwrap()).await;
    let mut refused = report.refused.clone();
    refused.sort_by_key(|finding| finding.row);
    let expected = [
        (2, "it has the username of row 1"),
        (3, "its username is empty"),
        (4, "its username is empty"),
        (10, "`username` is not text"),
        (12, "`password` is not text"),
    ];
    assert_eq!(reported(&refused), expected);
    assert_eq!(reported(&report.cannot_sign_in), [(5, "it has no password"), (6, "it has no password")]);
    assert_eq!(
        reported(&report.remarks),
        [(1, "it was the administrator as user 1: assign the role `admin` to keep that")]
    );
    assert_eq!(report.administrators, [""; 0]);
    for (name, number, password) in [("jose", 1, "asdf"), ("rolf", 9, "passwörd"), ("4711", 11, "4711")] {
        let made = find_user(&app, name).await;
        assert_eq!(made.id, number);
        let hash = made.password_hash.unwrap();
        assert!(hash.expose().starts_with("$argon2id$") && !hash.expose().contains(password), "{name}");
        can_sign_in(&app, name, name, password).await;
    }
    for name in ["bob", "ann"] {
        assert_eq!(
            app.anonymous().login(name, "").await.payload_error("login").as_deref(),
            Some("INVALID_CREDENTIALS")
        );
    }
    let again =
        run(&app, "tecladocode", accountd::dialects::tecladocode::import::read(&file.path).await.unwrap()).await;
    assert_eq!((again.created, again.already_imported), (0, 5));
}

/// Hashes of the newer course.
#[tokio::test]
async fn tecladocode_import_accepts_passlib_hashes() {
    let file = OldFile::of(&[
        "CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, username VARCHAR(80) NOT NULL UNIQUE, password VARCHAR(256))",
        "INSERT INTO users VALUES
            (7, 'rolf', '$pbkdf2-sha256$29000$mdM6x3hPydkbI4SwlpISYg$qOZbKy7oEJ9FlloQ/6CXrrxYV/UPZG2mx.pSfGRdMGQ')",
    ])
    .await;
    let app = TestApp::new().await;
    let report =
        run(&app, "tecladocode", accountd::dialects::tecladocode::import::read(&file.path).await.unwrap()).await;
    assert_eq!((report.created, report.cannot_sign_in.len()), (1, 0));
    assert!(find_user(&app, "rolf").await.password_hash.unwrap().expose().starts_with("$pbkdf2-sha256$29000$"));
    can_sign_in(&app, "rolf", "rolf", "asdf").await;
}

#[tokio::test]
async fn mongo_import_carries_over_roles_and_requires_new_passwords() {
    let roles = r#"
        {"_id":{"$oid":"5f0000000000000000000001"},"name":"admin","permissions":{"x":1}}
        {"_id":{"$oid":"5f0000000000000000000002"},"name":"user"}"#;
    let user = |name: &str, role: &str, rest: &str| {
        format!(
            r#"{{"_id":{{"$oid":"60000000000000000000000a"}},"username":"{name}","password":"{SECRET}",
            "role":{{"$ref":"role","$id":{{"$oid":"5f000000000000000000000{role}"}}}}{rest}}}"#
        )
    };
    let users = [
        user("admin", "1", r#","active":true,"change_password":false"#),
        user("ann", "2", r#","active":true,"change_password":true"#),
        user("bea", "2", r#","active":false,"change_password":false"#),
        user("cid", "3", ""),
        user("dan", "2", ""),
    ];
    for text in [users.join("\n"), format!("[{}]", users.join(","))] {
        let app = TestApp::new().await;
        let report =
            run(&app, "mongo", accountd::dialects::flask_auth_service_mongo::import::read(&text, Some(roles)).unwrap())
                .await;
        let unknown =
            "its role 5f0000000000000000000003 is not among the roles: it was deleted, or the roles file is older";
        assert_eq!(reported(&report.refused), [(4, unknown)]);
        assert_eq!(reported(&report.cannot_sign_in), [(3, "it is disabled")]);
        assert_eq!((report.administrators, report.created), (vec!["admin".to_owned()], 4));
        can_sign_in(&app, "ADMIN", "admin", "secret").await;
        let login = "mutation { login(input: { username: \"ann\", password: \"secret\" }) { user { roles mustChangePassword } } }";
        let answer = app.anonymous().send(login, json!({})).await.data();
        assert_eq!(answer["login"]["user"], json!({ "roles": ["user"], "mustChangePassword": true }));
    }
    // MongoEngine can be configured to write the id alone.
    let app = TestApp::new().await;
    let plain = user("eve", "2", "").replace(r#"{"$ref":"role","$id":"#, "").replace("0002\"}}", "0002\"}");
    let report =
        run(&app, "mongo", accountd::dialects::flask_auth_service_mongo::import::read(&plain, Some(roles)).unwrap())
            .await;
    assert!(report.created == 1 && report.roles.contains("user"));
    let report =
        run(&app, "mongo", accountd::dialects::flask_auth_service_mongo::import::read(&plain, None).unwrap()).await;
    let unknown = "its role 5f0000000000000000000002 is not among the roles: pass them with --roles";
    assert_eq!(reported(&report.refused), [(1, unknown)]);
    assert!(
        accountd::dialects::flask_auth_service_mongo::import::read("{\n\n}}", None)
            .unwrap_err()
            .to_string()
            .contains("internal")
    );
}

/// Both general formats give the same result.
#[tokio::test]
async fn csv_and_json_lines_import_the_same_users() {
    let csv = "username,email,display_name,password_hash,password,roles,active,must_change_password,id,created_at,last_login_at,password_changed_at\r\n\
        ann,ann@example.org,\"Lee, Ann\",,secret,editor; reviewer,1,FALSE,12,2024-05-01T08:30:00+02:00,2024-06-01 10:00:00,\r\n\
        ,bea@example.org,,$2b$12$Jk9E19C58lSv88Zd7EgS5eFDKdHAPj8sBUxGYrRm2wdJqUb2CGql2,,,false,true,,,,\r\n\
        cid\r\n\
        dan,,,,,,maybe,,,,,\r\n\
        eve,,,,,,,,x,,,\r\n\
        fay,,,,,,,,,yesterday,,\r\n";
    let lines = [
        json!({ "username": "ann", "email": "ann@example.org", "display_name": "Lee, Ann", "password": "secret",
            "roles": ["editor", "reviewer"], "active": true, "must_change_password": false, "id": 12,
            "created_at": "2024-05-01T08:30:00+02:00", "last_login_at": "2024-06-01 10:00:00" }),
        json!({ "email": "bea@example.org", "password_hash": SECRET, "active": false, "must_change_password": true }),
    ];
    let mut made = Vec::new();
    for source in [accountd::account::import::csv::read(csv).unwrap(), super::lines(&lines)] {
        let app = TestApp::new().await;
        let report = run(&app, "general", source).await;
        if report.rows == 6 {
            let expected = [
                (4, "it has 1 cells, and the first line 12"),
                (5, "`active` is neither true nor false"),
                (6, "`id` is not an integer"),
                (7, "`created_at` is not a time like 2026-03-01T12:00:00Z"),
            ];
            assert_eq!(reported(&report.refused), expected);
        }
        can_sign_in(&app, "ann", "ann", "secret").await;
        let fields = async |name: &str| {
            let one = find_user(&app, name).await;
            let times = (one.created_at, one.last_login_at.filter(|_| name == "bea"), one.password_changed_at);
            (one.email, one.display_name, one.status, one.must_change_password, times)
        };
        assert_eq!(find_user(&app, "ann").await.id, 12);
        made.push((fields("ann").await, fields("bea").await));
    }
    assert_eq!(made[0], made[1]);
    // Exports write an empty text for what is missing.
    let app = TestApp::new().await;
    let row = json!({ "username": "gil", "email": "", "display_name": " ", "password": "secret" });
    let report = run(&app, "general", super::lines(&[row])).await;
    assert_eq!((report.created, reported(&report.remarks)), (1, vec![]));
    let gil = find_user(&app, "gil").await;
    assert_eq!((gil.email, gil.display_name), (None, None));
    for (csv, problem) in [("username,pasword\n", "unknown column `pasword`"), ("email,email\n", "named twice")] {
        let accountd::error::Error::Internal(cause) = accountd::account::import::csv::read(csv).unwrap_err() else {
            panic!("{csv}")
        };
        assert!(cause.to_string().contains(problem), "{cause}");
    }
}
