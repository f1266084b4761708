//! Changes of roles and tenants that race with each other.

use accountd::store::{TenantScope, roles, tenants};
use serde_json::json;

use crate::support::TestApp;
use crate::support::lock_wait::until_blocked;
use crate::support::source_files::rust_files;
use crate::support::statement_transaction::StatementTransaction;

/// A role that is renamed while it is saved by its name is not changed.
#[tokio::test(flavor = "multi_thread")]
async fn role_saved_by_name_is_not_one_renamed_meanwhile() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let input = json!({ "name": "editor", "permissions": ["USERS_READ"] });
    root.mutate_ok("saveRole", input, "role { id }").await;
    let tx = StatementTransaction(app.app.db.begin().await.unwrap());
    let (row, _) = roles::list_by_name(&tx, &["editor".to_owned()]).await.unwrap().remove(0);
    roles::update_name(&tx, row.id, "author", "author").await.unwrap();
    let saving = tokio::spawn(async move {
        let input = json!({ "name": "editor", "permissions": ["USERS_WRITE"] });
        root.mutate_retrying("saveRole", input, "role { name } errors { code }").await
    });
    until_blocked(&app, &saving).await;
    tx.0.commit().await.unwrap();
    let answer = saving.await.unwrap();
    // Where the change waits before it reads, there is no role of this name any more, and it creates one.
    let created = answer.payload_error("saveRole").is_none();
    assert!(created || answer.payload_error("saveRole").as_deref() == Some("CONFLICT"), "{}", answer.text);
    let db = app.app.db.reader();
    let (_, permissions) = roles::list_by_name(db, &["author".to_owned()]).await.unwrap().remove(0);
    assert_eq!(permissions.iter().map(|row| row.permission.as_str()).collect::<Vec<_>>(), ["USERS_READ"]);
}

/// A tenant that is deleted while it is renamed is missing, not renamed.
#[tokio::test(flavor = "multi_thread")]
async fn tenant_deleted_meanwhile_is_not_renamed() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let saved = root.mutate_ok("saveTenant", json!({ "name": "acme" }), "tenant { id }").await;
    let id = saved["tenant"]["id"].clone();
    let tx = StatementTransaction(app.app.db.begin().await.unwrap());
    let count = tenants::count(&tx, TenantScope::AllTenants).await.unwrap();
    let row = tenants::list_by_id(&tx, (1..10).collect()).await.unwrap().into_iter().find(|row| row.name == "acme");
    tenants::delete(&tx, &row.unwrap()).await.unwrap();
    let saving = tokio::spawn(async move {
        let input = json!({ "tenantId": id, "name": "apex" });
        root.mutate_retrying("saveTenant", input, "tenant { name } errors { code }").await
    });
    until_blocked(&app, &saving).await;
    tx.0.commit().await.unwrap();
    assert_eq!(saving.await.unwrap().payload_error("saveTenant").as_deref(), Some("NOT_FOUND"));
    assert_eq!(tenants::count(app.app.db.reader(), TenantScope::AllTenants).await.unwrap(), count - 1);
}

/// Use cases that assign roles lock the built-in roles before the caller's row; otherwise two of one caller deadlock.
#[test]
fn role_assignments_lock_in_one_order() {
    // Without a caller.
    let exceptions = ["src/account/operator/bootstrap.rs"];
    let mut found = 0;
    for file in rust_files(&["src/account"]) {
        let code = file.code();
        for body in code.split("async fn ").skip(1) {
            let assigns = body.contains("roles::insert_of_user(") || body.contains("roles::replace_of_user(");
            if assigns && !exceptions.contains(&file.path.as_str()) {
                assert!(body.contains(".write_admins_as("), "{}: {}", file.path, body.lines().next().unwrap());
                found += 1;
            }
        }
    }
    assert_eq!(found, 3);
}
