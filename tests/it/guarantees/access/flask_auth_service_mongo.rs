//! The access table of the auth-service schema: every root field and every restricted field.

use std::collections::BTreeSet;

use accountd::dialects::flask_auth_service_mongo::schema::sdl;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::COLUMN_ORDER;
use super::actors::{ACTORS, ActorKind, Fixture};
use crate::support::{Actor, PASSWORD, TestResponse};

/// The outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The requested data.
    Data,
    /// Null without error.
    Null,
    /// An error with this message, and no requested data.
    Refused(&'static str),
    /// 401: the caller is not authenticated.
    Out,
}

use Outcome::{Data, Null, Out, Refused};

const DENIED: Outcome = Refused("unauthorized");

// anonymous, user, owner, admin, admin of another tenant, disabled user
const SIGNED_IN: [Outcome; 6] = [Out, Data, Data, Data, Data, Out];
const HOLDERS: [Outcome; 6] = [Out, DENIED, DENIED, Data, Data, Out];
const OWNER_ONLY: [Outcome; 6] = [Out, Null, Data, Data, Null, Out];
const ROLE_READERS: [Outcome; 6] = [Out, Null, Null, Data, Data, Out];
const ON_A_USER: [Outcome; 6] = [Out, DENIED, DENIED, Data, Refused("not_found"), Out];
/// The recorded text ends like this.
const UPDATED: [Outcome; 6] = [Out, DENIED, DENIED, Data, Refused("not_found. "), Out];

/// One way to request a field.
struct Row {
    field: &'static str,
    query: Query,
    verdicts: [Outcome; 6],
}

fn global(kind: &str, id: &str) -> String {
    STANDARD.encode(format!("{kind}:{id}"))
}

fn ann(fixture: &Fixture) -> String {
    global("User", &fixture.ann.id)
}

fn node(fixture: &Fixture, selection: &str) -> String {
    format!("{{ node(id: \"{}\") {{ id ... on User {{ {selection} }} }} }}", ann(fixture))
}

fn rows() -> Vec<Row> {
    let row = |field, query, verdicts| Row { field, query, verdicts };
    vec![
        row("Query.node", |fixture, _, _| node(fixture, "username"), OWNER_ONLY),
        row(
            "Query.node",
            |fixture, _, _| format!("{{ node(id: \"{}\") {{ id }} }}", global("Role", &fixture.role)),
            ROLE_READERS,
        ),
        row("Query.users", |_, _, _| "{ users { edges { node { id username } } } }".to_owned(), HOLDERS),
        row("Query.roles", |_, _, _| "{ roles { edges { node { id name permissions } } } }".to_owned(), HOLDERS),
        row("User.active", |fixture, _, _| node(fixture, "active"), OWNER_ONLY),
        row("User.change_password", |fixture, _, _| node(fixture, "change_password"), OWNER_ONLY),
        row("User.role", |fixture, _, _| node(fixture, "role { name }"), OWNER_ONLY),
        row(
            "Mutation.create_user",
            |_, who, _| {
                format!(
                    "mutation {{ create_user(input: {{ username: \"new-{who:?}\", password: \"{PASSWORD}\", \
                     password_confirmed: \"{PASSWORD}\", role: \"clerks\" }}) {{ user {{ id }} }} }}"
                )
            },
            HOLDERS,
        ),
        row(
            "Mutation.update_user",
            |fixture, _, _| {
                let input = format!("id: \"{}\", change_password: true", ann(fixture));
                format!("mutation {{ update_user(input: {{ {input} }}) {{ user {{ id username }} }} }}")
            },
            UPDATED,
        ),
        row(
            "Mutation.delete_user",
            |fixture, _, _| format!("mutation {{ delete_user(input: {{ id: \"{}\" }}) {{ ok }} }}", ann(fixture)),
            ON_A_USER,
        ),
        row(
            "Mutation.reset_password",
            |fixture, _, _| {
                format!("mutation {{ reset_password(input: {{ id: \"{}\" }}) {{ password }} }}", ann(fixture))
            },
            ON_A_USER,
        ),
        row(
            "Mutation.update_password",
            |_, _, _| {
                let new = "another-horse-battery-8";
                format!(
                    "mutation {{ update_password(input: {{ current_password: \"{PASSWORD}\", new_password: \"{new}\", \
                     password_confirmed: \"{new}\" }}) {{ ok }} }}"
                )
            },
            SIGNED_IN,
        ),
        row(
            "Mutation.refresh_token",
            |_, _, actor| {
                let token = actor.refresh_token.as_deref().unwrap_or("none");
                format!("mutation {{ refresh_token(input: {{ refresh_token: \"{token}\" }}) {{ access_token }} }}")
            },
            SIGNED_IN,
        ),
    ]
}

/// Builds the request of an actor.
pub type Query = fn(&Fixture, ActorKind, &Actor) -> String;

/// The request for each mutation.
pub fn mutations() -> Vec<(&'static str, Query)> {
    let rows = rows().into_iter().filter(|row| row.field.starts_with("Mutation."));
    rows.map(|row| (row.field, row.query)).collect()
}

/// The global id of a user.
pub fn global_user(id: &str) -> String {
    global("User", id)
}

async fn send_query(actor: &Actor, query: &str) -> TestResponse {
    actor.json(Method::POST, "/app/graphql", &json!({ "query": query })).await
}

fn outcome_of(answer: &TestResponse) -> Outcome {
    let json = answer.json();
    if answer.status == 401 && json == json!({ "message": "unauthorized" }) {
        return Out;
    }
    assert_eq!(answer.status, 200, "{json}");
    let is_there = json["data"].as_object().unwrap().values().any(|value| !value.is_null());
    match json["errors"][0]["message"].as_str() {
        None if is_there => Data,
        None => Null,
        Some(_) if is_there => panic!("error beside data: {json}"),
        Some("unauthorized") => DENIED,
        Some("not_found") => Refused("not_found"),
        Some("not_found. ") => Refused("not_found. "),
        Some(other) => panic!("{other}"),
    }
}

#[test]
fn auth_service_access_table_lists_every_field() {
    let mut fields = BTreeSet::new();
    for definition in parse_schema(sdl()).unwrap().definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node.as_str();
        let TypeKind::Object(object) = &definition.node.kind else { continue };
        // Fields of a role are visible to everyone who sees the role.
        if matches!(name, "Query" | "Mutation" | "User") {
            fields.extend(object.fields.iter().map(|field| format!("{name}.{}", field.node.name.node)));
        }
    }
    // These identify users wherever users are visible.
    fields.retain(|field| !matches!(field.as_str(), "User.id" | "User.username"));
    assert_eq!(fields, rows().iter().map(|row| row.field.to_owned()).collect());
}

#[tokio::test]
async fn auth_service_fields_grant_access_as_the_table_says() {
    let mut wrong = Vec::new();
    let reading = Fixture::new().await;
    for row in rows() {
        let own = if row.field.starts_with("Mutation.") { Some(Fixture::new().await) } else { None };
        let fixture = own.as_ref().unwrap_or(&reading);
        for who in COLUMN_ORDER {
            let verdict = row.verdicts[ACTORS.iter().position(|actor| *actor == who).unwrap()];
            let actor = fixture.actor(who);
            let before = fixture.rows().await;
            let answer = send_query(&actor, &(row.query)(fixture, who, &actor)).await;
            if outcome_of(&answer) != verdict {
                wrong.push(format!("{} for {who:?}: {verdict:?} was expected, but {}", row.field, answer.text));
            }
            if verdict != Data && fixture.rows().await != before {
                wrong.push(format!("{} for {who:?} was refused and changed something", row.field));
            }
            if !matches!(who, ActorKind::Owner | ActorKind::Admin) && answer.text.contains(&ann(fixture)) {
                wrong.push(format!("{} reveals the owner to {who:?}: {}", row.field, answer.text));
            }
        }
        let mistakes = fixture.wrongly_accepted().await;
        wrong.extend(mistakes.into_iter().map(|mistake| format!("after {}: {mistake}", row.field)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A user that was not reached by reading users hides these fields from every caller.
#[tokio::test]
async fn auth_service_guards_fields_in_payloads() {
    let fixture = Fixture::new().await;
    let writer = fixture.holder("writer", &["USERS_WRITE"]).await;
    for selection in ["active", "change_password", "role { name }"] {
        let query = format!(
            "mutation {{ update_user(input: {{ id: \"{}\", change_password: false }}) {{ user {{ {selection} }} }} }}",
            ann(&fixture)
        );
        let json = send_query(&writer, &query).await.json();
        assert_eq!(json["errors"][0]["message"], "unauthorized", "{json}");
        let shown = json["data"]["update_user"]["user"].as_object().unwrap().values().all(Value::is_null);
        assert!(shown, "{json}");
    }
}
