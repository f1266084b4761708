//! Recovery: after a restore, sessions and tokens that ended since the backup stay refused.

use accountd::account::authentication::session_end::ApiTokenSelection;
use accountd::account::operator::recovery::{RecoveryResult, end_all_sessions};
use entity::{audit_event, revoked_token};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::database::{TestDatabase, backend};
use crate::support::process::{Process, program};
use crate::support::{PASSWORD, TestApp};

/// S20
#[tokio::test]
async fn recovery_ends_all_sessions() {
    let app = TestApp::new().await;
    let (ann, root) = (app.user("ann").await, app.admin("root").await);
    let (_, program) = ann.api_token(&[]).await;
    let over = app.login("ann", PASSWORD).await;
    over.mutate_ok("logout", json!({}), "ok").await;
    let ended = end_all_sessions(&app.app, ApiTokenSelection::FromLogin).await.unwrap();
    assert_eq!(ended, RecoveryResult { sessions: 2, api_tokens: 0 });
    for actor in [&ann, &root] {
        assert_eq!(actor.me_reason().await.as_deref(), Some("SESSION_ENDED"));
        let refreshed = actor.refresh(actor.refresh_token.as_deref().unwrap()).await;
        assert_eq!(refreshed.payload_error("refresh").as_deref(), Some("SESSION_ENDED"));
    }
    assert_eq!(program.me_code().await, None, "API tokens stay unless requested");
    let db = app.app.db.reader();
    assert_eq!(
        revoked_token::Entity::find().count(db).await.unwrap(),
        3,
        "listed for services that verify tokens themselves"
    );

    let ann = app.login("ann", PASSWORD).await;
    assert_eq!(ann.me_code().await, None, "a login with the password still works");
    let ended = end_all_sessions(&app.app, ApiTokenSelection::All).await.unwrap();
    assert_eq!(ended, RecoveryResult { sessions: 1, api_tokens: 1 });
    assert_eq!(program.me_code().await.as_deref(), Some("UNAUTHENTICATED"));
    let records = audit_event::Entity::find().filter(audit_event::Column::Action.eq("sessions.endAll")).all(db).await;
    let details: Vec<Option<String>> = records.unwrap().into_iter().map(|record| record.details).collect();
    let expected = [r#"{"apiTokens":0,"sessions":2}"#, r#"{"apiTokens":1,"sessions":1}"#];
    assert_eq!(details, expected.map(|text| Some(text.to_owned())));
}

/// S20: more sessions than one batch has, while others are opened.
#[tokio::test]
async fn recovery_ends_more_than_one_batch_of_sessions() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let db = app.app.db.writer();
    let like = entity::session::Entity::find().one(db).await.unwrap().unwrap();
    let rows = (1..=1_500u128).map(|number| entity::session::ActiveModel {
        id: sea_orm::NotSet,
        uid: sea_orm::Set(sea_orm::prelude::Uuid::from_u128(number)),
        ..like.clone().into()
    });
    entity::session::Entity::insert_many(rows).exec_without_returning(db).await.unwrap();
    assert_eq!(end_all_sessions(&app.app, ApiTokenSelection::FromLogin).await.unwrap().sessions, 1_501);
    assert_eq!(ann.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(end_all_sessions(&app.app, ApiTokenSelection::FromLogin).await.unwrap().sessions, 0);
}

/// S20: with the built program and a copy of the database, as in the operations page.
#[tokio::test]
async fn recovery_of_a_restored_backup_is_one_command() {
    if backend() != DbBackend::Sqlite {
        return;
    }
    let server = Process::start(TestDatabase::migrated().await, &[]);
    let register = "mutation ($p: String!) { register(input: { username: \"ann\", password: $p }) {
        tokens { accessToken } } }";
    let made = server.graphql("", register, json!({ "p": PASSWORD }));
    let token = made["data"]["register"]["tokens"]["accessToken"].as_str().unwrap().to_owned();
    let (file, copy) = {
        let directory = &server.database().directory;
        (directory.join("accountd.db"), directory.join("backup.db"))
    };
    let db = accountd::database::Database::connect(&server.database().config()).await.unwrap();
    db.writer().execute_unprepared(&format!("VACUUM INTO '{}'", copy.display())).await.unwrap();
    db.close().await.unwrap();
    let out = server.graphql(&token, "mutation { logout { ok } }", json!({}));
    assert_eq!(out["data"]["logout"]["ok"], true, "{out}");
    let reason = |server: &Process| -> Value {
        server.graphql(&token, "{ me { id } }", json!({}))["errors"][0]["extensions"]["reason"].clone()
    };
    assert_eq!(reason(&server), "SESSION_ENDED");

    let (_, database) = server.stop_keeping_database();
    let database = database.unwrap();
    std::fs::rename(copy, file).unwrap();
    let ended = program(&database).args(["admin", "end-all-sessions"]).output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(String::from_utf8(ended.stdout).unwrap(), "1 sessions ended, 0 API tokens revoked\n");
    let server = Process::start(database, &[]);
    assert_eq!(reason(&server), "SESSION_ENDED");
    server.stop();
}
