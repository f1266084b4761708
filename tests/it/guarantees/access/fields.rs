//! The table of root fields and guarded fields.

use axum::http::Method;
use serde_json::{Value, json};

use super::actors::{ActorKind, Fixture};
use super::outcome::Outcome::{self, Data, Null, Refused};
use crate::support::{Actor, PASSWORD, STREAM_STARTED, TestResponse};

/// One way to ask for a field.
pub struct Row {
    /// Type and field, such as `Query.users`.
    pub field: &'static str,
    /// What is sent.
    pub query: String,
    /// What goes along.
    pub variables: fn(&Fixture, ActorKind, &Actor) -> Value,
    /// Where in the data the answer stands.
    pub path: &'static str,
    /// What comes of it, in the order of [`super::actors::ACTORS`].
    pub verdicts: Outcomes,
}

pub type Outcomes = [Outcome; 6];

const UNAUTHENTICATED: Outcome = Refused("UNAUTHENTICATED");
const FORBIDDEN: Outcome = Refused("FORBIDDEN");
const NOT_FOUND: Outcome = Refused("NOT_FOUND");

// anonymous, user, owner, admin, admin of another tenant, disabled user
const PUBLIC: Outcomes = [Data; 6];
const SIGNED_IN: Outcomes = [UNAUTHENTICATED, Data, Data, Data, Data, UNAUTHENTICATED];
/// A use that needs a permission and touches nobody of another tenant.
const HOLDERS: Outcomes = [UNAUTHENTICATED, FORBIDDEN, FORBIDDEN, Data, Data, UNAUTHENTICATED];
/// The same where the object is somebody's of the first tenant.
const ON_A_USER: Outcomes = [UNAUTHENTICATED, FORBIDDEN, FORBIDDEN, Data, NOT_FOUND, UNAUTHENTICATED];
/// A use that names the first tenant.
const ONE_TENANT: Outcomes = ON_A_USER;
const ONE_USER: Outcomes = [UNAUTHENTICATED, FORBIDDEN, FORBIDDEN, Data, Null, UNAUTHENTICATED];
/// What is the installation's: administrators of other tenants do not hold the permission.
const INSTALLATION: Outcomes = [UNAUTHENTICATED, FORBIDDEN, FORBIDDEN, Data, FORBIDDEN, UNAUTHENTICATED];
/// What reads as missing to strangers.
const OWNER_ONLY: Outcomes = [UNAUTHENTICATED, Null, Data, Data, Null, UNAUTHENTICATED];
/// Roles are the installation's: administrators of every tenant see them.
const ROLE_READERS: Outcomes = [UNAUTHENTICATED, Null, Null, Data, Data, UNAUTHENTICATED];

fn nothing(_: &Fixture, _: ActorKind, _: &Actor) -> Value {
    json!({})
}

fn ann(world: &Fixture, _: ActorKind, _: &Actor) -> Value {
    json!({ "id": world.ann.id })
}

fn session(world: &Fixture, _: ActorKind, _: &Actor) -> Value {
    json!({ "id": world.ann_session })
}

fn api_token(world: &Fixture, _: ActorKind, _: &Actor) -> Value {
    json!({ "id": world.ann_token.0 })
}

fn role(world: &Fixture, _: ActorKind, _: &Actor) -> Value {
    json!({ "id": world.role })
}

fn tenant(world: &Fixture, _: ActorKind, _: &Actor) -> Value {
    json!({ "id": world.tenant })
}

/// What is selected of each guarded field of `User`.
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

/// What to select for `field` on a `User`.
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
        // They come in sessions.
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
            |world, _, _| json!({ "filter": { "tenantId": world.tenant } }),
            "/users",
            ONE_TENANT,
        ),
        row("Query.tenants", "{ tenants { totalCount nodes { id name } } }", nothing, "/tenants", INSTALLATION),
        row("Query.roles", "{ roles { id name permissions } }", nothing, "/roles", HOLDERS),
        row("Query.node", node, ann, "/node", OWNER_ONLY),
        row("Query.node", node, session, "/node", OWNER_ONLY),
        row("Query.node", node, api_token, "/node", OWNER_ONLY),
        row("Query.node", node, role, "/node", ROLE_READERS),
        // One's own tenant is no secret.
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

/// A row of a mutation with one argument `input`; `done` is what the payload holds when it was done.
fn mutation(
    field: &'static str,
    input: &str,
    done: &str,
    path: &'static str,
    variables: fn(&Fixture, ActorKind, &Actor) -> Value,
    verdicts: Outcomes,
) -> Row {
    let name = field.trim_start_matches("Mutation.");
    let query = format!("mutation ($input: {input}) {{ {name}(input: $input) {{ {done} errors {{ code }} }} }}");
    Row { field, query, variables, path, verdicts }
}

fn mutations() -> Vec<Row> {
    vec![
        mutation(
            "Mutation.register",
            "RegisterInput!",
            "user { id }",
            "/register/user",
            |_, who, _| json!({ "input": { "username": format!("new-{who:?}"), "password": PASSWORD } }),
            PUBLIC,
        ),
        mutation(
            "Mutation.login",
            "LoginInput!",
            "user { id } session { id } tokens { accessToken }",
            "/login/tokens",
            |_, _, _| json!({ "input": { "username": "eve", "password": PASSWORD } }),
            PUBLIC,
        ),
        // The refresh token is the credential here: anonymous has none, and the disabled account's session is over.
        mutation(
            "Mutation.refresh",
            "RefreshInput!",
            "user { id } tokens { accessToken }",
            "/refresh/tokens",
            |_, _, actor| json!({ "input": { "refreshToken": actor.refresh_token } }),
            [Refused("REFRESH_TOKEN_MISSING"), Data, Data, Data, Data, Refused("SESSION_ENDED")],
        ),
        mutation(
            "Mutation.logout",
            "LogoutInput",
            "ok",
            "/logout/ok",
            |_, _, _| json!({ "input": { "scope": "CURRENT" } }),
            PUBLIC,
        ),
        mutation(
            "Mutation.updatePassword",
            "UpdatePasswordInput!",
            "user { id } tokens { accessToken }",
            "/updatePassword/tokens",
            |_, _, _| json!({ "input": { "currentPassword": PASSWORD, "newPassword": "another-horse-battery-8" } }),
            SIGNED_IN,
        ),
        mutation(
            "Mutation.updateProfile",
            "UpdateProfileInput!",
            "user { id }",
            "/updateProfile/user",
            |_, _, _| json!({ "input": { "displayName": "Somebody" } }),
            SIGNED_IN,
        ),
        mutation(
            "Mutation.revokeSession",
            "RevokeSessionInput!",
            "session { id ip }",
            "/revokeSession/session",
            |world, _, _| json!({ "input": { "sessionId": world.ann_session } }),
            [UNAUTHENTICATED, NOT_FOUND, Data, Data, NOT_FOUND, UNAUTHENTICATED],
        ),
        mutation(
            "Mutation.createApiToken",
            "CreateApiTokenInput!",
            "apiToken { id } token",
            "/createApiToken/token",
            |_, _, _| json!({ "input": { "name": "robot", "permissions": [] } }),
            SIGNED_IN,
        ),
        mutation(
            "Mutation.updateApiToken",
            "UpdateApiTokenInput!",
            "apiToken { id note }",
            "/updateApiToken/apiToken",
            |world, _, _| json!({ "input": { "apiTokenId": world.ann_token.0, "enabled": false } }),
            [UNAUTHENTICATED, NOT_FOUND, Data, Data, NOT_FOUND, UNAUTHENTICATED],
        ),
        mutation(
            "Mutation.revokeApiToken",
            "RevokeApiTokenInput!",
            "apiToken { id note }",
            "/revokeApiToken/apiToken",
            |world, _, _| json!({ "input": { "apiTokenId": world.ann_token.0 } }),
            [UNAUTHENTICATED, NOT_FOUND, Data, Data, NOT_FOUND, UNAUTHENTICATED],
        ),
        mutation(
            "Mutation.createUser",
            "CreateUserInput!",
            "user { id }",
            "/createUser/user",
            |_, who, _| json!({ "input": { "username": format!("new-{who:?}"), "password": PASSWORD } }),
            HOLDERS,
        ),
        mutation(
            "Mutation.createUser",
            "CreateUserInput!",
            "user { id }",
            "/createUser/user",
            |world, who, _| {
                let name = format!("new-{who:?}");
                json!({ "input": { "username": name, "password": PASSWORD, "tenantId": world.tenant } })
            },
            ONE_TENANT,
        ),
        mutation(
            "Mutation.updateUser",
            "UpdateUserInput!",
            "user { id username }",
            "/updateUser/user",
            |world, _, _| json!({ "input": { "userId": world.ann.id, "displayName": "Changed" } }),
            ON_A_USER,
        ),
        mutation(
            "Mutation.setUserStatus",
            "SetUserStatusInput!",
            "user { id username }",
            "/setUserStatus/user",
            |world, _, _| json!({ "input": { "userId": world.ann.id, "status": "DISABLED" } }),
            ON_A_USER,
        ),
        mutation(
            "Mutation.setUserPassword",
            "SetUserPasswordInput!",
            "user { id username }",
            "/setUserPassword/user",
            |world, _, _| json!({ "input": { "userId": world.ann.id, "password": "another-horse-battery-8" } }),
            ON_A_USER,
        ),
        mutation(
            "Mutation.setUserRoles",
            "SetUserRolesInput!",
            "user { id username }",
            "/setUserRoles/user",
            |world, _, _| json!({ "input": { "userId": world.ann.id, "roles": [] } }),
            ON_A_USER,
        ),
        mutation(
            "Mutation.deleteUser",
            "DeleteUserInput!",
            "deletedUserId",
            "/deleteUser/deletedUserId",
            |world, _, _| json!({ "input": { "userId": world.ann.id } }),
            ON_A_USER,
        ),
        mutation(
            "Mutation.saveRole",
            "SaveRoleInput!",
            "role { id }",
            "/saveRole/role",
            |_, _, _| json!({ "input": { "name": "clerks", "permissions": [], "description": "Changed" } }),
            INSTALLATION,
        ),
        mutation(
            "Mutation.saveRole",
            "SaveRoleInput!",
            "role { id }",
            "/saveRole/role",
            |world, _, _| json!({ "input": { "roleId": world.role, "name": "CLERKS", "permissions": [] } }),
            INSTALLATION,
        ),
        mutation(
            "Mutation.deleteRole",
            "DeleteRoleInput!",
            "deletedRoleId",
            "/deleteRole/deletedRoleId",
            |world, _, _| json!({ "input": { "roleId": world.role } }),
            INSTALLATION,
        ),
        mutation(
            "Mutation.setTenantStatus",
            "SetTenantStatusInput!",
            "tenant { id name }",
            "/setTenantStatus/tenant",
            |world, _, _| json!({ "input": { "tenantId": world.spare, "status": "DISABLED" } }),
            INSTALLATION,
        ),
        mutation(
            "Mutation.deleteTenant",
            "DeleteTenantInput!",
            "deletedTenantId",
            "/deleteTenant/deletedTenantId",
            |world, _, _| json!({ "input": { "tenantId": world.spare } }),
            INSTALLATION,
        ),
        mutation(
            "Mutation.saveTenant",
            "SaveTenantInput!",
            "tenant { id name }",
            "/saveTenant/tenant",
            |world, _, _| json!({ "input": { "tenantId": world.tenant, "name": "Changed" } }),
            INSTALLATION,
        ),
    ]
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
    /// Asks for the field.
    pub async fn send(&self, actor: &Actor, variables: Value) -> TestResponse {
        if !self.field.starts_with("Subscription.") {
            return actor.send(&self.query, variables).await;
        }
        let headers = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
        let body = json!({ "query": self.query, "variables": variables }).to_string();
        actor.request(Method::POST, "/graphql", &headers, body).await
    }
}
