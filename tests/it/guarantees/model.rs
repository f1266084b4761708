//! R15: model-based test: after any sequence of operations, the service agrees with a short model of it.

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

/// One operation; numbers choose among the existing objects.
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

/// The number of names; a name may belong to several users, one after the other.
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
        2 => (any::<usize>(), any::<bool>()).prop_map(|(user, is_active)| Act::SetActive(user, is_active)),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(user, is_admin)| Act::SetAdmin(user, is_admin)),
        1 => any::<usize>().prop_map(Act::Delete),
        6 => time.prop_map(Act::Tick),
        // It takes longer than all the others together.
        1 => prop::bool::weighted(0.3).prop_map(|is_due| if is_due { Act::Restart } else { Act::Tick(1) }),
    ]
}

/// The service, its model, and the clients' tokens.
struct Harness {
    app: Option<TestApp>,
    expected: Reference,
    /// Access and refresh tokens, one for each pair of the model.
    tokens: Vec<(String, String)>,
    /// The id of each user of the model.
    ids: Vec<String>,
    sequence: usize,
    passwords: u32,
}

impl Harness {
    /// Resets the model to new users in a used service.
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

    /// Stores the tokens of a payload, and returns the result.
    fn store_tokens(&mut self, payload: &Value) -> String {
        assert!(payload.is_object(), "not a GraphQL response");
        if let Some(access) = payload["tokens"]["accessToken"].as_str() {
            let refresh = payload["tokens"]["refreshToken"].as_str().unwrap();
            self.tokens.push((access.to_owned(), refresh.to_owned()));
        }
        match payload["errors"][0]["code"].as_str() {
            Some(code) => code.to_owned(),
            None => payload["outcome"].as_str().unwrap_or("OK").to_owned(),
        }
    }

    /// Runs the operation, and returns the actual and the expected result; nothing without an actor.
    async fn act(&mut self, act: &Act) -> Option<(String, String)> {
        const WANTED: &str = "tokens { accessToken refreshToken } errors { code }";
        let anonymous = self.anonymous();
        let pairs = self.tokens.len();
        let users = self.ids.len();
        let (done, expected) = match act {
            Act::Register(name) => {
                let input = json!({ "username": self.name(*name), "password": self.password(0) });
                let answer = anonymous.mutate("register", input, &format!("user {{ id }} {WANTED}")).await;
                let payload = answer.data()["register"].clone();
                self.ids.extend(payload["user"]["id"].as_str().map(str::to_owned));
                (self.store_tokens(&payload), self.expected.register(*name).to_owned())
            }
            Act::Login { name, is_right } => {
                let owner = self.expected.owner(*name).map(|user| self.expected.users[user].password);
                let password = if *is_right { owner.unwrap_or(0) } else { u32::MAX };
                let input = json!({ "username": self.name(*name), "password": self.password(password) });
                let answer = anonymous.mutate("login", input, WANTED).await;
                (self.store_tokens(&answer.data()["login"]), self.expected.login(*name, password).to_owned())
            }
            _ if pairs == 0 && matches!(act, Act::Me(_) | Act::Refresh(_) | Act::Logout(..)) => return None,
            Act::Me(pair) => {
                let answer = self.holder(pair % pairs).send("{ me { roles } }", json!({})).await;
                let done = reason(&answer).unwrap_or_else(|| answer.data()["me"]["roles"].to_string());
                let expected = match self.expected.identify(pair % pairs) {
                    Ok(user) if self.expected.users[user].is_admin => r#"["admin"]"#,
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
                (refused.unwrap_or_else(|| self.store_tokens(&payload)), expected)
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
                let user = self.expected.sessions[self.expected.pairs[pair].session].user;
                let current = if *is_right { self.expected.users[user].password } else { u32::MAX };
                self.passwords += 1;
                let new = self.passwords;
                let input = json!({ "currentPassword": self.password(current), "newPassword": self.password(new) });
                let answer = self.holder(pair).mutate("updatePassword", input, WANTED).await;
                let done = match reason(&answer) {
                    Some(reason) => reason,
                    None => self.store_tokens(&answer.data()["updatePassword"]),
                };
                (done, self.expected.change_password(pair, current, new).to_owned())
            }
            Act::SetActive(user, is_active) => {
                let user = user.checked_rem(users)?;
                let status = if *is_active { "ACTIVE" } else { "DISABLED" };
                let input = json!({ "userId": self.ids[user], "status": status });
                (self.by_root("setUserStatus", input).await, self.expected.set_active(user, *is_active).to_owned())
            }
            Act::SetAdmin(user, is_admin) => {
                let user = user.checked_rem(users)?;
                let roles = if *is_admin { json!(["admin"]) } else { json!([]) };
                let input = json!({ "userId": self.ids[user], "roles": roles });
                (self.by_root("setUserRoles", input).await, self.expected.set_admin(user, *is_admin).to_owned())
            }
            Act::Delete(user) => {
                let user = user.checked_rem(users)?;
                let input = json!({ "userId": self.ids[user] });
                (self.by_root("deleteUser", input).await, self.expected.delete(user).to_owned())
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
        assert_eq!(self.tokens.len(), self.expected.pairs.len(), "tokens issued or not: {done}, {expected}");
        Some((done, expected))
    }

    /// The actor with the access token of this pair.
    fn holder(&self, pair: usize) -> Actor {
        self.anonymous().with_token(&self.tokens[pair].0)
    }

    async fn by_root(&self, field: &str, input: Value) -> String {
        let root = self.app.as_ref().unwrap().login("root", PASSWORD).await;
        let answer = root.mutate(field, input, "errors { code }").await;
        answer.payload_error(field).unwrap_or_else(|| "OK".to_owned())
    }
}

/// The reason why the access token was refused, if any.
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
    let harness = RefCell::new(Harness {
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
        // The rules are the same; the statements differ.
        _ => 20,
    };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&prop::collection::vec(act(), 1..40), |acts| {
        let mut harness = harness.borrow_mut();
        harness.next();
        for (number, act) in acts.iter().enumerate() {
            if let Some((done, expected)) = runtime.block_on(harness.act(act)) {
                prop_assert_eq!(done, expected, "step {}, {:?}", number, act);
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    runtime.block_on(async { harness.into_inner().app.take().unwrap().stop().await });
}
