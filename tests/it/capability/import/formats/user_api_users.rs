//! Users and customers of user-api, from a file or a database server.

use accountd::account::import::DatabaseLocation;
use accountd::account::import::Source;
use entity::{role, tenant};
use sea_orm::{ColumnTrait, Database, DbBackend, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;

use super::{OldFile, fill};
use crate::capability::import::{can_sign_in, count, find_user, reported, run};
use crate::support::TestApp;
use crate::support::database::{TestDatabase, backend};

/// The tables of user-api 0.6.0, as SQLAlchemy creates them on both of its databases, with two customers.
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
    assert_eq!(reported(&report.refused), [(45, "its username is empty")]);
    assert_eq!(reported(&report.cannot_sign_in), [(43, "it is disabled")]);
    assert_eq!(report.roles.iter().collect::<Vec<_>>(), ["analyst"]);
    let analyst = role::Entity::find().filter(role::Column::NameKey.eq("analyst")).one(app.app.db.reader()).await;
    assert_eq!(analyst.unwrap().unwrap().description.as_deref(), Some("Analyst"));
    let tenants = tenant::Entity::find().order_by_asc(tenant::Column::Id).all(app.app.db.reader()).await.unwrap();
    let of = |name: &str| tenants.iter().find(|tenant| tenant.name == name).unwrap().id;
    let (one, seven) = (of("customer 1"), of("customer 7"));
    assert_ne!(one, 1, "the installation belongs to that tenant");
    assert_eq!(seven, 7);
    let expected =
        [format!("customer 1 is now tenant {one}: customer 1"), "customer 7 is now tenant 7: customer 7".to_owned()];
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
        accountd::dialects::user_api::import::read(DatabaseLocation::File(&file.path)).await.unwrap()
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

/// The users of a single customer belong to the default tenant, as in the old service.
#[tokio::test]
async fn user_api_import_of_one_customer_uses_the_default_tenant() {
    let mut tables = user_api_tables();
    tables.push("DELETE FROM _user WHERE customer_id <> 1".to_owned());
    let file = OldFile::of(&tables.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let app = TestApp::new().await;
    let report = run(
        &app,
        "user-api",
        accountd::dialects::user_api::import::read(DatabaseLocation::File(&file.path)).await.unwrap(),
    )
    .await;
    assert_eq!(report.tenants, ["customer 1 is now tenant 1: default"]);
    assert_eq!(report.administrators, ["admin"]);
    let admin = app.login("admin", "password").await;
    assert_eq!(admin.send("{ tenants { totalCount } }", json!({})).await.data()["tenants"]["totalCount"], 1);
}
