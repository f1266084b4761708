//! Rights lost within a request stay lost: every mutation after one that ended the session, disabled the caller,
//! removed the roles or revoked the API token, in one operation.

use accountd::account::access::permission::Permission;
use serde_json::Value;

use super::actors::{ActorKind, Fixture};
use super::fields::{self, Row};
use super::outcome::Outcome::{self, Data, Refused};
use crate::support::{Actor, TestResponse};

/// Open to every caller, with or without session.
const PUBLIC: [&str; 4] = ["register", "login", "refresh", "logout"];

/// The row's operation with `first` before everything else.
async fn send_after(row: &Row, first: &str, actor: &Actor, variables: Value) -> TestResponse {
    let begin = row.query.find('{').unwrap() + 1;
    let query = format!("{} first: {first} {}", &row.query[..begin], &row.query[begin..]);
    actor.send(&query, variables).await
}

async fn check(what: &str, first: fn(&Actor, &str) -> String, by_token: bool, verdict: impl Fn(&Row) -> Outcome) {
    let mut wrong = Vec::new();
    for row in fields::rows() {
        let Some(name) = row.field.strip_prefix("Mutation.") else { continue };
        if PUBLIC.contains(&name) {
            continue;
        }
        let fixture = Fixture::new().await;
        // Without her the last administrator could not be removed.
        fixture.app.admin("rosa").await;
        let root = fixture.actor(ActorKind::Admin);
        let (token_id, program) = root.api_token(&Permission::ALL.map(Permission::name)).await;
        let actor = if by_token { &program } else { &root };
        let variables = (row.variables)(&fixture, ActorKind::Admin, actor);
        let answer = send_after(&row, &first(&root, &token_id), actor, variables).await;
        let verdict = verdict(&row);
        let holds = match verdict {
            // Data of the caller's own.
            Data | Outcome::Null => verdict.check(&answer, row.path),
            Refused(code) => {
                let codes = super::outcome::codes(&answer.json()).join(" ");
                if codes == code { Ok(()) } else { Err(answer.text.clone()) }
            }
        };
        if let Err(found) = holds {
            wrong.push(format!("{name} after {what}: {verdict:?} was expected, but {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn mutation_after_session_end_in_one_request_is_refused() {
    let logout = |_: &Actor, _: &str| "logout(input: { scope: ALL }) { ok }".to_owned();
    check("logout", logout, false, |_| Refused("UNAUTHENTICATED")).await;
}

#[tokio::test]
async fn mutation_after_disabling_caller_in_one_request_is_refused() {
    let disable = |root: &Actor, _: &str| {
        format!("setUserStatus(input: {{ userId: \"{}\", status: DISABLED }}) {{ user {{ id }} }}", root.id)
    };
    check("setUserStatus", disable, false, |_| Refused("UNAUTHENTICATED")).await;
}

#[tokio::test]
async fn mutation_after_role_removal_in_one_request_is_refused() {
    let demote = |root: &Actor, _: &str| {
        format!("setUserRoles(input: {{ userId: \"{}\", roles: [] }}) {{ user {{ id }} }}", root.id)
    };
    // As a user without roles, on the same state.
    check("setUserRoles", demote, false, |row| row.verdicts[1]).await;
}

#[tokio::test]
async fn mutation_after_token_revocation_in_one_request_is_refused() {
    let revoke = |_: &Actor, token: &str| {
        format!("revokeApiToken(input: {{ apiTokenId: \"{token}\" }}) {{ apiToken {{ id }} }}")
    };
    let for_persons = ["updateProfile", "updatePassword", "createApiToken"];
    check("revokeApiToken", revoke, true, |row| {
        let name = row.field.trim_start_matches("Mutation.");
        if for_persons.contains(&name) { Refused("FORBIDDEN") } else { Refused("UNAUTHENTICATED") }
    })
    .await;
}

#[tokio::test]
async fn mutation_after_required_password_change_in_one_request_is_refused() {
    let require_change = |root: &Actor, _: &str| {
        format!("updateUser(input: {{ userId: \"{}\", mustChangePassword: true }}) {{ user {{ id }} }}", root.id)
    };
    check("updateUser", require_change, false, |row| {
        if row.field == "Mutation.updatePassword" { Data } else { Refused("PASSWORD_CHANGE_REQUIRED") }
    })
    .await;
}
