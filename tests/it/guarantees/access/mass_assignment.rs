//! Mass assignment: an input accepts only its own fields (Z-3).

use serde_json::{Value, json};

use super::actors::{ActorKind, Fixture};
use super::fields::rows;
use super::outcome::codes;
use crate::support::PASSWORD;
use crate::support::schema_inputs::{base_type, schema_inputs};

/// Fields that an attacker would set.
const ASSIGNED_FIELDS: [&str; 14] = [
    "role",
    "roles",
    "isAdmin",
    "admin",
    "permissions",
    "id",
    "uid",
    "userId",
    "tenantId",
    "status",
    "emailVerified",
    "passwordHash",
    "createdAt",
    "version",
];

#[tokio::test]
async fn unknown_input_fields_in_variables_are_refused() {
    let schema = schema_inputs();
    let fixture = Fixture::new().await;
    let before = fixture.rows().await;
    let mut tried = 0;
    for row in rows() {
        let Some(arguments) = schema.root_fields.get(row.field).filter(|_| row.field.starts_with("Mutation.")) else {
            continue;
        };
        let own = &schema.objects[base_type(&arguments[0].1)];
        for who in [ActorKind::User, ActorKind::Admin] {
            let actor = fixture.actor(who);
            for name in ASSIGNED_FIELDS.iter().chain(&["username ", "Username"]) {
                if own.iter().any(|(member, _)| member == name) {
                    continue;
                }
                let mut variables = (row.variables)(&fixture, who, &actor);
                variables["input"][*name] = json!("admin");
                let answer = row.send(&actor, variables).await;
                assert_eq!(answer.code().as_deref(), Some("BAD_USER_INPUT"), "{} {name}", row.field);
                assert!(answer.json().get("data").is_none(), "{} {name}: {}", row.field, answer.text);
                tried += 1;
            }
        }
        assert_eq!(fixture.rows().await, before, "{} changed something", row.field);
    }
    assert!(tried > 200, "{tried}");
}

#[tokio::test]
async fn unknown_input_fields_in_literals_are_refused() {
    let fixture = Fixture::new().await;
    let before = fixture.rows().await;
    let bob = fixture.actor(ActorKind::User);
    for name in ASSIGNED_FIELDS {
        for query in [
            format!(
                "mutation {{ register(input: {{ username: \"new\", password: \"{PASSWORD}\", {name}: \"x\" }}) {{ status }} }}"
            ),
            format!(
                "mutation {{ updateProfile(input: {{ displayName: \"New\", {name}: \"x\" }}) {{ user {{ id }} }} }}"
            ),
            format!(
                "mutation {{ updateProfile(input: {{ displayName: \"New\" }}, {name}: \"x\") {{ user {{ id }} }} }}"
            ),
        ] {
            let answer = bob.send(&query, json!({})).await;
            assert_eq!(codes(&answer.json()).first(), Some(&"GRAPHQL_VALIDATION_FAILED"), "{query}: {}", answer.text);
        }
    }
    assert_eq!(fixture.rows().await, before);
}

/// Members beside the query and its variables are ignored.
#[tokio::test]
async fn unknown_members_of_the_request_body_are_ignored() {
    let fixture = Fixture::new().await;
    let bob = fixture.actor(ActorKind::User);
    let mut body = json!({
        "query": "mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) {
            user { displayName roles status email }
        } }",
        "variables": { "input": { "displayName": "New" }, "roles": ["admin"], "tenantId": 2 },
    });
    for name in ASSIGNED_FIELDS {
        body[name] = json!(["admin"]);
    }
    let answer = bob.json(axum::http::Method::POST, "/graphql", &body).await;
    let expected: Value = json!({ "displayName": "New", "roles": [], "status": "ACTIVE", "email": null });
    assert_eq!(answer.data()["updateProfile"]["user"], expected);
}
