//! The rows of mutations.

use serde_json::{Value, json};

use super::{HOLDERS, INSTALLATION, NOT_FOUND, ON_A_USER, ONE_TENANT, Outcomes, Row, SIGNED_IN, UNAUTHENTICATED};
use crate::guarantees::access::actors::{ActorKind, Fixture};
use crate::guarantees::access::outcome::Outcome::{Data, Refused};
use crate::support::{Actor, PASSWORD};

// anonymous, user, owner, admin, admin of another tenant, disabled user
const PUBLIC: Outcomes = [Data; 6];

/// A row of a mutation with one argument `input`; `done` selects the result in the payload.
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

pub(super) fn mutations() -> Vec<Row> {
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
        // The refresh token is the credential here: anonymous has none, and the session of the disabled user has ended.
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
            |fixture, _, _| json!({ "input": { "sessionId": fixture.ann_session } }),
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
            |fixture, _, _| json!({ "input": { "apiTokenId": fixture.ann_token.0, "enabled": false } }),
            [UNAUTHENTICATED, NOT_FOUND, Data, Data, NOT_FOUND, UNAUTHENTICATED],
        ),
        mutation(
            "Mutation.revokeApiToken",
            "RevokeApiTokenInput!",
            "apiToken { id note }",
            "/revokeApiToken/apiToken",
            |fixture, _, _| json!({ "input": { "apiTokenId": fixture.ann_token.0 } }),
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
            |fixture, who, _| {
                let name = format!("new-{who:?}");
                json!({ "input": { "username": name, "password": PASSWORD, "tenantId": fixture.tenant } })
            },
            ONE_TENANT,
        ),
        mutation(
            "Mutation.updateUser",
            "UpdateUserInput!",
            "user { id username }",
            "/updateUser/user",
            |fixture, _, _| json!({ "input": { "userId": fixture.ann.id, "displayName": "Changed" } }),
            ON_A_USER,
        ),
        mutation(
            "Mutation.setUserStatus",
            "SetUserStatusInput!",
            "user { id username }",
            "/setUserStatus/user",
            |fixture, _, _| json!({ "input": { "userId": fixture.ann.id, "status": "DISABLED" } }),
            ON_A_USER,
        ),
        mutation(
            "Mutation.setUserPassword",
            "SetUserPasswordInput!",
            "user { id username }",
            "/setUserPassword/user",
            |fixture, _, _| json!({ "input": { "userId": fixture.ann.id, "password": "another-horse-battery-8" } }),
            ON_A_USER,
        ),
        mutation(
            "Mutation.setUserRoles",
            "SetUserRolesInput!",
            "user { id username }",
            "/setUserRoles/user",
            |fixture, _, _| json!({ "input": { "userId": fixture.ann.id, "roles": [] } }),
            ON_A_USER,
        ),
        mutation(
            "Mutation.deleteUser",
            "DeleteUserInput!",
            "deletedUserId",
            "/deleteUser/deletedUserId",
            |fixture, _, _| json!({ "input": { "userId": fixture.ann.id } }),
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
            |fixture, _, _| json!({ "input": { "roleId": fixture.role, "name": "CLERKS", "permissions": [] } }),
            INSTALLATION,
        ),
        mutation(
            "Mutation.deleteRole",
            "DeleteRoleInput!",
            "deletedRoleId",
            "/deleteRole/deletedRoleId",
            |fixture, _, _| json!({ "input": { "roleId": fixture.role } }),
            INSTALLATION,
        ),
        mutation(
            "Mutation.setTenantStatus",
            "SetTenantStatusInput!",
            "tenant { id name }",
            "/setTenantStatus/tenant",
            |fixture, _, _| json!({ "input": { "tenantId": fixture.spare, "status": "DISABLED" } }),
            INSTALLATION,
        ),
        mutation(
            "Mutation.deleteTenant",
            "DeleteTenantInput!",
            "deletedTenantId",
            "/deleteTenant/deletedTenantId",
            |fixture, _, _| json!({ "input": { "tenantId": fixture.spare } }),
            INSTALLATION,
        ),
        mutation(
            "Mutation.saveTenant",
            "SaveTenantInput!",
            "tenant { id name }",
            "/saveTenant/tenant",
            |fixture, _, _| json!({ "input": { "tenantId": fixture.tenant, "name": "Changed" } }),
            INSTALLATION,
        ),
    ]
}
