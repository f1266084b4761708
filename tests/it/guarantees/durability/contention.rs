//! Contention on one SQLite file: writers queue, and no client sees lock errors.

use std::time::Instant;

use accountd::config::Database as Place;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, TransactionTrait};
use serde_json::{Value, json};

use crate::support::database::{TestDatabase, backend};
use crate::support::process::Process;
use crate::support::{Actor, PASSWORD, TEST_TIMEOUT, TestApp};

/// Refreshes this many times in sequence.
async fn chain(mut actor: Actor, times: usize) -> Actor {
    for _ in 0..times {
        let input = json!({ "refreshToken": actor.refresh_token });
        let answer = actor.mutate_retrying("refresh", input, "tokens { accessToken refreshToken }").await;
        actor = actor.signed_in(&answer.data()["refresh"]);
    }
    actor
}

/// R6: 64 writers and one slow reader; on a slow machine the queue may be too long for some, which retry.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_with_a_slow_reader_get_no_lock_errors() {
    if backend() != DbBackend::Sqlite {
        return;
    }
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut actors = Vec::new();
    for _ in 0..64 {
        actors.push(app.login("ann", PASSWORD).await);
    }
    let reader = app.app.db.reader().begin().await.unwrap();
    reader.execute_unprepared("SELECT count(*) FROM session").await.unwrap();
    let writers: Vec<_> = actors.into_iter().map(|actor| tokio::spawn(chain(actor, 4))).collect();
    for writer in writers {
        assert_eq!(writer.await.unwrap().me_code().await, None);
    }
    reader.rollback().await.unwrap();
}

/// A connection of another program to the file.
async fn foreign_connection(database: &Place) -> DatabaseConnection {
    let Place::Embedded(path) = database else { panic!("no file") };
    let mut options = ConnectOptions::new(format!("sqlite:{}", path.display()));
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// R6: another program keeps the file locked; a request that waits too long gets SERVER_BUSY, and a retry succeeds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn foreign_lock_is_awaited_then_answers_server_busy() {
    if backend() != DbBackend::Sqlite {
        return;
    }
    let app = TestApp::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let other = foreign_connection(&app.app.config.database).await;
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let renewal = |actor: &Actor| {
        let actor = actor.clone();
        tokio::spawn(async move { actor.refresh(actor.refresh_token.as_deref().unwrap()).await })
    };
    let (mut left, mut right) = (renewal(&ann), renewal(&bob));
    assert_eq!(ann.me_code().await, None, "reads continue");
    // One of them waits for the file, and the other for the first.
    let (refused, waiting) = tokio::select! {
        refused = &mut left => (refused.unwrap(), right),
        refused = &mut right => (refused.unwrap(), left),
    };
    assert_eq!(refused.code().as_deref(), Some("SERVER_BUSY"));
    other.execute_unprepared("ROLLBACK").await.unwrap();
    assert_eq!(waiting.await.unwrap().data()["refresh"]["outcome"], "ROTATED");
    // A request that waits for the file itself has a longer, bounded timeout.
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let refused = ann.send("mutation { logout { ok } }", json!({})).await;
    assert_eq!(refused.code().as_deref(), Some("SERVER_BUSY"), "{}", refused.text);
    other.execute_unprepared("ROLLBACK").await.unwrap();
    app.login("bob", PASSWORD).await;
    other.close().await.unwrap();
}

/// R6: two processes on one file respond correctly, and each sees the changes of the other.
#[tokio::test]
async fn two_processes_on_one_sqlite_file_agree() {
    if backend() != DbBackend::Sqlite {
        return;
    }
    let settings = [("ACCOUNTD_LOG__FILTER", "off"), ("ACCOUNTD_LIMITS__ENABLED", "false")];
    let one = Process::start(TestDatabase::migrated().await, &settings);
    assert_eq!(one.get("/readyz"), 200);
    let two = one.second_node(&settings);
    let credentials = format!("username: \"ann\", password: \"{PASSWORD}\"");
    let pair = "tokens { accessToken refreshToken } errors { code }";
    let made = one.graphql("", &format!("mutation {{ register(input: {{ {credentials} }}) {{ {pair} }} }}"), json!({}));
    assert_eq!(made["data"]["register"]["errors"], json!([]), "{made}");
    let login = format!("mutation {{ login(input: {{ {credentials} }}) {{ {pair} }} }}");
    let made = two.graphql("", &login, json!({}))["data"]["login"].clone();
    let token = |made: &Value, name: &str| made["tokens"][name].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let mut refresh = token(&made, "refreshToken");
    let mut access = token(&made, "accessToken");
    for round in 0..5 {
        // Both race for one new pair.
        let renew = |server: &Process| {
            let query =
                format!("mutation {{ refresh(input: {{ refreshToken: \"{refresh}\" }}) {{ outcome {pair} }} }}");
            server.graphql("", &query, json!({}))["data"]["refresh"].clone()
        };
        let (left, right) = std::thread::scope(|scope| {
            let left = scope.spawn(|| renew(&one));
            (renew(&two), left.join().unwrap())
        });
        assert_eq!(left["tokens"]["refreshToken"], right["tokens"]["refreshToken"], "round {round}");
        let mut outcomes = [&left["outcome"], &right["outcome"]].map(|outcome| outcome.as_str().unwrap());
        outcomes.sort_unstable();
        assert_eq!(outcomes, ["REPLAYED", "ROTATED"], "round {round}");
        (refresh, access) = (token(&left, "refreshToken"), token(&left, "accessToken"));
        assert_eq!(two.graphql(&access, "{ me { username } }", json!({}))["data"]["me"]["username"], "ann");
    }
    let out = one.graphql(&access, "mutation { logout { ok } }", json!({}));
    assert_eq!(out["data"]["logout"]["ok"], true, "{out}");
    // S9: the other process may use its cache until it reads the changes; the identity cache tests hold the bound.
    let deadline = Instant::now() + TEST_TIMEOUT;
    loop {
        let me = two.graphql(&access, "{ me { username } }", json!({}));
        if me["errors"][0]["extensions"]["reason"] == "SESSION_ENDED" {
            break;
        }
        assert!(Instant::now() < deadline, "{me}");
    }
    two.stop();
    one.stop();
}
