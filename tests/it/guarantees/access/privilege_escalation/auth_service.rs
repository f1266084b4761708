//! The schema of the auth-service dialect on a more privileged user.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::json;

use super::{CallerKind, Target};
use crate::guarantees::access::actors::ActorKind;
use crate::guarantees::access::flask_auth_service_mongo;

/// By mutation of the auth-service dialect: the message of the refusal, if any, in the same columns.
fn auth_service_mutations() -> BTreeMap<&'static str, [Option<&'static str>; 2]> {
    let denied = Some("unauthorized");
    [
        ("create_user", [None, None]),
        ("update_user", [denied, denied]),
        ("delete_user", [denied, denied]),
        ("reset_password", [denied, Some("userId: change your own password with updatePassword")]),
        ("update_password", [None, denied]),
        ("refresh_token", [None, Some("invalid_token. ")]),
    ]
    .into()
}

#[tokio::test]
async fn auth_service_mutation_on_more_privileged_user_is_refused() {
    let table = auth_service_mutations();
    let mut wrong = Vec::new();
    let mut listed = BTreeSet::new();
    for (field, query) in flask_auth_service_mongo::mutations() {
        let name = field.trim_start_matches("Mutation.");
        listed.insert(name);
        for (column, message) in [CallerKind::StrongerTarget, CallerKind::OwnAccount].into_iter().zip(table[name]) {
            let target = Target::new().await;
            let actor = target.actor(column);
            let own = flask_auth_service_mongo::global_user(&target.fixture.ann.id);
            let query = query(&target.fixture, ActorKind::User, actor)
                .replace(&own, &flask_auth_service_mongo::global_user(&target.fixture.actor(ActorKind::Admin).id));
            let before = target.fixture.rows().await;
            let answer = actor.json(Method::POST, "/app/graphql", &json!({ "query": query })).await;
            if answer.json()["errors"][0]["message"].as_str() != message {
                wrong.push(format!("{name} for {column:?}: {message:?} was expected, but {}", answer.text));
            }
            if message.is_some() && target.fixture.rows().await != before {
                wrong.push(format!("{name} for {column:?} was refused and changed something"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(listed, table.keys().copied().collect());
}
