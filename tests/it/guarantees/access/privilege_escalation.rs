//! Power over users: every operation tried on a user who can do more, and by an API token on its own user.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Value, json};

use super::actors::{ActorKind, Fixture};
use super::fields;
use super::outcome::Outcome::{self, Data, Refused};
use super::{flask_auth_service_mongo, routes};
use crate::support::schema_inputs::schema_inputs;
use crate::support::source_files::rust_files;
use crate::support::{Actor, TestResponse};

mod api_tokens;

/// All permissions but one of the administrator's.
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

/// Who tries it.
#[derive(Debug, Clone, Copy)]
enum CallerKind {
    /// A helper, on the administrator.
    StrongerTarget,
    /// An API token of the administrator with every permission, on the administrator.
    OwnAccount,
}

/// The administrator as the target, with a session and an API token beside those in use.
struct Target {
    world: Fixture,
    helper: Actor,
    program: Actor,
    /// By what the table of fields says of the owner, what it has to say of the administrator.
    names: BTreeMap<String, String>,
}

impl Target {
    async fn new() -> Self {
        let world = Fixture::new().await;
        let root = world.actor(ActorKind::Admin);
        let helper = world.holder("helper", &HELPER).await;
        let login = world.app.anonymous().login("root", crate::support::PASSWORD).await;
        let session = login.data()["login"]["session"]["id"].as_str().unwrap().to_owned();
        let (token, _) = root.api_token(&[]).await;
        let (_, program) = root.api_token(&EVERYTHING).await;
        // Its use is recorded once a minute.
        assert_eq!(program.me_code().await, None);
        root.mutate_ok("updateUser", json!({ "userId": root.id, "email": "root@example.org" }), "user { id }").await;
        let pairs = [
            (world.ann.id.clone(), root.id.clone()),
            (world.ann_session.clone(), session),
            (world.ann_token.0.clone(), token),
            ("ann".to_owned(), "root".to_owned()),
            ("ann@example.org".to_owned(), "root@example.org".to_owned()),
        ];
        Self { world, helper, program, names: pairs.into() }
    }

    fn actor(&self, column: CallerKind) -> &Actor {
        match column {
            CallerKind::StrongerTarget => &self.helper,
            CallerKind::OwnAccount => &self.program,
        }
    }

    /// `value` with the administrator in the owner's place.
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

/// By mutation: what comes of it on a stronger target, and by an API token on its own account.
fn mutations() -> BTreeMap<&'static str, [Outcome; 2]> {
    [
        ("register", [Data, Data]),
        ("login", [Data, Data]),
        ("refresh", [Data, Refused("REFRESH_TOKEN_MISSING")]),
        ("logout", [Data, Data]),
        ("updatePassword", [Data, FORBIDDEN]),
        ("updateProfile", [Data, FORBIDDEN]),
        // What takes away is open to a token that can do all that its owner can.
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
            let variables = target.targeting(&(row.variables)(&target.world, ActorKind::User, actor));
            let before = target.world.rows().await;
            let answer = row.send(actor, variables).await;
            if let Err(found) = verdict.check(&answer, row.path) {
                wrong.push(format!("{name} for {column:?}: {verdict:?} was expected, but {found}"));
            }
            if verdict != Data && target.world.rows().await != before {
                wrong.push(format!("{name} for {column:?} was refused and changed something"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// By mutation of the auth-service dialect: the message of the refusal, if there is one, in the same columns.
fn auth_service_mutations() -> BTreeMap<&'static str, [Option<&'static str>; 2]> {
    let denied = Some("unauthorized");
    [
        ("create_user", [None, None]),
        ("update_user", [denied, denied]),
        ("delete_user", [denied, denied]),
        ("reset_password", [denied, Some("userId: change your own password with updatePassword")]),
        ("update_password", [None, denied]),
        ("refresh_token", [None, Some("invalid_token. ")]),
    ]
    .into()
}

#[tokio::test]
async fn auth_service_mutation_on_more_privileged_user_is_refused() {
    let table = auth_service_mutations();
    let mut wrong = Vec::new();
    let mut listed = BTreeSet::new();
    for (field, query) in flask_auth_service_mongo::mutations() {
        let name = field.trim_start_matches("Mutation.");
        listed.insert(name);
        for (column, message) in [CallerKind::StrongerTarget, CallerKind::OwnAccount].into_iter().zip(table[name]) {
            let target = Target::new().await;
            let actor = target.actor(column);
            let own = flask_auth_service_mongo::global_user(&target.world.ann.id);
            let query = query(&target.world, ActorKind::User, actor)
                .replace(&own, &flask_auth_service_mongo::global_user(&target.world.actor(ActorKind::Admin).id));
            let before = target.world.rows().await;
            let answer = actor.json(Method::POST, "/app/graphql", &json!({ "query": query })).await;
            if answer.json()["errors"][0]["message"].as_str() != message {
                wrong.push(format!("{name} for {column:?}: {message:?} was expected, but {}", answer.text));
            }
            if message.is_some() && target.world.rows().await != before {
                wrong.push(format!("{name} for {column:?} was refused and changed something"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(listed, table.keys().copied().collect());
}

/// By route of a dialect: the status on a stronger target, and by an API token on its own account. OPTIONS tells
/// everybody the methods of a route.
fn dialect_routes() -> BTreeMap<String, [u16; 2]> {
    let mut table: BTreeMap<String, [u16; 2]> = [
        ("POST /flask/register", [201, 201]),
        ("POST /flask/login", [200, 200]),
        ("POST /flask/refresh", [401, 401]),
        ("POST /flask/logout", [200, 200]),
        ("GET /flask/user/{id}", [200, 200]),
        ("DELETE /flask/user/{id}", [403, 403]),
        ("POST /api/users/login", [200, 200]),
        // It shows the end of a session.
        ("GET /api/users/token", [200, 403]),
        ("GET /api/users/logout", [200, 200]),
        ("POST /api/users/logout", [200, 200]),
        ("POST /api/users/reset-password", [403, 403]),
        ("GET /api/users/", [200, 200]),
        ("POST /api/users/", [201, 201]),
        ("GET /api/users/{id}", [200, 200]),
        ("PUT /api/users/{id}", [403, 403]),
        ("GET /api/roles/", [200, 200]),
        ("GET /api/users", [308, 308]),
        ("POST /api/users", [308, 308]),
        ("GET /api/roles", [308, 308]),
        ("POST /auth/login", [200, 200]),
        ("POST /auth/bump", [200, 200]),
        ("POST /auth/logout", [200, 200]),
        ("GET /user", [200, 200]),
        ("GET /user/{name}", [200, 200]),
        // When somebody last signed in, a token may record of its own user, too.
        ("PATCH /user/{name}", [403, 200]),
        // What their mutations do is the other table's.
        ("POST /admin/login", [200, 200]),
        ("POST /admin/logout", [401, 401]),
        ("GET /admin/graphql", [401, 401]),
        ("POST /admin/graphql", [401, 401]),
        ("POST /app/login", [200, 200]),
        ("POST /app/logout", [200, 200]),
        ("GET /app/graphql", [200, 200]),
        ("POST /app/graphql", [200, 200]),
    ]
    .map(|(route, statuses)| (route.to_owned(), statuses))
    .into();
    for at in ["", "/api/v1/auth"] {
        let [validation, refresh, create] = match at {
            "" => ["/token-validation", "/token-refresh", "/create-api-token"],
            _ => ["/token/validation", "/token/refresh", "/token/create-api-token"],
        };
        let without = if at.is_empty() { 400 } else { 401 };
        table.extend([
            (format!("GET {at}/login"), [200, 200]),
            (format!("POST {at}/login"), [200, 200]),
            (format!("POST {at}/logout"), [200, 401]),
            (format!("POST {at}/register"), [201, 201]),
            // A token without datasets is none for PlantDB.
            (format!("POST {at}{validation}"), [200, 401]),
            (format!("POST {at}{refresh}"), [200, without]),
            (format!("POST {at}{create}"), [200, 403]),
        ]);
    }
    table
}

#[tokio::test]
async fn route_on_more_privileged_or_own_token_user_is_refused() {
    let table = dialect_routes();
    let mut wrong = Vec::new();
    let mut listed = BTreeSet::new();
    for row in routes::dialect_rows() {
        let Some(statuses) = table.get(&row.route) else {
            wrong.push(format!("{} has no row", row.route));
            continue;
        };
        listed.insert(row.route.clone());
        for (column, status) in [CallerKind::StrongerTarget, CallerKind::OwnAccount].into_iter().zip(*statuses) {
            let target = Target::new().await;
            let actor = target.actor(column);
            let before = target.world.rows().await;
            let path = row.path().replace("/user/ann", "/user/root").replace("/6", "/1");
            let answer = row.send(&path, ActorKind::User, actor, |body| target.targeting(&body)).await;
            if answer.status.as_u16() != status {
                let TestResponse { status: found, text, .. } = answer;
                wrong.push(format!("{} for {column:?}: {status} was expected, but {found} {text}", row.route));
            }
            if status >= 400 && target.world.rows().await != before {
                wrong.push(format!("{} for {column:?} was refused and changed something", row.route));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(listed, table.into_keys().collect());
}

/// Neither by a session nor by an API token: a stolen one does not become the password.
#[tokio::test]
async fn user_cannot_replace_own_password_by_put() {
    let target = Target::new().await;
    let root = target.world.actor(ActorKind::Admin);
    let whole = |more: Value| {
        let mut body = json!({ "email": "root@example.org", "name": "Root", "active": true });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let password = json!({ "password": "another-horse-battery-8" });
    for actor in [&root, &target.program] {
        let answer = actor.json(Method::PUT, "/api/users/1", &whole(password.clone())).await;
        assert_eq!(answer.status, 422, "{}", answer.text);
        assert!(answer.json()["payload"]["password"].is_array(), "{}", answer.text);
    }
    let answer = target.program.json(Method::PUT, "/api/users/1", &whole(json!({}))).await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    let answer = root.json(Method::PUT, "/api/users/1", &whole(json!({}))).await;
    assert_eq!(answer.status, 200, "one's own name in a session: {}", answer.text);
    target.world.app.login("root", crate::support::PASSWORD).await;
}

/// Every use case that a caller starts and that writes asks for the power over its target, or is listed with the reason
/// why it has none.
#[test]
fn every_use_case_checks_the_target_users_privileges() {
    let without_target = [
        ("administration.rs", "create_in", "makes a user"),
        ("administration.rs", "delete_own", "is for the owner in a session"),
        ("api_token/make.rs", "make", "is for the owner in a session"),
        ("login.rs", "bump", "notes that the caller is there"),
        ("logout.rs", "end_named", "ends the caller's own sessions"),
        ("overwrite.rs", "own_password", "is for the owner in a session"),
        ("password.rs", "update", "asks for the current password"),
        ("password.rs", "update_within", "asks for the current password"),
        ("profile.rs", "update", "is for the owner in a session"),
        ("role/change.rs", "delete", "checks the holders"),
        ("tenant.rs", "save", "changes a tenant"),
        ("tenant.rs", "set_status", "changes a tenant"),
        ("tenant.rs", "delete", "changes a tenant"),
    ];
    let mut wrong = Vec::new();
    let mut unused: BTreeSet<_> = without_target.iter().map(|(file, verb, _)| format!("{file} {verb}")).collect();
    let mut checked = 0;
    for file in rust_files(&["src/account"]) {
        let path = file.path.trim_start_matches("src/account/").to_owned();
        let code = file.code();
        let starts: Vec<usize> = code.match_indices("async fn ").map(|(at, _)| at).collect();
        for (number, start) in starts.iter().enumerate() {
            let body = &code[*start..starts.get(number + 1).copied().unwrap_or(code.len())];
            let name = body.trim_start_matches("async fn ").split(['(', '<']).next().unwrap();
            let begins = body.contains("Transaction::begin") || body.contains("app.db.begin()");
            if !begins || !body.contains("requester: &Requester") {
                continue;
            }
            checked += 1;
            let (verb, is_checked) = (format!("{path} {name}"), body.contains("power::"));
            if !unused.remove(&verb) && !is_checked {
                wrong.push(verb);
            }
        }
    }
    assert!(wrong.is_empty(), "without a check: {wrong:?}");
    assert!(unused.is_empty(), "listed and gone: {unused:?}");
    assert!(checked > 15, "{checked}");
}
