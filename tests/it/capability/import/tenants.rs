//! Customers of user-api become tenants: with their row ids where free, and as a dry run reports.

use accountd::account::import::DatabaseLocation;
use accountd::account::import::Source;
use entity::{imported, tenant};
use sea_orm::{ActiveModelTrait, EntityTrait, QueryOrder, Set};
use serde_json::json;

use super::formats::OldFile;
use super::{dry_run, find_user, reported, run};
use crate::support::TestApp;

/// Row id, name and customer of each user.
async fn old_database(users: &[(i64, &str, i64)]) -> OldFile {
    let salt = "5a9b0a98c5d8d23fc8c69dbcd4e6892b9bd47c74e1b908c3defb0935783f59dc";
    let user = |(id, name, customer): &(i64, &str, i64)| {
        let hash = "bf2a17b8d14ad59802f4e4af190ca4ca";
        format!("INSERT INTO _user VALUES ({id}, '{name}', '{name}', '{hash}', '{salt}', 1, {customer})")
    };
    let mut statements: Vec<String> = [
        "CREATE TABLE role (id INTEGER NOT NULL PRIMARY KEY, code VARCHAR(20), name VARCHAR(20))",
        "CREATE TABLE _user (id INTEGER NOT NULL PRIMARY KEY, email VARCHAR(100), name VARCHAR(100), hash VARCHAR(100),
            salt VARCHAR(100), active BOOLEAN, customer_id INTEGER)",
        "CREATE TABLE user_has_role (user_id INTEGER, role_id INTEGER)",
    ]
    .map(str::to_owned)
    .into();
    statements.extend(users.iter().map(user));
    OldFile::of(&statements.iter().map(String::as_str).collect::<Vec<_>>()).await
}

async fn read(file: &OldFile) -> Source {
    accountd::dialects::user_api::import::read(DatabaseLocation::File(&file.path)).await.unwrap()
}

async fn tenants(app: &TestApp) -> Vec<(i64, String)> {
    let found = tenant::Entity::find().order_by_asc(tenant::Column::Id).all(app.app.db.reader()).await.unwrap();
    found.into_iter().map(|tenant| (tenant.id, tenant.name)).collect()
}

/// The new id of customer 1 must not be that of another customer.
#[tokio::test]
async fn imported_customers_keep_contiguous_ids_but_the_first() {
    let file = old_database(&[(1, "ann@example.org", 1), (2, "bea@example.org", 2), (3, "cid@example.org", 3)]).await;
    let app = TestApp::new().await;
    let expected = [
        "customer 1: would become a tenant with another id: 1 is taken",
        "customer 2: would become tenant 2",
        "customer 3: would become tenant 3",
    ];
    for db in [None, Some(app.app.db.reader())] {
        let report = dry_run(db, &app, "user-api", read(&file).await).await;
        assert_eq!((report.created, report.tenants), (3, expected.map(str::to_owned).to_vec()));
    }
    let report = run(&app, "user-api", read(&file).await).await;
    assert_eq!((report.created, reported(&report.refused)), (3, vec![]));
    let made = tenants(&app).await;
    let another = made.iter().find(|(_, name)| name == "customer 1").unwrap().0;
    assert!(another > 3, "{made:?}");
    assert_eq!(&made[1..3], [(2, "customer 2".to_owned()), (3, "customer 3".to_owned())]);
    assert_eq!(report.tenants[0], format!("customer 1 is now tenant {another}: customer 1"));
    assert_eq!(find_user(&app, "ann").await.tenant_id, another);

    let again = dry_run(Some(app.app.db.reader()), &app, "user-api", read(&file).await).await;
    assert_eq!((again.already_imported, again.tenants), (3, Vec::<String>::new()));
    let again = run(&app, "user-api", read(&file).await).await;
    assert_eq!((again.already_imported, tenants(&app).await.len()), (3, 4));
}

/// An id above the kept range would leave none for later tenants.
#[tokio::test]
async fn imported_customers_with_ids_out_of_range_get_new_ids() {
    let file =
        old_database(&[(1, "ann@example.org", i64::MAX), (2, "bea@example.org", -4), (3, "cid@example.org", 5)]).await;
    let app = TestApp::new().await;
    run(&app, "user-api", read(&file).await).await;
    let made = tenants(&app).await;
    assert_eq!(made.len(), 4);
    assert!(made.iter().all(|(number, _)| (1..100).contains(number)), "{made:?}");
}

/// `customer` is a username like any other.
#[tokio::test]
async fn imported_customer_is_not_matched_with_a_user_of_its_name() {
    for users in [&[(1, "customer", 1)][..], &[(1, "ann@example.org", 1), (3, "customer", 3)]] {
        let file = old_database(users).await;
        let app = TestApp::new().await;
        let report = run(&app, "user-api", read(&file).await).await;
        assert_eq!((report.created, report.already_imported), (u64::try_from(users.len()).unwrap(), 0));
        let (number, name, _) = users.last().unwrap();
        assert_eq!(find_user(&app, name).await.id, *number);
        let again = run(&app, "user-api", read(&file).await).await;
        assert_eq!((again.created, again.already_imported, again.tenants.len()), (0, report.created, 0));
    }
}

/// Administrators of a single customer administer the installation, which a dry run reports.
#[tokio::test]
async fn import_dry_run_reports_customers_of_the_default_tenant() {
    let app = TestApp::new().await;
    run(&app, "user-api", read(&old_database(&[(5, "ann@example.org", 3)]).await).await).await;
    let file = old_database(&[(5, "ann@example.org", 3), (6, "admin", 3), (7, "bea@example.org", 4)]).await;
    let mut source = read(&file).await;
    source.rows[1].user.as_mut().unwrap().roles.push("admin".to_owned());
    let rehearsal = dry_run(Some(app.app.db.reader()), &app, "user-api", source).await;
    assert_eq!(
        (rehearsal.created, rehearsal.already_imported, rehearsal.administrators),
        (2, 1, vec!["admin".to_owned()])
    );
    assert_eq!(rehearsal.tenants, ["customer 4: would become tenant 4"]);
    run(&app, "user-api", read(&file).await).await;
    assert_eq!((find_user(&app, "admin").await.tenant_id, find_user(&app, "bea").await.tenant_id), (1, 4));
}

/// Records of earlier versions are recognized, and do not hide the user.
#[tokio::test]
async fn customers_of_earlier_import_versions_are_recognized() {
    let file = old_database(&[(1, "ann@example.org", 1), (3, "customer", 3)]).await;
    let app = TestApp::new().await;
    let now = accountd::clock::Clock::now(&*app.clock);
    let uid = uuid::Uuid::from_u128(3);
    let row = tenant::ActiveModel {
        id: Set(30),
        uid: Set(uid),
        name: Set("customer 3".to_owned()),
        created_at: Set(now.into()),
        ..Default::default()
    };
    row.insert(app.app.db.reader()).await.unwrap();
    let source = "41a3bcea99e9c15361d6c23285a4fabc52476b658d37e4a17ae038df5a10aed3".to_owned();
    let note = imported::ActiveModel { source: Set(source), uid: Set(uid), imported_at: Set(now.into()) };
    imported::Entity::insert(note).exec_without_returning(app.app.db.reader()).await.unwrap();
    let report = run(&app, "user-api", read(&file).await).await;
    assert_eq!((report.created, report.already_imported, report.tenants.len()), (2, 0, 1));
    assert_eq!(find_user(&app, "customer").await.tenant_id, 30);
}

/// Users imported into a disabled tenant are refused, like the others, until it is enabled.
#[tokio::test]
async fn imported_users_of_disabled_tenants_cannot_sign_in() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let first = old_database(&[(15, "ann@example.org", 5), (17, "bea@example.org", 7)]).await;
    run(&app, "user-api", read(&first).await).await;
    let uid = tenant::Entity::find_by_id(5).one(app.app.db.reader()).await.unwrap().unwrap().uid;
    let id = accountd::account::names::id::TenantId::from(uid).to_string();
    let set = async |status: &str| {
        let input = json!({ "tenantId": id, "status": status });
        root.mutate_ok("setTenantStatus", input, "tenant { status }").await;
    };
    set("DISABLED").await;
    let second =
        old_database(&[(15, "ann@example.org", 5), (17, "bea@example.org", 7), (19, "cid@example.org", 5)]).await;
    let rehearsal = dry_run(Some(app.app.db.reader()), &app, "user-api", read(&second).await).await;
    let report = run(&app, "user-api", read(&second).await).await;
    for report in [rehearsal, report] {
        assert_eq!((report.created, reported(&report.cannot_sign_in)), (1, vec![(19, "its tenant is disabled")]));
    }
    let refused = app.anonymous().login("cid@example.org", "password").await;
    assert_eq!(refused.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"));
    set("ACTIVE").await;
    app.login("cid@example.org", "password").await;
}
