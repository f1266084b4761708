//! Privilege escalation: every operation on a more privileged user, and by an API token on its own user.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::actors::{ActorKind, Fixture};
use super::fields;
use super::outcome::Outcome::{self, Data, Refused};
use crate::support::Actor;
use crate::support::schema_inputs::schema_inputs;

mod api_tokens;
mod auth_service;
mod rest;
mod use_cases;

/// All permissions of the administrator but one.
const HELPER: [&str; 9] = [
    "USERS_READ",
    "USERS_WRITE",
    "USERS_DELETE",
    "ROLES_READ",
    "ROLES_WRITE",
    "ROLES_ASSIGN",
    "SESSIONS_READ",
    "SESSIONS_REVOKE",
    "TENANTS_WRITE",
];

const EVERYTHING: [&str; 10] = [
    "USERS_READ",
    "USERS_WRITE",
    "USERS_DELETE",
    "ROLES_READ",
    "ROLES_WRITE",
    "ROLES_ASSIGN",
    "SESSIONS_READ",
    "SESSIONS_REVOKE",
    "TENANTS_READ",
    "TENANTS_WRITE",
];

const FORBIDDEN: Outcome = Refused("FORBIDDEN");

/// The caller.
#[derive(Debug, Clone, Copy)]
enum CallerKind {
    /// A helper, on the administrator.
    StrongerTarget,
    /// An API token of the administrator with every permission, on the administrator.
    OwnAccount,
}

/// The administrator as target, with a session and an API token beside those in use.
struct Target {
    fixture: Fixture,
    helper: Actor,
    program: Actor,
    /// Maps what the field table says of the owner to the administrator.
    names: BTreeMap<String, String>,
}

impl Target {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let root = fixture.actor(ActorKind::Admin);
        let helper = fixture.holder("helper", &HELPER).await;
        let login = fixture.app.anonymous().login("root", crate::support::PASSWORD).await;
        let session = login.data()["login"]["session"]["id"].as_str().unwrap().to_owned();
        let (token, _) = root.api_token(&[]).await;
        let (_, program) = root.api_token(&EVERYTHING).await;
        // Token use is recorded once a minute.
        assert_eq!(program.me_code().await, None);
        root.mutate_ok("updateUser", json!({ "userId": root.id, "email": "root@example.org" }), "user { id }").await;
        let pairs = [
            (fixture.ann.id.clone(), root.id.clone()),
            (fixture.ann_session.clone(), session),
            (fixture.ann_token.0.clone(), token),
            ("ann".to_owned(), "root".to_owned()),
            ("ann@example.org".to_owned(), "root@example.org".to_owned()),
        ];
        Self { fixture, helper, program, names: pairs.into() }
    }

    fn actor(&self, column: CallerKind) -> &Actor {
        match column {
            CallerKind::StrongerTarget => &self.helper,
            CallerKind::OwnAccount => &self.program,
        }
    }

    /// `value` with the administrator in place of the owner.
    fn targeting(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.names.get(text).unwrap_or(text).as_str().into(),
            Value::Object(members) => {
                members.iter().map(|(key, member)| (key.clone(), self.targeting(member))).collect()
            }
            Value::Array(items) => items.iter().map(|item| self.targeting(item)).collect(),
            other => other.clone(),
        }
    }
}

/// By mutation: the outcome on a more privileged target, and by an API token on its own user.
fn mutations() -> BTreeMap<&'static str, [Outcome; 2]> {
    [
        ("register", [Data, Data]),
        ("login", [Data, Data]),
        ("refresh", [Data, Refused("REFRESH_TOKEN_MISSING")]),
        ("logout", [Data, Data]),
        ("updatePassword", [Data, FORBIDDEN]),
        ("updateProfile", [Data, FORBIDDEN]),
        // Revoking operations are open to a token that holds all permissions of its owner.
        ("revokeSession", [FORBIDDEN, Data]),
        ("createApiToken", [Data, FORBIDDEN]),
        ("updateApiToken", [FORBIDDEN, Data]),
        ("revokeApiToken", [FORBIDDEN, Data]),
        ("createUser", [Data, Data]),
        ("updateUser", [FORBIDDEN, FORBIDDEN]),
        ("setUserStatus", [FORBIDDEN, FORBIDDEN]),
        ("setUserPassword", [FORBIDDEN, Refused("BAD_USER_INPUT")]),
        ("setUserRoles", [FORBIDDEN, FORBIDDEN]),
        ("deleteUser", [FORBIDDEN, FORBIDDEN]),
        ("saveRole", [Data, Data]),
        ("deleteRole", [Data, Data]),
        ("saveTenant", [Data, Data]),
        ("setTenantStatus", [Data, Data]),
        ("deleteTenant", [Data, Data]),
    ]
    .into()
}

#[tokio::test]
async fn mutation_on_more_privileged_or_own_token_user_is_refused() {
    let table = mutations();
    let existing: BTreeSet<String> = schema_inputs().root_fields.into_keys().collect();
    let existing: BTreeSet<&str> = existing.iter().filter_map(|field| field.strip_prefix("Mutation.")).collect();
    assert_eq!(existing, table.keys().copied().collect(), "the table lists every mutation");

    let mut wrong = Vec::new();
    for row in fields::rows() {
        let Some(name) = row.field.strip_prefix("Mutation.") else { continue };
        for (column, verdict) in [CallerKind::StrongerTarget, CallerKind::OwnAccount].into_iter().zip(table[name]) {
            let target = Target::new().await;
            let actor = target.actor(column);
            let variables = target.targeting(&(row.variables)(&target.fixture, ActorKind::User, actor));
            let before = target.fixture.rows().await;
            let answer = row.send(actor, variables).await;
            if let Err(found) = verdict.check(&answer, row.path) {
                wrong.push(format!("{name} for {column:?}: {verdict:?} was expected, but {found}"));
            }
            if verdict != Data && target.fixture.rows().await != before {
                wrong.push(format!("{name} for {column:?} was refused and changed something"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
