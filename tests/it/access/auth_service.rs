//! The table of the schema of the auth-service dialect: every root field and every field that is not for all.

use std::collections::BTreeSet;

use accountd::graphql::auth_service::sdl;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::ORDER;
use super::world::{ACTORS, Who, World};
use crate::support::{Actor, Answer, PASSWORD};

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// What was asked for.
    Data,
    /// Nothing, and no error.
    Null,
    /// An error with this message, and nothing of what was asked for.
    Refused(&'static str),
    /// 401: the caller does not get in.
    Out,
}

use Verdict::{Data, Null, Out, Refused};

const DENIED: Verdict = Refused("unauthorized");

// anonymous, user, owner, admin, admin of another tenant, disabled user
const SIGNED_IN: [Verdict; 6] = [Out, Data, Data, Data, Data, Out];
const HOLDERS: [Verdict; 6] = [Out, DENIED, DENIED, Data, Data, Out];
const OWN: [Verdict; 6] = [Out, Null, Data, Data, Null, Out];
const OF_ROLES: [Verdict; 6] = [Out, Null, Null, Data, Data, Out];
const ON_A_USER: [Verdict; 6] = [Out, DENIED, DENIED, Data, Refused("not_found"), Out];
/// The old text ends like this.
const UPDATED: [Verdict; 6] = [Out, DENIED, DENIED, Data, Refused("not_found. "), Out];

/// One way to ask for a field.
struct Row {
    field: &'static str,
    query: Query,
    verdicts: [Verdict; 6],
}

fn global(kind: &str, id: &str) -> String {
    STANDARD.encode(format!("{kind}:{id}"))
}

fn ann(world: &World) -> String {
    global("User", &world.ann.id)
}

fn node(world: &World, selection: &str) -> String {
    format!("{{ node(id: \"{}\") {{ id ... on User {{ {selection} }} }} }}", ann(world))
}

fn rows() -> Vec<Row> {
    let row = |field, query, verdicts| Row { field, query, verdicts };
    vec![
        row("Query.node", |world, _, _| node(world, "username"), OWN),
        row(
            "Query.node",
            |world, _, _| format!("{{ node(id: \"{}\") {{ id }} }}", global("Role", &world.role)),
            OF_ROLES,
        ),
        row("Query.users", |_, _, _| "{ users { edges { node { id username } } } }".to_owned(), HOLDERS),
        row("Query.roles", |_, _, _| "{ roles { edges { node { id name permissions } } } }".to_owned(), HOLDERS),
        row("User.active", |world, _, _| node(world, "active"), OWN),
        row("User.change_password", |world, _, _| node(world, "change_password"), OWN),
        row("User.role", |world, _, _| node(world, "role { name }"), OWN),
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
pub type Query = fn(&World, Who, &Actor) -> String;

/// What is sent for each mutation.
pub fn mutations() -> Vec<(&'static str, Query)> {
    let rows = rows().into_iter().filter(|row| row.field.starts_with("Mutation."));
    rows.map(|row| (row.field, row.query)).collect()
}

/// The global id of a user.
pub fn global_user(id: &str) -> String {
    global("User", id)
}

async fn ask(actor: &Actor, query: &str) -> Answer {
    actor.json(Method::POST, "/app/graphql", &json!({ "query": query })).await
}

fn found(answer: &Answer) -> Verdict {
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
fn the_table_lists_what_the_schema_has() {
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
async fn everybody_gets_what_the_table_says() {
    let mut wrong = Vec::new();
    let reading = World::new().await;
    for row in rows() {
        let own = if row.field.starts_with("Mutation.") { Some(World::new().await) } else { None };
        let world = own.as_ref().unwrap_or(&reading);
        for who in ORDER {
            let verdict = row.verdicts[ACTORS.iter().position(|actor| *actor == who).unwrap()];
            let actor = world.actor(who);
            let before = world.rows().await;
            let answer = ask(&actor, &(row.query)(world, who, &actor)).await;
            if found(&answer) != verdict {
                wrong.push(format!("{} for {who:?}: {verdict:?} was expected, but {}", row.field, answer.text));
            }
            if verdict != Data && world.rows().await != before {
                wrong.push(format!("{} for {who:?} was refused and changed something", row.field));
            }
            if !matches!(who, Who::Owner | Who::Admin) && answer.text.contains(&ann(world)) {
                wrong.push(format!("{} tells {who:?} of the owner: {}", row.field, answer.text));
            }
        }
        let mistakes = world.accepted_by_mistake().await;
        wrong.extend(mistakes.into_iter().map(|mistake| format!("after {}: {mistake}", row.field)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A user who was reached by another way than reading users shows these fields to nobody.
#[tokio::test]
async fn guarded_fields_stay_closed_in_payloads() {
    let world = World::new().await;
    let writer = world.holder("writer", &["USERS_WRITE"]).await;
    for selection in ["active", "change_password", "role { name }"] {
        let query = format!(
            "mutation {{ update_user(input: {{ id: \"{}\", change_password: false }}) {{ user {{ {selection} }} }} }}",
            ann(&world)
        );
        let json = ask(&writer, &query).await.json();
        assert_eq!(json["errors"][0]["message"], "unauthorized", "{json}");
        let shown = json["data"]["update_user"]["user"].as_object().unwrap().values().all(Value::is_null);
        assert!(shown, "{json}");
    }
}
