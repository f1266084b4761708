//! The table of the schema of the auth-service dialect: every root field and every field that is not for all.

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

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// What was asked for.
    Data,
    /// Nothing, and no error.
    Null,
    /// An error with this message, and nothing of what was asked for.
    Refused(&'static str),
    /// 401: the caller does not get in.
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
/// The old text ends like this.
const UPDATED: [Outcome; 6] = [Out, DENIED, DENIED, Data, Refused("not_found. "), Out];

/// One way to ask for a field.
struct Row {
    field: &'static str,
    query: Query,
    verdicts: [Outcome; 6],
}

fn global(kind: &str, id: &str) -> String {
    STANDARD.encode(format!("{kind}:{id}"))
}

fn ann(world: &Fixture) -> String {
    global("User", &world.ann.id)
}

fn node(world: &Fixture, selection: &str) -> String {
    format!("{{ node(id: \"{}\") {{ id ... on User {{ {selection} }} }} }}", ann(world))
}

fn rows() -> Vec<Row> {
    let row = |field, query, verdicts| Row { field, query, verdicts };
    vec![
        row("Query.node", |world, _, _| node(world, "username"), OWNER_ONLY),
        row(
            "Query.node",
            |world, _, _| format!("{{ node(id: \"{}\") {{ id }} }}", global("Role", &world.role)),
            ROLE_READERS,
        ),
        row("Query.users", |_, _, _| "{ users { edges { node { id username } } } }".to_owned(), HOLDERS),
        row("Query.roles", |_, _, _| "{ roles { edges { node { id name permissions } } } }".to_owned(), HOLDERS),
        row("User.active", |world, _, _| node(world, "active"), OWNER_ONLY),
        row("User.change_password", |world, _, _| node(world, "change_password"), OWNER_ONLY),
        row("User.role", |world, _, _| node(world, "role { name }"), OWNER_ONLY),
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
            |world, _, _| {
                let input = format!("id: \"{}\", change_password: true", ann(world));
                format!("mutation {{ update_user(input: {{ {input} }}) {{ user {{ id username }} }} }}")
            },
            UPDATED,
        ),
        row(
            "Mutation.delete_user",
            |world, _, _| format!("mutation {{ delete_user(input: {{ id: \"{}\" }}) {{ ok }} }}", ann(world)),
            ON_A_USER,
        ),
        row(
            "Mutation.reset_password",
            |world, _, _| format!("mutation {{ reset_password(input: {{ id: \"{}\" }}) {{ password }} }}", ann(world)),
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

/// Writes the request of an actor.
pub type Query = fn(&Fixture, ActorKind, &Actor) -> String;

/// What is sent for each mutation.
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
        Some(_) if is_there => panic!("an error beside data: {json}"),
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
        // What a role is can be seen by those who see the role.
        if matches!(name, "Query" | "Mutation" | "User") {
            fields.extend(object.fields.iter().map(|field| format!("{name}.{}", field.node.name.node)));
        }
    }
    // By them users are told apart wherever they can be seen.
    fields.retain(|field| !matches!(field.as_str(), "User.id" | "User.username"));
    assert_eq!(fields, rows().iter().map(|row| row.field.to_owned()).collect());
}

#[tokio::test]
async fn auth_service_fields_grant_access_as_the_table_says() {
    let mut wrong = Vec::new();
    let reading = Fixture::new().await;
    for row in rows() {
        let own = if row.field.starts_with("Mutation.") { Some(Fixture::new().await) } else { None };
        let world = own.as_ref().unwrap_or(&reading);
        for who in COLUMN_ORDER {
            let verdict = row.verdicts[ACTORS.iter().position(|actor| *actor == who).unwrap()];
            let actor = world.actor(who);
            let before = world.rows().await;
            let answer = send_query(&actor, &(row.query)(world, who, &actor)).await;
            if outcome_of(&answer) != verdict {
                wrong.push(format!("{} for {who:?}: {verdict:?} was expected, but {}", row.field, answer.text));
            }
            if verdict != Data && world.rows().await != before {
                wrong.push(format!("{} for {who:?} was refused and changed something", row.field));
            }
            if !matches!(who, ActorKind::Owner | ActorKind::Admin) && answer.text.contains(&ann(world)) {
                wrong.push(format!("{} tells {who:?} of the owner: {}", row.field, answer.text));
            }
        }
        let mistakes = world.wrongly_accepted().await;
        wrong.extend(mistakes.into_iter().map(|mistake| format!("after {}: {mistake}", row.field)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A user who was reached by another way than reading users shows these fields to nobody.
#[tokio::test]
async fn auth_service_guards_fields_in_payloads() {
    let world = Fixture::new().await;
    let writer = world.holder("writer", &["USERS_WRITE"]).await;
    for selection in ["active", "change_password", "role { name }"] {
        let query = format!(
            "mutation {{ update_user(input: {{ id: \"{}\", change_password: false }}) {{ user {{ {selection} }} }} }}",
            ann(&world)
        );
        let json = send_query(&writer, &query).await.json();
        assert_eq!(json["errors"][0]["message"], "unauthorized", "{json}");
        let shown = json["data"]["update_user"]["user"].as_object().unwrap().values().all(Value::is_null);
        assert!(shown, "{json}");
    }
}
