//! The access table of root fields and guarded fields.

mod mutations;

use axum::http::Method;
use serde_json::{Value, json};

use super::actors::{ActorKind, Fixture};
use super::outcome::Outcome::{self, Data, Null, Refused};
use crate::support::{Actor, STREAM_STARTED, TestResponse};
use mutations::mutations;

/// One way to request a field.
pub struct Row {
    /// Type and field, such as `Query.users`.
    pub field: &'static str,
    /// The operation.
    pub query: String,
    /// Its variables.
    pub variables: fn(&Fixture, ActorKind, &Actor) -> Value,
    /// JSON pointer to the result in the data.
    pub path: &'static str,
    /// The outcomes, in the order of [`super::actors::ACTORS`].
    pub verdicts: Outcomes,
}

pub type Outcomes = [Outcome; 6];

const UNAUTHENTICATED: Outcome = Refused("UNAUTHENTICATED");
const FORBIDDEN: Outcome = Refused("FORBIDDEN");
const NOT_FOUND: Outcome = Refused("NOT_FOUND");

const SIGNED_IN: Outcomes = [UNAUTHENTICATED, Data, Data, Data, Data, UNAUTHENTICATED];
/// A use that needs a permission and touches no other tenant.
const HOLDERS: Outcomes = [UNAUTHENTICATED, FORBIDDEN, FORBIDDEN, Data, Data, UNAUTHENTICATED];
/// The same where the object belongs to a user of the default tenant.
const ON_A_USER: Outcomes = [UNAUTHENTICATED, FORBIDDEN, FORBIDDEN, Data, NOT_FOUND, UNAUTHENTICATED];
/// A use that names the default tenant.
const ONE_TENANT: Outcomes = ON_A_USER;
const ONE_USER: Outcomes = [UNAUTHENTICATED, FORBIDDEN, FORBIDDEN, Data, Null, UNAUTHENTICATED];
/// Installation-wide: administrators of other tenants do not hold the permission.
const INSTALLATION: Outcomes = [UNAUTHENTICATED, FORBIDDEN, FORBIDDEN, Data, FORBIDDEN, UNAUTHENTICATED];
/// Reads as missing to other users.
const OWNER_ONLY: Outcomes = [UNAUTHENTICATED, Null, Data, Data, Null, UNAUTHENTICATED];
/// Roles are installation-wide: administrators of every tenant see them.
const ROLE_READERS: Outcomes = [UNAUTHENTICATED, Null, Null, Data, Data, UNAUTHENTICATED];

fn nothing(_: &Fixture, _: ActorKind, _: &Actor) -> Value {
    json!({})
}

fn ann(fixture: &Fixture, _: ActorKind, _: &Actor) -> Value {
    json!({ "id": fixture.ann.id })
}

fn session(fixture: &Fixture, _: ActorKind, _: &Actor) -> Value {
    json!({ "id": fixture.ann_session })
}

fn api_token(fixture: &Fixture, _: ActorKind, _: &Actor) -> Value {
    json!({ "id": fixture.ann_token.0 })
}

fn role(fixture: &Fixture, _: ActorKind, _: &Actor) -> Value {
    json!({ "id": fixture.role })
}

fn tenant(fixture: &Fixture, _: ActorKind, _: &Actor) -> Value {
    json!({ "id": fixture.tenant })
}

/// The selection of each guarded field of `User`.
const USER: [(&str, &str, &str); 11] = [
    ("User.tenant", "tenant { id name createdAt }", "/node/tenant"),
    ("User.email", "email", "/node/email"),
    ("User.status", "status", "/node/status"),
    ("User.mustChangePassword", "mustChangePassword", "/node/mustChangePassword"),
    ("User.roles", "roles", "/node/roles"),
    ("User.permissions", "permissions", "/node/permissions"),
    ("User.can", "can(permission: USERS_READ)", "/node/can"),
    ("User.passwordUpdatedAt", "passwordUpdatedAt", "/node/passwordUpdatedAt"),
    ("User.lastSignInAt", "lastSignInAt", "/node/lastSignInAt"),
    ("User.sessions", "sessions { totalCount nodes { id ip } edges { node { id } } }", "/node/sessions"),
    ("User.apiTokens", "apiTokens { totalCount nodes { id name } edges { node { id } } }", "/node/apiTokens"),
];

/// The selection of `field` on a `User`.
pub fn user_field(field: &str) -> Option<&'static str> {
    USER.iter().find(|(name, ..)| *name == field).map(|(_, selection, _)| *selection)
}

fn queries() -> Vec<Row> {
    let row = |field, query: &str, variables, path, verdicts| Row {
        field,
        query: query.to_owned(),
        variables,
        path,
        verdicts,
    };
    let user = "query ($id: ID, $username: String, $email: String) {
        user(id: $id, username: $username, email: $email) { id username email }
    }";
    let node = "query ($id: ID!) {
        node(id: $id) {
            id ... on User { email } ... on Session { ip } ... on ApiToken { scopes } ... on Role { name }
            ... on Tenant { name }
        }
    }";
    let filtered = "query ($filter: UserFilter) { users(filter: $filter) { totalCount nodes { id email } } }";
    let mut rows = vec![
        row("Query.me", "{ me { id email sessions { totalCount } } }", nothing, "/me", {
            [Null, Data, Data, Data, Data, UNAUTHENTICATED]
        }),
        // All actors use sessions.
        row("Query.currentApiToken", "{ currentApiToken { id } }", nothing, "/currentApiToken", {
            [Null, Null, Null, Null, Null, UNAUTHENTICATED]
        }),
        row("Query.user", user, ann, "/user", ONE_USER),
        row("Query.user", user, |_, _, _| json!({ "username": "ANN" }), "/user", ONE_USER),
        row("Query.user", user, |_, _, _| json!({ "email": "Ann@example.org" }), "/user", ONE_USER),
        row("Query.users", "{ users { totalCount nodes { id email } } }", nothing, "/users", HOLDERS),
        row(
            "Query.users",
            filtered,
            |fixture, _, _| json!({ "filter": { "tenantId": fixture.tenant } }),
            "/users",
            ONE_TENANT,
        ),
        row("Query.tenants", "{ tenants { totalCount nodes { id name } } }", nothing, "/tenants", INSTALLATION),
        row("Query.roles", "{ roles { id name permissions } }", nothing, "/roles", HOLDERS),
        row("Query.node", node, ann, "/node", OWNER_ONLY),
        row("Query.node", node, session, "/node", OWNER_ONLY),
        row("Query.node", node, api_token, "/node", OWNER_ONLY),
        row("Query.node", node, role, "/node", ROLE_READERS),
        // The caller's own tenant is visible to the caller.
        row("Query.node", node, tenant, "/node", [UNAUTHENTICATED, Data, Data, Data, Null, UNAUTHENTICATED]),
        row(
            "Role.userCount",
            "query ($id: ID!) { node(id: $id) { ... on Role { userCount } } }",
            role,
            "/node/userCount",
            ROLE_READERS,
        ),
        row(
            "Tenant.userCount",
            "query ($id: ID!) { node(id: $id) { ... on Tenant { userCount } } }",
            tenant,
            "/node/userCount",
            ONE_USER,
        ),
    ];
    rows.extend(USER.into_iter().map(|(field, selection, path)| Row {
        field,
        query: format!("query ($id: ID!) {{ node(id: $id) {{ ... on User {{ {selection} }} }} }}"),
        variables: ann,
        path,
        verdicts: OWNER_ONLY,
    }));
    rows
}

/// The whole table.
pub fn rows() -> Vec<Row> {
    let mut rows = queries();
    rows.extend(mutations());
    rows.push(Row {
        field: "Subscription.accountEvents",
        query: "subscription { accountEvents { __typename } }".to_owned(),
        variables: nothing,
        path: STREAM_STARTED,
        verdicts: SIGNED_IN,
    });
    rows
}

impl Row {
    /// Sends the operation.
    pub async fn send(&self, actor: &Actor, variables: Value) -> TestResponse {
        if !self.field.starts_with("Subscription.") {
            return actor.send(&self.query, variables).await;
        }
        let headers = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
        let body = json!({ "query": self.query, "variables": variables }).to_string();
        actor.request(Method::POST, "/graphql", &headers, body).await
    }
}
