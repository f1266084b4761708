//! R15: whatever happens in whatever order, the service does what a short model of it says.

mod reference;

use std::cell::RefCell;

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sea_orm::DbBackend;
use serde_json::{Value, json};

use crate::support::database::backend;
use crate::support::prerequisites::is_slow_run;
use crate::support::{Actor, PASSWORD, TestApp, TestResponse};
use reference::Reference;

/// One thing that happens; numbers choose among what there is.
#[derive(Debug, Clone)]
enum Act {
    Register(usize),
    Login { name: usize, is_right: bool },
    Me(usize),
    Refresh(usize),
    Logout(usize, &'static str),
    ChangePassword { pair: usize, is_right: bool },
    SetActive(usize, bool),
    SetAdmin(usize, bool),
    Delete(usize),
    Tick(i64),
    Restart,
}

/// How many names there are; a name may belong to several people, one after the other.
const NAMES: usize = 3;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

fn act() -> impl Strategy<Value = Act> {
    let scope = prop::sample::select(vec!["CURRENT", "OTHERS", "ALL"]);
    let time = prop::sample::select(vec![1, 10, 29, 31, 10 * MINUTE, 15 * MINUTE + 4, 16 * MINUTE, 3 * DAY, 15 * DAY]);
    prop_oneof![
        3 => (0..NAMES).prop_map(Act::Register),
        4 => (0..NAMES, prop::bool::weighted(0.8)).prop_map(|(name, is_right)| Act::Login { name, is_right }),
        8 => any::<usize>().prop_map(Act::Me),
        10 => any::<usize>().prop_map(Act::Refresh),
        3 => (any::<usize>(), scope).prop_map(|(pair, scope)| Act::Logout(pair, scope)),
        2 => (any::<usize>(), prop::bool::weighted(0.7))
            .prop_map(|(pair, is_right)| Act::ChangePassword { pair, is_right }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(person, is_active)| Act::SetActive(person, is_active)),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(person, is_admin)| Act::SetAdmin(person, is_admin)),
        1 => any::<usize>().prop_map(Act::Delete),
        6 => time.prop_map(Act::Tick),
        // It takes longer than all the others together.
        1 => prop::bool::weighted(0.3).prop_map(|is_due| if is_due { Act::Restart } else { Act::Tick(1) }),
    ]
}

/// The service, what should be true of it, and what its clients hold.
struct Harness {
    app: Option<TestApp>,
    expected: Reference,
    /// Access and refresh tokens, one for each pair of the model.
    tokens: Vec<(String, String)>,
    /// The id of each person of the model.
    ids: Vec<String>,
    sequence: usize,
    passwords: u32,
}

impl Harness {
    /// New people in a service that others have used.
    fn next(&mut self) {
        self.sequence += 1;
        self.passwords = 0;
        self.expected = Reference::default();
        self.tokens.clear();
        self.ids.clear();
    }

    fn anonymous(&self) -> Actor {
        self.app.as_ref().unwrap().anonymous()
    }

    fn name(&self, name: usize) -> String {
        format!("n{}-{name}", self.sequence)
    }

    fn password(&self, number: u32) -> String {
        format!("{PASSWORD}-{number}")
    }

    /// Keeps what a payload hands out, and tells how it went.
    fn kept(&mut self, payload: &Value) -> String {
        assert!(payload.is_object(), "no answer of GraphQL");
        if let Some(access) = payload["tokens"]["accessToken"].as_str() {
            let refresh = payload["tokens"]["refreshToken"].as_str().unwrap();
            self.tokens.push((access.to_owned(), refresh.to_owned()));
        }
        match payload["errors"][0]["code"].as_str() {
            Some(code) => code.to_owned(),
            None => payload["outcome"].as_str().unwrap_or("OK").to_owned(),
        }
    }

    /// Does it, and tells how it went and how it should have gone; nothing if there is nobody to do it.
    async fn act(&mut self, act: &Act) -> Option<(String, String)> {
        const WANTED: &str = "tokens { accessToken refreshToken } errors { code }";
        let anonymous = self.anonymous();
        let pairs = self.tokens.len();
        let people = self.ids.len();
        let (done, expected) = match act {
            Act::Register(name) => {
                let input = json!({ "username": self.name(*name), "password": self.password(0) });
                let answer = anonymous.mutate("register", input, &format!("user {{ id }} {WANTED}")).await;
                let payload = answer.data()["register"].clone();
                self.ids.extend(payload["user"]["id"].as_str().map(str::to_owned));
                (self.kept(&payload), self.expected.register(*name).to_owned())
            }
            Act::Login { name, is_right } => {
                let owner = self.expected.owner(*name).map(|person| self.expected.users[person].password);
                let password = if *is_right { owner.unwrap_or(0) } else { u32::MAX };
                let input = json!({ "username": self.name(*name), "password": self.password(password) });
                let answer = anonymous.mutate("login", input, WANTED).await;
                (self.kept(&answer.data()["login"]), self.expected.login(*name, password).to_owned())
            }
            _ if pairs == 0 && matches!(act, Act::Me(_) | Act::Refresh(_) | Act::Logout(..)) => return None,
            Act::Me(pair) => {
                let answer = self.holder(pair % pairs).send("{ me { roles } }", json!({})).await;
                let done = reason(&answer).unwrap_or_else(|| answer.data()["me"]["roles"].to_string());
                let expected = match self.expected.identify(pair % pairs) {
                    Ok(person) if self.expected.users[person].is_admin => r#"["admin"]"#,
                    Ok(_) => "[]",
                    Err(reason) => reason,
                };
                (done, expected.to_owned())
            }
            Act::Refresh(pair) => {
                let input = json!({ "refreshToken": self.tokens[pair % pairs].1 });
                let answer = anonymous.mutate("refresh", input, &format!("outcome {WANTED}")).await;
                let expected = self.expected.refresh(pair % pairs).to_owned();
                let payload = answer.data()["refresh"].clone();
                let refused = payload["errors"][0]["code"].as_str().map(str::to_owned);
                (refused.unwrap_or_else(|| self.kept(&payload)), expected)
            }
            Act::Logout(pair, scope) => {
                let query = format!("mutation {{ logout(input: {{ scope: {scope} }}) {{ revokedSessionCount }} }}");
                let answer = self.holder(pair % pairs).send(&query, json!({})).await;
                let done = match reason(&answer) {
                    Some(reason) => reason,
                    None => answer.data()["logout"]["revokedSessionCount"].to_string(),
                };
                (done, self.expected.logout(pair % pairs, scope))
            }
            Act::ChangePassword { pair, is_right } => {
                let pair = pair.checked_rem(pairs)?;
                let person = self.expected.sessions[self.expected.pairs[pair].session].user;
                let current = if *is_right { self.expected.users[person].password } else { u32::MAX };
                self.passwords += 1;
                let new = self.passwords;
                let input = json!({ "currentPassword": self.password(current), "newPassword": self.password(new) });
                let answer = self.holder(pair).mutate("updatePassword", input, WANTED).await;
                let done = match reason(&answer) {
                    Some(reason) => reason,
                    None => self.kept(&answer.data()["updatePassword"]),
                };
                (done, self.expected.change_password(pair, current, new).to_owned())
            }
            Act::SetActive(person, is_active) => {
                let person = person.checked_rem(people)?;
                let status = if *is_active { "ACTIVE" } else { "DISABLED" };
                let input = json!({ "userId": self.ids[person], "status": status });
                (self.by_root("setUserStatus", input).await, self.expected.set_active(person, *is_active).to_owned())
            }
            Act::SetAdmin(person, is_admin) => {
                let person = person.checked_rem(people)?;
                let roles = if *is_admin { json!(["admin"]) } else { json!([]) };
                let input = json!({ "userId": self.ids[person], "roles": roles });
                (self.by_root("setUserRoles", input).await, self.expected.set_admin(person, *is_admin).to_owned())
            }
            Act::Delete(person) => {
                let person = person.checked_rem(people)?;
                let input = json!({ "userId": self.ids[person] });
                (self.by_root("deleteUser", input).await, self.expected.delete(person).to_owned())
            }
            Act::Tick(seconds) => {
                self.app.as_ref().unwrap().clock.advance(TimeDelta::seconds(*seconds));
                self.expected.now += seconds;
                return None;
            }
            Act::Restart => {
                self.app = Some(self.app.take().unwrap().restart().await);
                return None;
            }
        };
        assert_eq!(self.tokens.len(), self.expected.pairs.len(), "tokens were handed out, or not: {done}, {expected}");
        Some((done, expected))
    }

    /// Whoever has the access token of this pair.
    fn holder(&self, pair: usize) -> Actor {
        self.anonymous().with_token(&self.tokens[pair].0)
    }

    async fn by_root(&self, field: &str, input: Value) -> String {
        let root = self.app.as_ref().unwrap().login("root", PASSWORD).await;
        let answer = root.mutate(field, input, "errors { code }").await;
        answer.payload_error(field).unwrap_or_else(|| "OK".to_owned())
    }
}

/// Why the access token was refused, if it was.
fn reason(answer: &TestResponse) -> Option<String> {
    let json = answer.json();
    let extensions = &json["errors"][0]["extensions"];
    (extensions["code"] == "UNAUTHENTICATED").then(|| extensions["reason"].as_str().unwrap_or_default().to_owned())
}

/// R15: 10,000 sequences in the slow profile.
#[test]
fn random_operation_sequences_agree_with_the_model() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = runtime.block_on(async {
        let app = TestApp::new().await;
        app.admin("root").await;
        app
    });
    let world = RefCell::new(Harness {
        app: Some(app),
        expected: Reference::default(),
        tokens: Vec::new(),
        ids: Vec::new(),
        sequence: 0,
        passwords: 0,
    });
    let cases = match backend() {
        _ if is_slow_run() => 10_000,
        DbBackend::Sqlite => 200,
        // The rules are the same; the statements are other ones.
        _ => 20,
    };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(act(), 1..40), |acts| {
        let mut world = world.borrow_mut();
        world.next();
        for (number, act) in acts.iter().enumerate() {
            if let Some((done, expected)) = runtime.block_on(world.act(act)) {
                prop_assert_eq!(done, expected, "step {}, {:?}", number, act);
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    runtime.block_on(async { world.into_inner().app.take().unwrap().stop().await });
}
