//! Logins of a disabled tenant, by every route.

use serde_json::json;

use super::dialect_rows;
use crate::guarantees::access::actors::{ActorKind, Fixture};
use crate::support::PASSWORD;

/// No user of a disabled tenant logs in by any route: each login route of the dialects, and GraphQL.
#[tokio::test]
async fn user_of_disabled_tenant_cannot_log_in_by_any_route() {
    use entity::{tenant, user};
    use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};

    let fixture = Fixture::new().await;
    let db = fixture.app.app.db.writer();
    let spare = tenant::Entity::find().filter(tenant::Column::Name.eq("spare")).one(db).await.unwrap().unwrap();
    let eve = user::Entity::find().filter(user::Column::UsernameKey.eq("eve")).one(db).await.unwrap().unwrap();
    user::ActiveModel { id: Set(eve.id), tenant_id: Set(spare.id), ..Default::default() }.update(db).await.unwrap();
    let root = fixture.actor(ActorKind::Admin);
    let anonymous = fixture.app.anonymous();
    let statuses = async || {
        let mut statuses = Vec::new();
        for row in dialect_rows() {
            let names_eve =
                (row.body)(ActorKind::Anonymous, &anonymous).to_string().contains("eve") || !(row.headers)().is_empty();
            if row.route.starts_with("POST ") && row.route.ends_with("/login") && names_eve {
                let answer = row.send(row.path(), ActorKind::Anonymous, &anonymous, |body| body).await;
                statuses.push((row.route, answer.status.as_u16()));
            }
        }
        let answer = anonymous.login("eve", PASSWORD).await;
        statuses.push(("GraphQL".to_owned(), if answer.payload_error("login").is_none() { 200 } else { 401 }));
        statuses
    };
    let before = statuses().await;
    assert_eq!(before.len(), 7, "{before:?}");
    assert!(before.iter().all(|(_, status)| *status == 200), "{before:?}");
    let input = json!({ "tenantId": fixture.spare, "status": "DISABLED" });
    root.mutate_ok("setTenantStatus", input, "tenant { id }").await;
    let rows = fixture.rows().await;
    let after = statuses().await;
    assert!(after.iter().all(|(_, status)| matches!(status, 400 | 401)), "{after:?}");
    assert_eq!(fixture.rows().await, rows, "no route granted access");
}
