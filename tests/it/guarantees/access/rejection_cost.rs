//! The cost of a refused request: every root field and every route with the longest accepted texts, from a rate-limited
//! address. No password is hashed or checked, no long text is normalized, and the log gets one line.

mod rest_requests;

use std::io::Write;
use std::sync::{Arc, Mutex};

use accountd::clock::Clock;
use accountd::limits::key::RateLimitKey;
use accountd::limits::token_bucket::TokenBucket;
use accountd::security::normalize;
use serde_json::{Value, json};

use super::actors::{ActorKind, Fixture};
use super::{printed, rows};
use crate::support::TestApp;
use crate::support::schema_inputs::{base_type, schema_inputs};

/// An address whose buckets are empty.
const ADDRESS: &str = "192.0.2.7";

/// One character that expands to eighteen: the worst case of normalization.
fn long() -> String {
    "\u{fdfa}".repeat(2_000)
}

/// Maximum bytes that a refused request may normalize: the size of short names.
const FEW_BYTES: u64 = 2_048;

async fn drain_bucket(app: &TestApp, budget: &TokenBucket, subject: RateLimitKey) {
    while budget.take(subject, app.clock.now()).await.is_ok() {}
}

/// Empties the buckets of the address and of profile changes by the user `ann`.
async fn drain_all_buckets(fixture: &Fixture) {
    let throttle = &fixture.app.app.rate_limits;
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
        drain_bucket(&fixture.app, budget, address).await;
    }
    for user in 1..=16 {
        drain_bucket(&fixture.app, &throttle.changes_across_sessions, RateLimitKey::user(user)).await;
    }
}

/// Captured log lines.
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

/// The cost of one request.
struct Cost {
    jobs: u64,
    bytes: u64,
    log: String,
}

impl Cost {
    async fn of<T>(fixture: &Fixture, request: impl Future<Output = T>) -> (Self, T) {
        let lines = LogLines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_ansi(false);
        let _guard = tracing::subscriber::set_default(log.with_writer(move || writer.clone()).finish());
        let hasher = &fixture.app.app.hasher;
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
        // On a busy machine the poller, which serves no request, may warn meanwhile.
        if self.log.lines().filter(|line| !line.contains("accountd::cache::invalidation_poller")).count() != 1 {
            wrong.push(format!("{what}: not one line in the log: {}", self.log));
        }
    }
}

/// The variables with a long text in every text member.
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

/// Mutations without required permission, with the limit that counts their refusals.
fn open_mutations() -> Vec<String> {
    let is_open = |guard: &super::Guard| guard.any.is_empty() || guard.or_owner;
    let printed = printed().into_iter();
    let open = printed.filter(|(field, guard)| field.starts_with("Mutation.") && guard.as_ref().is_some_and(is_open));
    open.map(|(field, _)| field).collect()
}

/// Writes the request line once. A tracing callsite that is reached first by a thread without subscriber stays disabled
/// until the next subscriber is set; tests run in parallel, so the first line could be missing.
async fn register_log_callsite(fixture: &Fixture) {
    Cost::of(fixture, fixture.app.anonymous().send("{ me { id } }", json!({}))).await;
}

#[tokio::test]
async fn refused_operation_does_not_hash_check_or_normalize() {
    let fixture = Fixture::with(&limited()).await;
    drain_all_buckets(&fixture).await;
    register_log_callsite(&fixture).await;
    let mut wrong = Vec::new();
    let mut refused = Vec::new();
    for row in rows().iter().filter(|row| !row.field.starts_with("Subscription.")) {
        for who in [ActorKind::Anonymous, ActorKind::Owner] {
            let actor = fixture.actor(who).at_address(ADDRESS);
            let variables = lengthened(row.field, (row.variables)(&fixture, who, &actor));
            let (cost, answer) = Cost::of(&fixture, row.send(&actor, variables)).await;
            cost.check(&format!("{} for {who:?}", row.field), &mut wrong);
            if answer.text.contains("TOO_MANY_ATTEMPTS") {
                refused.push((row.field, who));
            }
        }
    }
    for field in ["Mutation.login", "Mutation.register"] {
        // Each has its own bucket per caller; an overlong name or device name is refused even earlier.
        let short = json!({ "username": "nobody", "password": long() });
        let answer = fixture.app.anonymous().at_address(ADDRESS).mutate(&field[9..], short, "errors { code }").await;
        assert!(answer.text.contains("TOO_MANY_ATTEMPTS"), "{field}: {}", answer.text);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The schema lists the mutations without required permission, so none can lack a row.
#[tokio::test]
async fn every_public_mutation_is_rate_limited() {
    let fixture = Fixture::with(&limited()).await;
    drain_all_buckets(&fixture).await;
    register_log_callsite(&fixture).await;
    let ann = fixture.actor(ActorKind::Owner);
    for field in open_mutations() {
        let row = rows().into_iter().find(|row| row.field == field).unwrap();
        let answer = row.send(&ann, (row.variables)(&fixture, ActorKind::Owner, &ann)).await;
        assert!(answer.text.contains("TOO_MANY_ATTEMPTS"), "{field} has no rate limit: {}", answer.text);
    }
    assert!(open_mutations().len() >= 6, "{:?}", open_mutations());
}

/// A search by permission holders for impossible names needs no normalization either.
#[tokio::test]
async fn search_for_overlong_name_does_not_normalize() {
    let fixture = Fixture::with(&limited()).await;
    let admin = fixture.actor(ActorKind::Admin);
    let mut wrong = Vec::new();
    for name in ["username", "email"] {
        let query = format!("query ($name: String) {{ user({name}: $name) {{ id }} }}");
        let (cost, answer) = Cost::of(&fixture, admin.send(&query, json!({ "name": long() }))).await;
        assert_eq!(answer.data()["user"], Value::Null, "{name}");
        cost.check(name, &mut wrong);
    }
    let members = &schema_inputs().objects["UserFilter"];
    let texts = members.iter().filter(|(_, of)| base_type(of) == "String");
    for (member, _) in texts {
        let query = "query ($filter: UserFilter) { users(filter: $filter) { totalCount nodes { id } } }";
        let (cost, answer) = Cost::of(&fixture, admin.send(query, json!({ "filter": { member: long() } }))).await;
        let found = answer.json()["data"]["users"]["nodes"].as_array().map_or(0, Vec::len);
        assert_eq!(found, 0, "{member}: {}", answer.text);
        cost.check(member, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
