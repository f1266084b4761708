//! Lost or exhausted connections, and lost commits.

use std::time::{Duration, Instant};

use sea_orm::{ConnectOptions, Database};
use serde_json::json;

use super::Fixture;
use super::proxy::Mode;
use crate::support::{PASSWORD, TEST_TIMEOUT};

/// S9, R7: silently lost connections are given up, the poller's own among them: the cache is used again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silently_dropped_connections_recover() {
    let Some(fixture) = Fixture::new().await else { return };
    // Served without any request to the database.
    let is_cached = || {
        let before = fixture.proxy.requests();
        fixture.me().0 == 200 && fixture.proxy.requests() == before
    };
    let is_soon_believed = || {
        let begun = Instant::now();
        while !is_cached() {
            assert!(begun.elapsed() < TEST_TIMEOUT, "every request still reads the database");
        }
    };
    is_soon_believed();
    fixture.proxy.drop_connections();
    // Until detection no other connection replaces the lost ones, however long that takes here.
    fixture.proxy.set(Mode::Silent);
    let begun = Instant::now();
    while fixture.me().0 == 200 {
        assert!(begun.elapsed() < TEST_TIMEOUT, "the cache is used without invalidations");
    }
    fixture.proxy.set(Mode::Open);
    is_soon_believed();
}

/// R7: others occupy every connection of the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn database_without_free_connections_is_reported_and_recovers() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.proxy.set(Mode::Cut);
    let mut options = ConnectOptions::new(fixture.database.url(fixture.database.port));
    options.min_connections(20).max_connections(20).acquire_timeout(Duration::from_secs(30)).sqlx_logging(false);
    let all = Database::connect(options).await.unwrap();
    fixture.proxy.set(Mode::Open);
    fixture.assert_reported();
    all.close().await.unwrap();
    fixture.assert_recovered();
}

/// R8: a client with an error for a completed request may repeat it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_with_lost_commit_can_be_repeated() {
    let Some(fixture) = Fixture::new().await else { return };
    let lose = |token: &str, query: &str| {
        fixture.proxy.lose_next_commit();
        let (status, body) = fixture.send(token, query);
        assert!(fixture.proxy.has_lost(), "nothing was committed: {body}");
        assert_eq!((status, &body["errors"][0]["extensions"]["code"]), (503, &json!("STORAGE_UNAVAILABLE")), "{body}");
    };
    let renew = format!(
        "mutation {{ refresh(input: {{ refreshToken: \"{}\" }}) {{ outcome tokens {{ accessToken }} }} }}",
        fixture.refresh
    );
    lose("", &renew);
    let (_, body) = fixture.send("", &renew);
    assert_eq!(body["data"]["refresh"]["outcome"], "REPLAYED", "{body}");
    let access = body["data"]["refresh"]["tokens"]["accessToken"].as_str().unwrap();

    let register = format!(
        "mutation {{ register(input: {{ username: \"bob\", password: \"{PASSWORD}\" }}) {{ errors {{ code }} }} }}"
    );
    lose("", &register);
    let (_, body) = fixture.send("", &register);
    assert_eq!(body["data"]["register"]["errors"][0]["code"], "USERNAME_TAKEN", "{body}");
    let login = |name: &str, password: &str| {
        format!(
            "mutation {{ login(input: {{ username: \"{name}\", password: \"{password}\" }}) {{ tokens {{ accessToken }} errors {{ code }} }} }}"
        )
    };
    assert_eq!(fixture.send("", &login("bob", PASSWORD)).1["data"]["login"]["errors"], json!([]));

    let change = |old: &str, new: &str| {
        format!(
            "mutation {{ updatePassword(input: {{ currentPassword: \"{old}\", newPassword: \"{new}\" }}) {{ errors {{ code }} }} }}"
        )
    };
    lose(access, &change(PASSWORD, "another-good-horse-9"));
    // The new session's tokens were lost with the response: log in.
    let (_, body) = fixture.send(access, &change(PASSWORD, "another-good-horse-9"));
    assert_eq!(body["errors"][0]["extensions"]["reason"], "SESSION_ENDED", "{body}");
    let (_, body) = fixture.send("", &login("ann", "another-good-horse-9"));
    assert_eq!(body["data"]["login"]["errors"], json!([]), "{body}");

    let access = body["data"]["login"]["tokens"]["accessToken"].as_str().unwrap();
    lose(access, "mutation { logout { ok } }");
    let (_, body) = fixture.send(access, "{ me { id } }");
    assert_eq!(body["errors"][0]["extensions"]["reason"], "SESSION_ENDED", "{body}");
    let (_, body) = fixture.send(access, "mutation { logout { ok } }");
    assert_eq!(body["data"]["logout"]["ok"], true, "{body}");
}
