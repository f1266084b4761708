//! Changes of an API token: the owner makes all of them, others only restricting ones.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::FORBIDDEN;
use crate::guarantees::access::actors::{ActorKind, Fixture};
use crate::guarantees::access::outcome::Outcome::{Data, Refused};
use crate::support::schema_inputs::schema_inputs;

/// By field of `UpdateApiTokenInput`: whether the change restricts the token.
fn token_changes() -> Vec<(&'static str, Value, bool)> {
    vec![
        ("name", json!("other"), false),
        ("note", json!("other"), false),
        ("enabled", json!(false), true),
        ("enabled", json!(true), false),
        ("permissions", json!([]), false),
        ("scopes", json!(["prod/admin"]), false),
        ("expiresIn", json!(60), true),
        ("expiresIn", json!(7_200), false),
        ("expiresIn", json!(null), false),
        // The expected version only.
        ("version", json!(0), true),
    ]
}

#[tokio::test]
async fn only_the_owner_extends_an_api_token() {
    let fields: BTreeSet<String> =
        schema_inputs().objects["UpdateApiTokenInput"].iter().map(|(name, _)| name.clone()).collect();
    let listed = token_changes().into_iter().map(|(field, ..)| field.to_owned()).chain(["apiTokenId".to_owned()]);
    assert_eq!(fields, listed.collect(), "the table lists every field");

    let mut wrong = Vec::new();
    let fixture = Fixture::new().await;
    let owner = fixture.holder("owner", &["SESSIONS_REVOKE", "USERS_READ"]).await;
    let below = fixture.holder("below", &["SESSIONS_REVOKE"]).await;
    let above = fixture.actor(ActorKind::Admin);
    for (field, value, takes_away) in token_changes() {
        for who in ["owner", "itself", "itself without permissions", "below", "above"] {
            let permissions = if who == "itself" { ["SESSIONS_REVOKE", "USERS_READ"].as_slice() } else { &[] };
            let input = json!({ "name": "robot", "permissions": permissions, "expiresIn": 3_600 });
            let made = owner.mutate_ok("createApiToken", input, "apiToken { id } token").await;
            let program = owner.with_token(made["token"].as_str().unwrap());
            // Token use is recorded once a minute.
            assert_eq!(program.me_code().await, None);
            let (actor, verdict) = match who {
                "owner" => (&owner, Data),
                "itself" => (&program, if takes_away { Data } else { FORBIDDEN }),
                "itself without permissions" => (&program, Refused("NOT_FOUND")),
                "below" => (&below, FORBIDDEN),
                _ => (&above, if takes_away { Data } else { FORBIDDEN }),
            };
            let mut input = json!({ "apiTokenId": made["apiToken"]["id"] });
            input[field] = value.clone();
            let before = fixture.rows().await;
            let answer = actor.mutate("updateApiToken", input, "apiToken { id } errors { code }").await;
            if let Err(found) = verdict.check(&answer, "/updateApiToken/apiToken") {
                wrong.push(format!("{field} {value} by {who}: {verdict:?} was expected, but {found}"));
            }
            if verdict != Data && fixture.rows().await != before {
                wrong.push(format!("{field} {value} by {who} was refused and changed something"));
            }
            owner.mutate_ok("revokeApiToken", json!({ "apiTokenId": made["apiToken"]["id"] }), "apiToken { id }").await;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A disabled token of an administrator stays disabled, whatever else changes with it.
#[tokio::test]
async fn api_token_change_that_extends_and_restricts_needs_the_owner() {
    let fixture = Fixture::new().await;
    let (root, ann) = (fixture.actor(ActorKind::Admin), &fixture.ann);
    let id = &fixture.ann_token.0;
    root.mutate_ok("updateApiToken", json!({ "apiTokenId": id, "enabled": false }), "apiToken { id }").await;
    for change in [json!({ "enabled": true }), json!({ "expiresIn": 60, "scopes": ["prod/admin"] })] {
        let mut input = change;
        input["apiTokenId"] = json!(id);
        let answer = root.mutate("updateApiToken", input, "errors { code }").await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"), "{}", answer.text);
    }
    ann.mutate_ok("updateApiToken", json!({ "apiTokenId": id, "enabled": true }), "apiToken { id }").await;
}
