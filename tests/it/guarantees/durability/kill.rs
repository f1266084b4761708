//! The process is killed right after an acknowledgement; the next process has all acknowledged writes.

use entity::{audit_event, revoked_token, session, user};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, Statement};
use serde_json::{Value, json};

use crate::support::PASSWORD;
use crate::support::database::{TestDatabase, backend};
use crate::support::prerequisites::is_slow_run;
use crate::support::process::{Process, program};

/// Cheap hashes at the minimum cost, no limits, and a quiet log.
const SETTINGS: [(&str, &str); 3] =
    [("ACCOUNTD_LIMITS__ENABLED", "false"), ("ACCOUNTD_LOG__FILTER", "off"), ("ACCOUNTD_PASSWORD__HASH_THREADS", "2")];

const PAIR: &str = "tokens { accessToken refreshToken } user { id } errors { code }";

/// Sends the mutation `field` and returns its payload.
fn mutate(server: &Process, token: &str, field: &str, input: Value, wanted: &str) -> Value {
    let kind = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let query = format!("mutation ($input: {kind}!) {{ {field}(input: $input) {{ {wanted} }} }}");
    let answer = server.graphql(token, &query, json!({ "input": input }));
    assert!(answer.get("errors").is_none(), "{field}: {answer}");
    answer["data"][field].clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn login(server: &Process, name: &str, password: &str) -> Value {
    mutate(server, "", "login", json!({ "username": name, "password": password }), PAIR)
}

/// The reason with which `me` is refused for this token, or null.
fn reason(server: &Process, token: &str) -> Value {
    server.graphql(token, "{ me { id } }", json!({}))["errors"][0]["extensions"]["reason"].clone()
}

/// The expected state, from the clients' view, of a server that is killed repeatedly.
struct ClientState {
    /// The user that all steps change, and its number.
    name: String,
    number: usize,
    password: String,
    id: String,
    access: String,
    refresh: String,
    root: String,
}

const STEPS: usize = 7;

/// A check after a restart.
type Check = Box<dyn Fn(&Process, &ClientState)>;

impl ClientState {
    /// Runs one step, and returns the check that holds from its acknowledgement on.
    fn act(&mut self, server: &Process, step: usize) -> Check {
        match step % STEPS {
            0 => {
                self.number += 1;
                self.name = format!("user-{}", self.number);
                self.password = PASSWORD.to_owned();
                let input = json!({ "username": self.name, "password": self.password });
                let made = mutate(server, "", "register", input, PAIR);
                self.id = text(&made["user"]["id"]);
                self.record(&made);
                Box::new(|server, own| assert_eq!(reason(server, &own.access), Value::Null, "registered"))
            }
            1 => {
                let made = login(server, &self.name, &self.password);
                self.record(&made);
                Box::new(|server, own| assert_eq!(reason(server, &own.access), Value::Null, "logged in"))
            }
            2 => {
                let before = self.refresh.clone();
                let made = mutate(server, "", "refresh", json!({ "refreshToken": before }), PAIR);
                self.record(&made);
                Box::new(move |server, own| {
                    let again = mutate(server, "", "refresh", json!({ "refreshToken": before }), PAIR);
                    assert_eq!(again["tokens"]["refreshToken"], own.refresh, "one new pair");
                    assert_eq!(reason(server, &own.access), Value::Null, "refreshed");
                })
            }
            3 => {
                let before = self.access.clone();
                let input = json!({ "currentPassword": self.password, "newPassword": "another-good-horse-9" });
                let made = mutate(server, &before, "updatePassword", input, PAIR);
                self.record(&made);
                let old = std::mem::replace(&mut self.password, "another-good-horse-9".to_owned());
                Box::new(move |server, own| {
                    assert_eq!(reason(server, &own.access), Value::Null, "the password was changed");
                    let refused = login(server, &own.name, &old);
                    assert_eq!(refused["errors"][0]["code"], "INVALID_CREDENTIALS");
                    assert_eq!(login(server, &own.name, &own.password)["errors"], json!([]));
                })
            }
            4 => {
                let input = json!({ "userId": self.id, "roles": ["admin"] });
                mutate(server, &self.root, "setUserRoles", input, "user { id }");
                Box::new(|server, own| {
                    let me = server.graphql(&own.access, "{ me { roles } }", json!({}));
                    assert_eq!(me["data"]["me"]["roles"], json!(["admin"]), "{me}");
                })
            }
            5 => {
                let out = server.graphql(&self.access, "mutation { logout { ok } }", json!({}));
                assert_eq!(out["data"]["logout"]["ok"], true, "{out}");
                // S10
                Box::new(|server, own| assert_eq!(reason(server, &own.access), "SESSION_ENDED", "logged out"))
            }
            _ => {
                mutate(server, &self.root, "deleteUser", json!({ "userId": self.id }), "deletedUserId");
                Box::new(|server, own| {
                    let refused = login(server, &own.name, &own.password);
                    assert_eq!(refused["errors"][0]["code"], "INVALID_CREDENTIALS", "deleted");
                })
            }
        }
    }

    fn record(&mut self, made: &Value) {
        self.access = text(&made["tokens"]["accessToken"]);
        self.refresh = text(&made["tokens"]["refreshToken"]);
    }
}

/// The first server, and an administrator's access token.
async fn with_root() -> (Process, String) {
    let database = TestDatabase::migrated().await;
    let mut create = program(&database);
    create.args(["admin", "create", "root", "--password-stdin"]).stdin(std::process::Stdio::piped());
    let mut create = create.envs(SETTINGS).stdout(std::process::Stdio::null()).spawn().unwrap();
    std::io::Write::write_all(create.stdin.as_mut().unwrap(), PASSWORD.as_bytes()).unwrap();
    assert!(create.wait().unwrap().success());
    let server = Process::start(database, &SETTINGS);
    let root = text(&login(&server, "root", PASSWORD)["tokens"]["accessToken"]);
    (server, root)
}

/// R1, S10: killed right after the last byte of the response; all writes are there. 200 rounds in the slow profile.
#[tokio::test]
async fn acknowledged_write_survives_a_kill() {
    let (mut server, root) = with_root().await;
    let empty = String::new;
    let mut clients = ClientState {
        name: empty(),
        number: 0,
        password: empty(),
        id: empty(),
        access: empty(),
        refresh: empty(),
        root,
    };
    let rounds = if is_slow_run() { 203 } else { STEPS };
    for round in 0..rounds {
        let holds = clients.act(&server, round);
        server = Process::start(server.kill(), &SETTINGS);
        holds(&server, &clients);
    }
    is_sound(&server).await;
    server.stop();
}

/// R1: killed during many parallel requests, each of them is done completely or not at all.
#[tokio::test]
async fn unacknowledged_write_is_atomic_after_a_kill() {
    let (mut server, root) = with_root().await;
    let input = json!({ "username": "ann", "password": PASSWORD });
    mutate(&server, "", "register", input, PAIR);
    for round in 0..if is_slow_run() { 40 } else { 4 } {
        let body = |query: &str| json!({ "query": query });
        let mut open = Vec::new();
        for number in 0..12 {
            let login = format!(
                "mutation {{ login(input: {{ username: \"ann\", password: \"{PASSWORD}\" }}) {{ errors {{ code }} }} }}"
            );
            let register = format!(
                "mutation {{ register(input: {{ username: \"r-{round}-{number}\", password: \"{PASSWORD}\" }}) {{ errors {{ code }} }} }}"
            );
            let query = if number % 2 == 0 { login } else { register };
            open.push(server.start_request("/graphql", "", &body(&query)));
        }
        let authorization = format!("authorization: Bearer {root}\r\n");
        let save = format!(
            "mutation {{ saveRole(input: {{ name: \"role-{round}\", permissions: [] }}) {{ role {{ id }} }} }}"
        );
        open.push(server.start_request("/graphql", &authorization, &body(&save)));
        // Another moment in each round, from the first responses to the last.
        for stream in open.iter_mut().take(3 * (round % 4)) {
            std::io::Read::read_to_string(stream, &mut String::new()).ok();
        }
        server = Process::start(server.kill(), &SETTINGS);
        is_sound(&server).await;
    }
    server.stop();
}

/// Asserts that the rows are consistent and the file is intact.
async fn is_sound(server: &Process) {
    // The first response comes when the database is open.
    assert_eq!(server.get("/readyz"), 200);
    let db = accountd::database::Database::connect(&server.database().config()).await.unwrap();
    let reader = db.reader();
    if backend() == DbBackend::Sqlite {
        let check = Statement::from_sql_and_values(DbBackend::Sqlite, "PRAGMA integrity_check", []);
        let row = reader.query_one_raw(check).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<String>(0).unwrap(), "ok");
    }
    let recorded = |action: &'static str| {
        let records = audit_event::Entity::find().filter(audit_event::Column::Action.eq(action));
        records.filter(audit_event::Column::Outcome.eq(audit_event::Outcome::Success)).count(reader)
    };
    let users = user::Entity::find().count(reader).await.unwrap();
    let made = recorded("register").await.unwrap() + recorded("admin.create").await.unwrap();
    assert_eq!(users + recorded("user.delete").await.unwrap(), made, "a record for each user");
    let ended = session::Entity::find().filter(session::Column::EndedAt.is_not_null());
    for session in ended.all(reader).await.unwrap() {
        let id = accountd::account::names::id::SessionId::from(session.uid).to_string();
        let listed = revoked_token::Entity::find_by_id(id).count(reader).await.unwrap();
        assert_eq!(listed, 1, "an entry for each ended session");
    }
    db.close().await.unwrap();
}
