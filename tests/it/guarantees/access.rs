//! Access matrix: every root field, mutation, guarded field and route, requested by every kind of caller.

use std::collections::{BTreeMap, BTreeSet};

use accountd::account::access::permission::Permission;
use accountd::graphql::sdl;
use async_graphql::Value as GraphQlValue;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{ConstDirective, TypeKind, TypeSystemDefinition};

mod actors;
mod fields;
mod flask_auth_service_mongo;
mod foreign_ids;
mod loss_during_request;
mod mass_assignment;
mod outcome;
mod privilege_escalation;
mod rejection_cost;
pub mod routes;

use actors::{ACTORS, ActorKind, Fixture};
use fields::{Row, rows, user_field};
use outcome::Outcome::{Data, Refused};

/// The arguments of `@guard` on a field.
#[derive(Debug)]
struct Guard {
    any: Vec<String>,
    or_owner: bool,
    in_session: bool,
}

impl Guard {
    fn read(directive: &ConstDirective) -> Self {
        let argument = |name| directive.get_argument(name).map(|value| value.node.clone());
        let any = match argument("any") {
            Some(GraphQlValue::List(names)) => names.iter().map(ToString::to_string).collect(),
            other => panic!("@guard(any: {other:?})"),
        };
        let is_true = |name| argument(name) == Some(GraphQlValue::Boolean(true));
        Self { any, or_owner: is_true("orOwner"), in_session: is_true("inSession") }
    }
}

/// Every root field and every guarded field with its guard.
fn printed() -> BTreeMap<String, Option<Guard>> {
    let mut printed = BTreeMap::new();
    for definition in parse_schema(sdl()).unwrap().definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = &definition.node.name.node;
        let TypeKind::Object(object) = &definition.node.kind else { continue };
        for field in &object.fields {
            let guard = field.node.directives.iter().find(|directive| directive.node.name.node == "guard");
            let guard = guard.map(|directive| Guard::read(&directive.node));
            if guard.is_some() || matches!(name.as_str(), "Query" | "Mutation" | "Subscription") {
                printed.insert(format!("{name}.{}", field.node.name), guard);
            }
        }
    }
    printed
}

#[test]
fn access_table_lists_every_root_and_guarded_field() {
    let listed: BTreeSet<String> = rows().iter().map(|row| row.field.to_owned()).collect();
    let printed: BTreeSet<String> = printed().into_keys().collect();
    let missing: Vec<_> = printed.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&printed).collect();
    assert!(missing.is_empty() && gone.is_empty(), "without a row: {missing:?}; obsolete rows: {gone:?}");
}

#[test]
fn access_table_agrees_with_guard_directives() {
    let printed = printed();
    for Row { field, verdicts, .. } in rows() {
        let verdict = |who| verdicts[ACTORS.iter().position(|actor| *actor == who).unwrap()];
        let anonymous = verdict(ActorKind::Anonymous);
        let Some(guard) = printed.get(field).unwrap_or_else(|| panic!("{field} does not exist")) else {
            // A field without guard needs no session; a mutation may still require a credential of its own.
            assert!(anonymous.is_granted() || field == "Mutation.refresh", "{field} has no guard and is closed");
            continue;
        };
        assert_eq!(anonymous, Refused("UNAUTHENTICATED"), "{field} for anonymous");
        assert_eq!(verdict(ActorKind::Disabled), Refused("UNAUTHENTICATED"), "{field} for a disabled user");
        assert_eq!(verdict(ActorKind::Admin), Data, "{field} for an administrator");
        if guard.any.is_empty() {
            assert!(
                verdict(ActorKind::User).is_granted() && verdict(ActorKind::Owner).is_granted(),
                "{field}: {guard:?}"
            );
        } else {
            assert_ne!(verdict(ActorKind::User), Data, "{field}: {guard:?}");
            assert_eq!(verdict(ActorKind::Owner) == Data, guard.or_owner, "{field} for its owner: {guard:?}");
        }
    }
}

/// Callers with few rights run first, so that no missing object hides a refusal.
const COLUMN_ORDER: [ActorKind; 6] = [
    ActorKind::Anonymous,
    ActorKind::Disabled,
    ActorKind::Foreigner,
    ActorKind::User,
    ActorKind::Owner,
    ActorKind::Admin,
];

/// Every cell of the table; a refused request changes nothing.
#[tokio::test]
async fn root_fields_grant_access_as_the_table_says() {
    let mut wrong = Vec::new();
    let reading = Fixture::new().await;
    for row in rows() {
        let own = if row.field.starts_with("Mutation.") { Some(Fixture::new().await) } else { None };
        let fixture = own.as_ref().unwrap_or(&reading);
        for who in COLUMN_ORDER {
            let verdict = row.verdicts[ACTORS.iter().position(|actor| *actor == who).unwrap()];
            let actor = fixture.actor(who);
            let before = fixture.rows().await;
            let answer = row.send(&actor, (row.variables)(fixture, who, &actor)).await;
            if let Err(found) = verdict.check(&answer, row.path) {
                wrong.push(format!("{} for {who:?}: {verdict:?} was expected, but {found}", row.field));
            }
            if verdict != Data && fixture.rows().await != before {
                wrong.push(format!("{} for {who:?} was refused and changed something", row.field));
            }
            let others = [&fixture.ann.id, &fixture.ann_session, &fixture.ann_token.0, "ann@example.org"];
            if !matches!(who, ActorKind::Owner | ActorKind::Admin)
                && others.iter().any(|secret| answer.text.contains(*secret))
            {
                wrong.push(format!("{} reveals the owner to {who:?}: {}", row.field, answer.text));
            }
        }
        let mistakes = fixture.wrongly_accepted().await;
        wrong.extend(mistakes.into_iter().map(|mistake| format!("after {}: {mistake}", row.field)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Only the permission named by `@guard` grants the field.
#[tokio::test]
async fn only_the_named_permission_grants_access() {
    let printed = printed();
    let mut wrong = Vec::new();
    let reading = Fixture::new().await;
    for (number, row) in rows().into_iter().enumerate() {
        let Some(Some(guard)) = printed.get(row.field) else { continue };
        if guard.any.is_empty() {
            continue;
        }
        let own = if row.field.starts_with("Mutation.") { Some(Fixture::new().await) } else { None };
        let fixture = own.as_ref().unwrap_or(&reading);
        let all: Vec<&str> = Permission::ALL.iter().map(|permission| permission.name()).collect();
        let others: Vec<&str> = all.into_iter().filter(|name| !guard.any.iter().any(|any| any == name)).collect();
        let actor = fixture.holder(&format!("others-{number}"), &others).await;
        let answer = row.send(&actor, (row.variables)(fixture, ActorKind::User, &actor)).await;
        if Data.check(&answer, row.path).is_ok() {
            wrong.push(format!("{} opens without {:?}", row.field, guard.any));
        }
        for name in &guard.any {
            // `node` reaches users, and shows them to holders of the read permission.
            let needed: BTreeSet<&str> = if user_field(row.field).is_some() {
                [name.as_str(), "USERS_READ"].into()
            } else {
                [name.as_str()].into()
            };
            let actor = fixture.holder(&format!("{name}-{number}"), &needed.into_iter().collect::<Vec<_>>()).await;
            let answer = row.send(&actor, (row.variables)(fixture, ActorKind::User, &actor)).await;
            if let Err(found) = Data.check(&answer, row.path) {
                wrong.push(format!("{} does not open with {name}: {found}", row.field));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An API token of an administrator grants exactly its own permissions (S14 for programs).
#[tokio::test]
async fn api_token_grants_only_its_own_permissions() {
    let mut wrong = Vec::new();
    let printed = printed();
    let reading = Fixture::new().await;
    for row in rows() {
        let Some(Some(guard)) = printed.get(row.field) else { continue };
        let own = if row.field.starts_with("Mutation.") { Some(Fixture::new().await) } else { None };
        let fixture = own.as_ref().unwrap_or(&reading);
        let admin = fixture.actor(ActorKind::Admin);
        let opens = async |permissions: &[&str]| {
            let (_, program) = admin.api_token(permissions).await;
            let answer = row.send(&program, (row.variables)(fixture, ActorKind::Admin, &program)).await;
            Data.check(&answer, row.path).is_ok()
        };
        let all: Vec<&str> = Permission::ALL.iter().map(|permission| permission.name()).collect();
        if guard.in_session {
            if opens(&all).await {
                wrong.push(format!("{} opens without a session", row.field));
            }
            continue;
        }
        if guard.any.is_empty() {
            continue;
        }
        let others: Vec<&str> = all.into_iter().filter(|name| !guard.any.iter().any(|any| any == name)).collect();
        if opens(&[]).await || opens(&others).await {
            wrong.push(format!("{} opens without {:?}", row.field, guard.any));
        }
        for name in &guard.any {
            let needed =
                if user_field(row.field).is_some() { vec![name.as_str(), "USERS_READ"] } else { vec![name.as_str()] };
            if !opens(&needed).await {
                wrong.push(format!("{} does not open with {name}", row.field));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A user object that was not reached by reading users hides its guarded fields from every caller.
#[tokio::test]
async fn guarded_fields_stay_guarded_in_payloads() {
    let fixture = Fixture::new().await;
    let writer = fixture.holder("writer", &["USERS_WRITE"]).await;
    for row in rows() {
        let Some(selection) = user_field(row.field) else { continue };
        let query = format!(
            "mutation ($id: ID!) {{ setUserStatus(input: {{ userId: $id, status: ACTIVE }}) {{ user {{ {selection} }} }} }}"
        );
        let answer = writer.send(&query, serde_json::json!({ "id": fixture.ann.id })).await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"), "{}: {}", row.field, answer.text);
        assert!(!answer.text.contains("ann@example.org") && !answer.text.contains(&fixture.ann_session));
    }
}
