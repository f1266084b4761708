//! The signed revocation list: current on every response, with each entry for as long as it matters.

use std::time::Instant;

use accountd::account::event::revocation::MAX_WAIT;
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::gateway::{Gateway, LIST, part};
use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

mod rotated_tokens;
mod session_limit;
mod user_cutoffs;

async fn get_list(app: &TestApp, query: &str, known: Option<&str>) -> TestResponse {
    let known: Vec<_> = known.map(|tag| ("if-none-match", tag)).into_iter().collect();
    app.anonymous().request(Method::GET, &format!("{LIST}{query}"), &known, "").await
}

async fn list(app: &TestApp) -> Value {
    Gateway::of(app).await.list
}

fn sid(actor: &Actor) -> Value {
    part(actor.token.as_ref().unwrap(), 1)["sid"].clone()
}

#[tokio::test]
async fn revocation_list_has_its_own_typ() {
    let app = TestApp::new().await;
    let answer = get_list(&app, "", None).await;
    assert_eq!(part(&answer.text, 0)["typ"], "revocations+jwt");
    let now = app.clock.current().timestamp();
    let claims = part(&answer.text, 1);
    let expected = json!({
        "iss": "accountd", "aud": "accountd", "iat": now, "exp": now + 900, "sessions": [], "tokens": [], "users": {}, "generations": {},
    });
    assert_eq!(claims, expected);
    // J8: it is no access token.
    assert_eq!(app.anonymous().with_token(&answer.text).me_code().await.as_deref(), Some("UNAUTHENTICATED"));
    assert_eq!(
        app.anonymous().refresh(&answer.text).await.payload_error("refresh").as_deref(),
        Some("REFRESH_TOKEN_INVALID")
    );
}

#[tokio::test]
async fn revocation_list_names_ended_sessions_until_token_expiry() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let other = app.login("ann", PASSWORD).await;
    ann.send("mutation { logout { ok } }", json!({})).await.data();
    assert_eq!(list(&app).await["sessions"], json!([sid(&ann)]), "on this node at once");
    app.clock.advance(TimeDelta::minutes(10));
    let eve = app.user("eve").await;
    other.send("mutation { logout(input: { scope: ALL }) { ok } }", json!({})).await.data();
    assert_eq!(list(&app).await["sessions"], json!([sid(&ann), sid(&other)]));
    app.clock.advance(TimeDelta::minutes(5));
    // With clock skew the token may live some seconds longer.
    eve.send("mutation { logout { ok } }", json!({})).await.data();
    assert_eq!(list(&app).await["sessions"], json!([sid(&ann), sid(&other), sid(&eve)]));
    app.clock.advance(TimeDelta::seconds(10));
    let root = app.admin("root").await;
    root.send("mutation { logout { ok } }", json!({})).await.data();
    assert_eq!(list(&app).await["sessions"], json!([sid(&other), sid(&eve), sid(&root)]));
}

#[tokio::test]
async fn revocation_list_names_users_with_outdated_tokens() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.user("eve").await);
    let first = app.clock.current().timestamp();
    root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": ["admin"] }), "user { id }").await;
    root.mutate_ok("setUserStatus", json!({ "userId": bob.id, "status": "DISABLED" }), "user { id }").await;
    root.mutate_ok("deleteUser", json!({ "userId": eve.id }), "deletedUserId").await;
    assert_eq!(list(&app).await["users"], json!({ &ann.id: first, &bob.id: first, &eve.id: first }));
    app.clock.advance(TimeDelta::minutes(1));
    root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": [] }), "user { id }").await;
    let users = list(&app).await["users"].clone();
    assert_eq!((&users[&ann.id], &users[&bob.id]), (&json!(first + 60), &json!(first)), "the last change counts");
    // This server checks current roles and continues.
    assert_eq!(ann.me_code().await, None);
    app.clock.advance(TimeDelta::minutes(14) + TimeDelta::seconds(10));
    let ann = app.login("ann", PASSWORD).await;
    ann.send("mutation { logout { ok } }", json!({})).await.data();
    let users = list(&app).await["users"].clone();
    assert_eq!(users.as_object().unwrap().len(), 1, "{users}");
}

/// A long poll sees changes during its wait, without another read of the clock.
#[tokio::test]
async fn revocation_list_long_poll_returns_on_change() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let first = get_list(&app, "", None).await;
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let same = get_list(&app, "", Some(&tag)).await;
    assert_eq!((same.status.as_u16(), same.text.as_str(), same.header("etag")), (304, "", Some(tag.as_str())));
    assert_eq!(get_list(&app, "?wait=0", Some("W/\"other\"")).await.status, 200);

    let (router, waiting) = (app.anonymous(), tag.clone());
    let changed = tokio::spawn(async move {
        router.request(Method::GET, &format!("{LIST}?wait=10"), &[("if-none-match", &waiting)], "").await
    });
    // Whether or not it waits already, it sees the state at its response.
    ann.send("mutation { logout { ok } }", json!({})).await.data();
    let changed = changed.await.unwrap();
    assert_eq!((changed.status.as_u16(), &part(&changed.text, 1)["sessions"]), (200, &json!([sid(&ann)])));
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
}

/// S9: a long poll at one node reports the revocations of another as soon as its invalidation arrives.
#[tokio::test]
async fn revocation_list_long_poll_returns_on_change_of_another_node() {
    let app = TestApp::new().await;
    let node = app.second_node().await;
    for round in 0..3 {
        let ann = app.user(&format!("ann-{round}")).await;
        let known = get_list(&node, "", None).await.header("etag").unwrap().to_owned();
        let router = node.anonymous();
        ann.send("mutation { logout { ok } }", json!({})).await.data();
        let begun = Instant::now();
        let changed = router.request(Method::GET, &format!("{LIST}?wait=10"), &[("if-none-match", &known)], "").await;
        assert_eq!(changed.status, 200, "not within {MAX_WAIT:?}");
        assert!(part(&changed.text, 1)["sessions"].as_array().unwrap().contains(&sid(&ann)));
        assert!(begun.elapsed() < MAX_WAIT, "it was not woken: {:?}", begun.elapsed());
    }
}

/// The database is unavailable: gateways retry, and apply their own policy meanwhile.
#[tokio::test]
async fn revocation_list_during_an_outage_is_503() {
    let app = TestApp::new().await;
    app.app.db.close().await.unwrap();
    let answer = get_list(&app, "", None).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, Some("1")), "{}", answer.text);
    assert_eq!(answer.json(), json!({ "error": "temporarily_unavailable" }));
}

/// The wait is shorter than the server's own timeout, and ends with the server.
#[tokio::test]
async fn revocation_list_long_poll_ends_at_timeout_and_shutdown() {
    let app = TestApp::new().await;
    assert!(MAX_WAIT < app.app.config.server.timeouts.request);
    let known = get_list(&app, "", None).await.header("etag").unwrap().to_owned();
    app.app.revocation_list.close();
    let begun = Instant::now();
    let ended = get_list(&app, "?wait=10", Some(&known)).await;
    assert_eq!(ended.status, 304);
    assert!(begun.elapsed() < MAX_WAIT, "it responded at once");
    for wrong in ["?wait=-1", "?wait=x", "?wait=11", "?wait=4294967296"] {
        assert_eq!(get_list(&app, wrong, None).await.status, 400, "{wrong}");
    }
}
