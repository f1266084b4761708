//! Row ids, roles and batches of an import.

use accountd::account::import::{self, Report};
use entity::{audit_event, imported, role_permission, throttle};
use sea_orm::{EntityTrait, PaginatorTrait, QueryOrder};
use serde_json::{Value, json};

use super::{HASH_OF_ASDF, count, find_user, lines, reported, run};
use crate::support::{PASSWORD, TestApp};

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
        (2, format!("its id {ann} is taken: its new id is {cid}")),
        (3, format!("its id 7 is taken: its new id is {dan}")),
        (4, "its id is out of range".to_owned()),
        (5, "its id is out of range".to_owned()),
        (7, "its id is out of range".to_owned()),
    ];
    let expected: Vec<(u64, &str)> = expected.iter().map(|(row, text)| (*row, text.as_str())).collect();
    assert_eq!(reported(&report.remarks), expected);
    // New users get no row id that the import kept.
    for name in ["x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8"] {
        account_of(&app, name).await;
    }
    assert_eq!(count(&app).await, 16);
}

async fn account_of(app: &TestApp, name: &str) -> i64 {
    app.user(name).await;
    find_user(app, name).await.id
}

/// Z-5: roles without permissions are harmless, and new administrators are reported.
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

/// Q11: one record for each batch, without secrets.
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
