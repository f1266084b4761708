//! What a refused request costs: every root field and every route with the longest texts that fit, from an address
//! without budget. No password is hashed or judged, no long text is normalised, and the log gets one line.

use std::io::Write;
use std::sync::{Arc, Mutex};

use accountd::clock::Clock;
use accountd::limits::rate_limits::RateLimitKey;
use accountd::limits::token_bucket::TokenBucket;
use accountd::security::normalize;
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::actors::{ActorKind, Fixture};
use super::{printed, routes, rows};
use crate::support::schema_inputs::{base_type, schema_inputs};
use crate::support::{Actor, TestApp};

/// Somebody whose budgets are spent.
const ADDRESS: &str = "192.0.2.7";

/// A sign that stands for eighteen: what normalising likes least.
fn long() -> String {
    "\u{fdfa}".repeat(2_000)
}

/// Most bytes that a refused request may have normalised: as many as short names have.
const FEW_BYTES: u64 = 2_048;

async fn drain_bucket(app: &TestApp, budget: &TokenBucket, subject: RateLimitKey) {
    while budget.take(subject, app.clock.now()).await.is_ok() {}
}

/// Leaves nothing for the address, and nothing for the changes of the user `ann`.
async fn drain_all_buckets(world: &Fixture) {
    let throttle = &world.app.app.throttle;
    let address = RateLimitKey::address(ADDRESS.parse().unwrap());
    for budget in [
        &throttle.failed_logins,
        &throttle.registration_attempts,
        &throttle.registrations,
        &throttle.username_checks,
        &throttle.failed_introspections,
        &throttle.legacy_logins,
        &throttle.legacy_registrations,
    ] {
        drain_bucket(&world.app, budget, address).await;
    }
    for user in 1..=16 {
        drain_bucket(&world.app, &throttle.changes_across_sessions, RateLimitKey::user(user)).await;
    }
}

/// Lines of a log.
#[derive(Clone, Default)]
struct LogLines(Arc<Mutex<Vec<u8>>>);

impl Write for LogLines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl LogLines {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

/// What one request has cost.
struct Cost {
    jobs: u64,
    bytes: u64,
    log: String,
}

impl Cost {
    async fn of<T>(world: &Fixture, request: impl Future<Output = T>) -> (Self, T) {
        let lines = LogLines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_ansi(false);
        let _guard = tracing::subscriber::set_default(log.with_writer(move || writer.clone()).finish());
        let hasher = &world.app.app.hasher;
        let (jobs, bytes) = (hasher.jobs(), normalize::normalized_bytes());
        let answer = request.await;
        (Self { jobs: hasher.jobs() - jobs, bytes: normalize::normalized_bytes() - bytes, log: lines.take() }, answer)
    }

    fn check(&self, what: &str, wrong: &mut Vec<String>) {
        if self.jobs > 0 {
            wrong.push(format!("{what}: {} jobs for the hashing threads", self.jobs));
        }
        if self.bytes > FEW_BYTES {
            wrong.push(format!("{what}: {} bytes were normalised", self.bytes));
        }
        if self.log.lines().count() != 1 {
            wrong.push(format!("{what}: not one line in the log: {}", self.log));
        }
    }
}

/// The variables with a long text in every member that takes one.
fn lengthened(field: &str, mut variables: Value) -> Value {
    let schema = schema_inputs();
    let arguments = schema.root_fields.get(field).into_iter().flatten();
    let input = arguments.filter(|(name, _)| name == "input").find_map(|(_, of)| schema.objects.get(base_type(of)));
    for (member, of) in input.into_iter().flatten() {
        if base_type(of) == "String" {
            let is_list = of.to_string().starts_with('[');
            variables["input"][member] = if is_list { json!([long()]) } else { json!(long()) };
        }
    }
    for name in ["username", "email"] {
        if variables.get(name).is_some() {
            variables[name] = json!(long());
        }
    }
    variables
}

fn limited() -> [(&'static str, &'static str); 2] {
    [("ACCOUNTD_LIMITS__ENABLED", "true"), ("ACCOUNTD_GRAPHQL__MAX_VARIABLE_BYTES", "65536")]
}

/// Mutations that need no permission: by whom the refusals are counted.
fn open_mutations() -> Vec<String> {
    let is_open = |guard: &super::Guard| guard.any.is_empty() || guard.or_owner;
    let printed = printed().into_iter();
    let open = printed.filter(|(field, guard)| field.starts_with("Mutation.") && guard.as_ref().is_some_and(is_open));
    open.map(|(field, _)| field).collect()
}

#[tokio::test]
async fn refused_operation_does_not_hash_check_or_normalize() {
    let world = Fixture::with(&limited()).await;
    drain_all_buckets(&world).await;
    let mut wrong = Vec::new();
    let mut refused = Vec::new();
    for row in rows().iter().filter(|row| !row.field.starts_with("Subscription.")) {
        for who in [ActorKind::Anonymous, ActorKind::Owner] {
            let actor = world.actor(who).at_address(ADDRESS);
            let variables = lengthened(row.field, (row.variables)(&world, who, &actor));
            let (cost, answer) = Cost::of(&world, row.send(&actor, variables)).await;
            cost.check(&format!("{} for {who:?}", row.field), &mut wrong);
            if answer.text.contains("TOO_MANY_ATTEMPTS") {
                refused.push((row.field, who));
            }
        }
    }
    for field in ["Mutation.login", "Mutation.register"] {
        // Each with its own budget, whoever asks; a name or a device name that is too long is refused even before.
        let short = json!({ "username": "nobody", "password": long() });
        let answer = world.app.anonymous().at_address(ADDRESS).mutate(&field[9..], short, "errors { code }").await;
        assert!(answer.text.contains("TOO_MANY_ATTEMPTS"), "{field}: {}", answer.text);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A sibling without a budget has no row here that could be forgotten: the schema says which mutations need no
/// permission.
#[tokio::test]
async fn every_public_mutation_is_rate_limited() {
    let world = Fixture::with(&limited()).await;
    drain_all_buckets(&world).await;
    let ann = world.actor(ActorKind::Owner);
    for field in open_mutations() {
        let row = rows().into_iter().find(|row| row.field == field).unwrap();
        let answer = row.send(&ann, (row.variables)(&world, ActorKind::Owner, &ann)).await;
        assert!(answer.text.contains("TOO_MANY_ATTEMPTS"), "{field} has no budget: {}", answer.text);
    }
    assert!(open_mutations().len() >= 6, "{:?}", open_mutations());
}

/// Holders of the permission, too, look for names that nobody can have without any normalisation.
#[tokio::test]
async fn search_for_overlong_name_does_not_normalize() {
    let world = Fixture::with(&limited()).await;
    let admin = world.actor(ActorKind::Admin);
    let mut wrong = Vec::new();
    for name in ["username", "email"] {
        let query = format!("query ($name: String) {{ user({name}: $name) {{ id }} }}");
        let (cost, answer) = Cost::of(&world, admin.send(&query, json!({ "name": long() }))).await;
        assert_eq!(answer.data()["user"], Value::Null, "{name}");
        cost.check(name, &mut wrong);
    }
    let members = &schema_inputs().objects["UserFilter"];
    let texts = members.iter().filter(|(_, of)| base_type(of) == "String");
    for (member, _) in texts {
        let query = "query ($filter: UserFilter) { users(filter: $filter) { totalCount nodes { id } } }";
        let (cost, answer) = Cost::of(&world, admin.send(query, json!({ "filter": { member: long() } }))).await;
        let found = answer.json()["data"]["users"]["nodes"].as_array().map_or(0, Vec::len);
        assert_eq!(found, 0, "{member}: {}", answer.text);
        cost.check(member, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The texts of a body made long; what a route takes as a whole is the table of routes.
fn long_body(body: &Value) -> Value {
    match body {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), if name == "query" { value.clone() } else { long_body(value) }))
            .collect(),
        Value::String(_) => json!(long()),
        other => other.clone(),
    }
}

async fn send(row: &routes::Row, actor: &Actor, who: ActorKind) -> crate::support::TestResponse {
    let (method, route) = row.route.split_once(' ').unwrap();
    let path = row
        .path
        .as_deref()
        .unwrap_or(route)
        .replace("username=eve", &format!("username={}", "%EF%B7%BA".repeat(2_000)));
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", long(), long())));
    let is_basic = !(row.headers)().is_empty();
    let mut headers = vec![];
    if is_basic {
        headers.push(("authorization", basic.as_str()));
    }
    let body = long_body(&(row.body)(who, actor));
    let body = if body.is_null() {
        String::new()
    } else {
        headers.push(("content-type", "application/json"));
        body.to_string()
    };
    actor.request(method.parse::<Method>().unwrap(), &path, &headers, body).await
}

#[tokio::test]
async fn refused_route_does_not_hash_check_or_normalize() {
    let world = Fixture::with(&limited()).await;
    drain_all_buckets(&world).await;
    let mut wrong = Vec::new();
    for row in routes::rows() {
        let anonymous = world.app.anonymous().at_address(ADDRESS);
        let (cost, answer) = Cost::of(&world, send(&row, &anonymous, ActorKind::Anonymous)).await;
        cost.check(&row.route, &mut wrong);
        let is_login = row.route.starts_with("POST") && row.route.ends_with("/login");
        let asks = row.route.starts_with("GET") && row.route.ends_with("/login");
        if (is_login || asks) && answer.status != 429 {
            wrong.push(format!("{}: {} instead of 429: {}", row.route, answer.status, answer.text));
        }
        let (cost, _) =
            Cost::of(&world, send(&row, &world.actor(ActorKind::Owner).at_address(ADDRESS), ActorKind::Owner)).await;
        cost.check(&format!("{} for the owner", row.route), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Promise B2: without budget nothing is looked up, so that no time tells who exists; the database is not even there.
#[tokio::test]
async fn rate_limited_address_gets_no_database_read() {
    let world = Fixture::with(&limited()).await;
    let login = |name: &'static str, device: Option<String>| {
        let actor = world.app.anonymous().at_address(ADDRESS);
        async move {
            let input = json!({ "username": name, "password": "x", "deviceToken": device });
            actor.mutate("login", input, "errors { code }").await
        }
    };
    let input = json!({ "username": "eve", "password": crate::support::PASSWORD });
    let foreign = world.app.anonymous().mutate_ok("login", input, "deviceToken").await["deviceToken"].clone();
    let foreign = foreign.as_str().unwrap().to_owned();
    drain_all_buckets(&world).await;
    world.app.app.db.close().await.unwrap();
    for name in ["ann", "dora", "nobody"] {
        for device in [None, Some("x".to_owned()), Some(foreign.clone())] {
            let answer = login(name, device).await;
            assert!(answer.text.contains("TOO_MANY_ATTEMPTS"), "{name}: {}", answer.text);
        }
    }
}
