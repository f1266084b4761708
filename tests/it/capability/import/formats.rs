//! Each format from what the old software wrote, to a login with the old password.

use std::path::PathBuf;

use accountd::account::import::Source;
use accountd::dialects::user_api::import::DatabaseLocation;
use entity::user::Status;
use entity::{role, tenant, throttle};
use sea_orm::{
    ColumnTrait, ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait, QueryFilter, QueryOrder,
};
use serde_json::json;

use super::{SECRET, can_sign_in, count, find_user, reported, run};
use crate::support::database::{TestDatabase, backend};
use crate::support::{TestApp, scratch_directory};

/// The file of an older service, made by SQL; it goes when it is dropped.
pub(super) struct OldFile(pub PathBuf);

impl OldFile {
    pub async fn of(statements: &[&str]) -> Self {
        let directory = scratch_directory();
        std::fs::create_dir_all(&directory).unwrap();
        let file = Self(directory.join("data.db"));
        let db = Database::connect(format!("sqlite:{}?mode=rwc", file.0.display())).await.unwrap();
        fill(&db, statements).await;
        db.close().await.unwrap();
        file
    }
}

impl Drop for OldFile {
    fn drop(&mut self) {
        std::fs::remove_dir_all(self.0.parent().unwrap()).ok();
    }
}

async fn fill(db: &DatabaseConnection, statements: &[&str]) {
    for statement in statements {
        db.execute_unprepared(statement).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
    }
}

/// As PlantDB 0.15.1 writes it.
const PLANTDB: &str = r#"[
  {"username": "admin", "fullname": "PlantDB Admin",
   "password_hash": "$argon2id$v=19$m=65536,t=3,p=4$2nTMmx7/aXwUN4jOW9jEow$FOo+iA365ZvzJipdc99BixqsRgeTiUExtfGAab7ig4o",
   "roles": ["admin"], "created_at": "2026-01-15T09:00:00.123456", "_extra_permissions": [],
   "last_login": "2026-02-01T10:00:00", "is_active": true, "failed_attempts": 0, "last_failed_attempt": null,
   "locked_until": null, "password_last_change": "2026-01-20T00:00:00"},
  {"username": "batman", "fullname": "Bruce Wayne",
   "password_hash": "$argon2id$v=19$m=65536,t=3,p=4$2nTMmx7/aXwUN4jOW9jEow$FOo+iA365ZvzJipdc99BixqsRgeTiUExtfGAab7ig4o",
   "roles": ["reader", "contributor"], "created_at": "2026-01-15T09:00:00", "_extra_permissions": ["delete"],
   "last_login": null, "is_active": true, "failed_attempts": 3, "last_failed_attempt": "2026-03-01T11:59:59",
   "locked_until": "2026-03-01T12:14:59", "password_last_change": null},
  {"username": "joker", "fullname": "", "password_hash": "x", "roles": [], "is_active": false,
   "created_at": "2099-01-01T00:00:00", "failed_attempts": "many"},
  {"username": "robin", "fullname": "", "password_hash": "", "roles": ["reader"], "is_active": false,
   "created_at": "2099-01-01T00:00:00"}
]"#;

#[tokio::test]
async fn plantdb_import_carries_over_roles_names_and_failures() {
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let report = run(&app, "plantdb", accountd::dialects::plantdb::import::read(PLANTDB).unwrap()).await;
    assert_eq!(reported(&report.refused), [(3, "`failed_attempts` is no whole number")]);
    assert_eq!(reported(&report.cannot_sign_in), [(4, "it is disabled, and it has no password")]);
    assert_eq!(reported(&report.remarks), [(2, "its extra permissions have no place here")]);
    assert_eq!(report.administrators, ["admin"]);
    assert_eq!(report.roles.iter().collect::<Vec<_>>(), ["contributor", "reader"]);

    let batman = find_user(&app, "batman").await;
    assert_eq!(batman.display_name.as_deref(), Some("Bruce Wayne"));
    let robin = find_user(&app, "robin").await;
    assert_eq!((robin.status, robin.display_name, robin.created_at), (Status::Disabled, None, robin.updated_at));
    let admin = find_user(&app, "admin").await;
    let at = |time: &str| Some(time.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into());
    assert_eq!(Some(admin.created_at), at("2026-01-15T09:00:00.123Z"));
    assert_eq!(admin.last_login_at, at("2026-02-01T10:00:00Z"));
    assert_eq!(admin.password_changed_at, at("2026-01-20T00:00:00Z"));

    // The three failures go on: the next try has to wait, and success forgets them.
    let failures = throttle::Entity::find_by_id(format!("user:{}", batman.id)).one(app.app.db.reader()).await.unwrap();
    assert_eq!(failures.unwrap().failures, 3);
    let early = app.anonymous().login("batman", "Alfred123!").await;
    assert_eq!(early.payload_error("login").as_deref(), Some("TOO_MANY_ATTEMPTS"));
    app.clock.advance(chrono::TimeDelta::minutes(15));
    can_sign_in(&app, "batman", "batman", "Alfred123!").await;
    can_sign_in(&app, "admin", "admin", "Alfred123!").await;
}

/// Passwords in plain text, of the older course: hashed while they are imported.
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
    let report = run(&app, "tecladocode", accountd::dialects::tecladocode::import::read(&file.0).await.unwrap()).await;
    let mut refused = report.refused.clone();
    refused.sort_by_key(|finding| finding.row);
    let expected = [
        (2, "its name is that of row 1"),
        (3, "its name is empty"),
        (4, "its name is empty"),
        (10, "`username` is no text"),
        (12, "`password` is no text"),
    ];
    assert_eq!(reported(&refused), expected);
    assert_eq!(reported(&report.cannot_sign_in), [(5, "it has no password"), (6, "it has no password")]);
    assert_eq!(
        reported(&report.remarks),
        [(1, "as number 1 it was the administrator: here that is who has the role `admin`")]
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
    let again = run(&app, "tecladocode", accountd::dialects::tecladocode::import::read(&file.0).await.unwrap()).await;
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
    let report = run(&app, "tecladocode", accountd::dialects::tecladocode::import::read(&file.0).await.unwrap()).await;
    assert_eq!((report.created, report.cannot_sign_in.len()), (1, 0));
    assert!(find_user(&app, "rolf").await.password_hash.unwrap().expose().starts_with("$pbkdf2-sha256$29000$"));
    can_sign_in(&app, "rolf", "rolf", "asdf").await;
}

/// The tables of user-api 0.6.0, as SQLAlchemy makes them on both of its databases, with two customers.
fn user_api_tables() -> Vec<String> {
    let salt = "5a9b0a98c5d8d23fc8c69dbcd4e6892b9bd47c74e1b908c3defb0935783f59dc";
    let user = |id: u32, email: &str, name: &str, hash: &str, active: u32, customer: u32| {
        format!("INSERT INTO _user VALUES ({id}, '{email}', '{name}', '{hash}', '{salt}', {active}, {customer})")
    };
    let (password, cafe) = ("bf2a17b8d14ad59802f4e4af190ca4ca", "81fc7d26f67562bd4d3fc93eb63380dd");
    let mut tables: Vec<String> = [
        "CREATE TABLE customer (id INTEGER NOT NULL PRIMARY KEY, max_user_quota INTEGER)",
        "CREATE TABLE role (id INTEGER NOT NULL PRIMARY KEY, code VARCHAR(20), name VARCHAR(20), UNIQUE (code))",
        "CREATE TABLE _user (id INTEGER NOT NULL PRIMARY KEY, email VARCHAR(100), name VARCHAR(100), hash VARCHAR(100),
            salt VARCHAR(100), active BOOLEAN, customer_id INTEGER, UNIQUE (email))",
        "CREATE TABLE user_has_role (user_id INTEGER, role_id INTEGER)",
        "INSERT INTO customer VALUES (1, 1), (7, 1)",
        "INSERT INTO role VALUES (1, 'admin', 'Admin'), (2, 'analyst', 'Analyst')",
        "INSERT INTO user_has_role VALUES (41, 1), (42, 2), (42, 2), (44, 1)",
    ]
    .map(str::to_owned)
    .into();
    tables.extend([
        user(41, "admin", "admin", password, 1, 1),
        user(42, "Bea.B@example.org", "Béa B", cafe, 1, 1),
        user(43, "bea.b@other.example", "Bea again", password, 0, 7),
        user(44, "boss@other.example", "", password, 1, 7),
        user(45, "", "nobody", password, 1, 7),
    ]);
    tables
}

async fn check_user_api_import(app: &TestApp, read: impl AsyncFn() -> Source) {
    let report = run(app, "user-api", read().await).await;
    assert_eq!(reported(&report.refused), [(45, "its name is empty")]);
    assert_eq!(reported(&report.cannot_sign_in), [(43, "it is disabled")]);
    assert_eq!(report.roles.iter().collect::<Vec<_>>(), ["analyst"]);
    let analyst = role::Entity::find().filter(role::Column::NameKey.eq("analyst")).one(app.app.db.reader()).await;
    assert_eq!(analyst.unwrap().unwrap().description.as_deref(), Some("Analyst"));
    let tenants = tenant::Entity::find().order_by_asc(tenant::Column::Id).all(app.app.db.reader()).await.unwrap();
    let of = |name: &str| tenants.iter().find(|tenant| tenant.name == name).unwrap().id;
    let (one, seven) = (of("customer 1"), of("customer 7"));
    assert_ne!(one, 1, "to that tenant the installation belongs");
    assert_eq!(seven, 7);
    let expected =
        [format!("customer 1 is tenant {one} here: customer 1"), "customer 7 is tenant 7 here: customer 7".to_owned()];
    assert_eq!(report.tenants, expected);
    assert_eq!(report.administrators, ["admin, of customer 1", "boss, of customer 7"]);

    let bea = find_user(app, "bea.b").await;
    assert_eq!((bea.id, bea.tenant_id, bea.display_name.as_deref()), (42, one, Some("Béa B")));
    assert_eq!(find_user(app, "bea.b-43").await.tenant_id, seven, "the name was taken");
    assert_eq!(find_user(app, "admin").await.id, 41);
    can_sign_in(app, "bea.b@EXAMPLE.org", "bea.b", "café").await;
    can_sign_in(app, "admin", "admin", "password").await;
    let boss = app.login("boss@other.example", "password").await;
    let seen = boss.send("{ users(orderBy: { field: USERNAME, direction: ASC }) { nodes { username } } }", json!({}));
    let seen = seen.await.data();
    assert_eq!(seen["users"]["nodes"], json!([{ "username": "bea.b-43" }, { "username": "boss" }]));

    let again = run(app, "user-api", read().await).await;
    assert_eq!((again.created, again.already_imported, again.tenants.len()), (0, 4, 0));
    assert_eq!(count(app).await, 4);
}

#[tokio::test]
async fn user_api_import_carries_over_customers_and_roles() {
    let tables = user_api_tables();
    let file = OldFile::of(&tables.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let app = TestApp::new().await;
    check_user_api_import(&app, async || {
        accountd::dialects::user_api::import::read(DatabaseLocation::File(&file.0)).await.unwrap()
    })
    .await;
}

/// The same from a server, where the tests have one.
#[tokio::test]
async fn user_api_import_reads_a_database_server() {
    if backend() != DbBackend::MySql {
        return;
    }
    let old = TestDatabase::empty().await;
    let (_, url) = old.settings().into_iter().find(|(name, _)| name == "ACCOUNTD_DATABASE_URL").unwrap();
    let db = Database::connect(&url).await.unwrap();
    let tables = user_api_tables();
    fill(&db, &tables.iter().map(String::as_str).collect::<Vec<_>>()).await;
    db.close().await.unwrap();
    let app = TestApp::new().await;
    let read =
        async || accountd::dialects::user_api::import::read(DatabaseLocation::Url(url.clone().into())).await.unwrap();
    check_user_api_import(&app, read).await;
}

/// With one customer its users are the installation's, as they were in the old service.
#[tokio::test]
async fn user_api_import_of_one_customer_uses_the_default_tenant() {
    let mut tables = user_api_tables();
    tables.push("DELETE FROM _user WHERE customer_id <> 1".to_owned());
    let file = OldFile::of(&tables.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let app = TestApp::new().await;
    let report = run(
        &app,
        "user-api",
        accountd::dialects::user_api::import::read(DatabaseLocation::File(&file.0)).await.unwrap(),
    )
    .await;
    assert_eq!(report.tenants, ["customer 1 is tenant 1 here: default"]);
    assert_eq!(report.administrators, ["admin"]);
    let admin = app.login("admin", "password").await;
    assert_eq!(admin.send("{ tenants { totalCount } }", json!({})).await.data()["tenants"]["totalCount"], 1);
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
            "its role 5f0000000000000000000003 is not among the roles: it was deleted, or their file is an older one";
        assert_eq!(reported(&report.refused), [(4, unknown)]);
        assert_eq!(reported(&report.cannot_sign_in), [(3, "it is disabled")]);
        assert_eq!((report.administrators, report.created), (vec!["admin".to_owned()], 4));
        can_sign_in(&app, "ADMIN", "admin", "secret").await;
        let login = "mutation { login(input: { username: \"ann\", password: \"secret\" }) { user { roles mustChangePassword } } }";
        let answer = app.anonymous().send(login, json!({})).await.data();
        assert_eq!(answer["login"]["user"], json!({ "roles": ["user"], "mustChangePassword": true }));
    }
    // MongoEngine writes the id alone if it is told so.
    let app = TestApp::new().await;
    let plain = user("eve", "2", "").replace(r#"{"$ref":"role","$id":"#, "").replace("0002\"}}", "0002\"}");
    let report =
        run(&app, "mongo", accountd::dialects::flask_auth_service_mongo::import::read(&plain, Some(roles)).unwrap())
            .await;
    assert!(report.created == 1 && report.roles.contains("user"));
    let report =
        run(&app, "mongo", accountd::dialects::flask_auth_service_mongo::import::read(&plain, None).unwrap()).await;
    let unknown = "its role 5f0000000000000000000002 is not among the roles: give them with --roles";
    assert_eq!(reported(&report.refused), [(1, unknown)]);
    assert!(
        accountd::dialects::flask_auth_service_mongo::import::read("{\n\n}}", None)
            .unwrap_err()
            .to_string()
            .contains("internal")
    );
}

/// Both general formats say the same.
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
                (6, "`id` is no whole number"),
                (7, "`created_at` is no time like 2026-03-01T12:00:00Z"),
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
    for (csv, problem) in [("username,pasword\n", "there is no column `pasword`"), ("email,email\n", "comes twice")] {
        let accountd::error::Error::Internal(cause) = accountd::account::import::csv::read(csv).unwrap_err() else {
            panic!("{csv}")
        };
        assert!(cause.to_string().contains(problem), "{cause}");
    }
}
