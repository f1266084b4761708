//! Webhooks: events are delivered at least once, signed, and only after the commit.

use accountd::account::event::webhook::send_due;
use accountd::config::{Config, Flags};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, verify};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use entity::webhook_delivery;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::receiver::{ReceivedRequest, Receiver};
use crate::support::{PASSWORD, TestApp};

mod configuration;
mod event_filter;
mod redelivery;
mod tls;

/// Two secrets of 32 bytes.
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OTHER: &str = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

/// A service with these webhook endpoints.
async fn with_endpoints(endpoints: &str, secrets: &str) -> TestApp {
    TestApp::with(&[
        ("ACCOUNTD_WEBHOOKS__ENDPOINTS", endpoints),
        ("ACCOUNTD_WEBHOOKS__SECRETS", secrets),
        ("ACCOUNTD_WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.1"),
    ])
    .await
}

/// A service with one webhook endpoint.
async fn with_endpoint(receiver: &Receiver) -> TestApp {
    with_endpoints(&format!("crm=http://{}/accounts", receiver.address), &format!("crm={SECRET}")).await
}

/// Delivers all due messages; returns the received ones, sorted by type.
async fn deliveries(app: &TestApp, receiver: &Receiver) -> Vec<(String, Value)> {
    while send_due(&app.app).await.unwrap() > 0 {}
    let mut received: Vec<(String, Value)> = receiver.take().iter().map(message).collect();
    received.sort_by(|(left, _), (right, _)| left.cmp(right));
    received
}

fn message(request: &ReceivedRequest) -> (String, Value) {
    let body: Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["timestamp"], "2026-03-01T12:00:00.000Z");
    (body["type"].as_str().unwrap().to_owned(), body["data"].clone())
}

fn kinds(messages: &[(String, Value)]) -> Vec<&str> {
    messages.iter().map(|(kind, _)| kind.as_str()).collect()
}

/// Whether the signature at this position matches the request and the secret.
fn is_signed(request: &ReceivedRequest, index: usize, secret: &str) -> bool {
    let secret = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let content = format!("{}.{}.{}", request.header("webhook-id"), request.header("webhook-timestamp"), request.body);
    let signature = request.header("webhook-signature").split(' ').nth(index).unwrap();
    let tag = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
    verify(&Key::new(HMAC_SHA256, &secret), content.as_bytes(), &tag).is_ok()
}

async fn queued_count(app: &TestApp) -> u64 {
    webhook_delivery::Entity::find().count(app.app.db.reader()).await.unwrap()
}

#[tokio::test]
async fn webhook_reports_user_events() {
    let receiver = Receiver::new().await;
    let app = with_endpoint(&receiver).await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let told_first = deliveries(&app, &receiver).await;
    assert_eq!(kinds(&told_first), ["user.created", "user.created"]);
    let user = told_first.iter().map(|(_, data)| &data["user"]).find(|user| user["username"] == "ann").unwrap();
    assert!(user["tenantId"].as_str().unwrap().starts_with("ten_"), "{user}");
    let expected = json!({
        "id": ann.id, "tenantId": user["tenantId"], "username": "ann", "email": null, "displayName": null, "status": "ACTIVE", "roles": [],
        "mustChangePassword": false, "passwordChangedAt": "2026-03-01T12:00:00.000Z",
        "createdAt": "2026-03-01T12:00:00.000Z", "updatedAt": "2026-03-01T12:00:00.000Z",
    });
    assert_eq!(*user, expected);
    assert!(told_first.iter().any(|(_, data)| data["user"]["roles"] == json!(["admin"])));

    ann.mutate_ok("updateProfile", json!({ "displayName": "Ann" }), "user { id }").await;
    let [(kind, data)] = &deliveries(&app, &receiver).await[..] else { panic!("one message") };
    assert_eq!((kind.as_str(), &data["user"]["displayName"]), ("user.updated", &json!("Ann")));

    let other = app.login("ann", PASSWORD).await;
    assert_eq!(deliveries(&app, &receiver).await, [], "a login changes no user");
    other.send("mutation { logout { ok } }", json!({})).await.data();
    let [(kind, data)] = &deliveries(&app, &receiver).await[..] else { panic!("one message") };
    assert_eq!((kind.as_str(), &data["session"]["reason"]), ("session.ended", &json!("LOGOUT")));
    assert_eq!(data["session"]["userId"], ann.id);
    assert!(data["session"]["id"].as_str().unwrap().starts_with("ses_"));

    root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": ["admin"] }), "user { id }").await;
    let [(kind, data)] = &deliveries(&app, &receiver).await[..] else { panic!("one message") };
    assert_eq!((kind.as_str(), &data["user"]["roles"]), ("user.updated", &json!(["admin"])));
    root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "DISABLED" }), "user { id }").await;
    let disabled = deliveries(&app, &receiver).await;
    assert_eq!(kinds(&disabled), ["session.ended", "user.updated"]);
    assert_eq!(disabled[0].1["session"]["reason"], "ACCOUNT_DISABLED");
    assert_eq!(disabled[1].1["user"]["status"], "DISABLED");
    root.mutate_ok("deleteUser", json!({ "userId": ann.id }), "deletedUserId").await;
    let [(kind, data)] = &deliveries(&app, &receiver).await[..] else { panic!("one message") };
    assert_eq!((kind.as_str(), &data["user"]["id"]), ("user.deleted", &json!(ann.id)));
    assert_eq!(data["user"]["roles"], json!(["admin"]), "the state before the deletion");
    assert_eq!(queued_count(&app).await, 0, "delivered messages are deleted");
}

#[tokio::test]
async fn webhook_reports_password_changes_without_passwords() {
    let receiver = Receiver::new().await;
    let app = with_endpoint(&receiver).await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    deliveries(&app, &receiver).await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "another-horse-battery-8" });
    ann.mutate_ok("updatePassword", input, "user { id }").await;
    root.mutate_ok("setUserPassword", json!({ "userId": ann.id, "password": "third-horse-battery-9" }), "user { id }")
        .await;
    while send_due(&app.app).await.unwrap() > 0 {}
    let received = receiver.take();
    let mut kinds: Vec<String> = received.iter().map(|request| message(request).0).collect();
    kinds.sort();
    assert_eq!(kinds, ["session.ended", "session.ended", "user.updated", "user.updated"]);
    for request in received {
        for secret in ["horse", "argon2", "eyJ"] {
            assert!(!request.body.contains(secret), "{}", request.body);
        }
    }
}

#[tokio::test]
async fn webhook_reports_no_refused_operation() {
    let receiver = Receiver::new().await;
    let app = with_endpoint(&receiver).await;
    let root = app.admin("root").await;
    deliveries(&app, &receiver).await;
    root.payload_errors("createUser", json!({ "username": "root", "password": PASSWORD })).await;
    let alone = json!({ "userId": root.id, "status": "DISABLED" });
    assert_eq!(root.payload_errors("setUserStatus", alone).await[0].0, "LAST_ADMIN");
    assert_eq!((deliveries(&app, &receiver).await, queued_count(&app).await), (vec![], 0));
}

#[tokio::test]
async fn webhook_signature_uses_the_secrets_of_its_endpoint() {
    let (crm, lake) = (Receiver::new().await, Receiver::new().await);
    let endpoints = format!("crm=http://{}/a lake=http://{}/b?c", crm.address, lake.address);
    let app = with_endpoints(&endpoints, &format!("crm={SECRET}\nlake={OTHER} lake={SECRET}")).await;
    app.user("ann").await;
    while send_due(&app.app).await.unwrap() > 0 {}
    let ([one], [other]) = (&crm.take()[..], &lake.take()[..]) else { panic!("one message each") };
    assert_eq!((one.target.as_str(), other.target.as_str()), ("/a", "/b?c"));
    assert!(is_signed(one, 0, SECRET) && !is_signed(one, 0, OTHER), "{one:?}");
    assert!(is_signed(other, 0, OTHER) && is_signed(other, 1, SECRET), "{other:?}");
    assert_eq!(one.header("webhook-id"), other.header("webhook-id"), "it is the same message");
    assert_eq!(one.header("webhook-timestamp"), app.clock.current().timestamp().to_string());
    assert_eq!(one.header("content-type"), "application/json");
}

#[tokio::test]
async fn webhook_retries_back_off_and_end() {
    let receiver = Receiver::responding_with(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response()).await;
    let app = with_endpoint(&receiver).await;
    app.user("ann").await;
    let mut ids = Vec::new();
    let (minute, hour) = (60, 3_600);
    let waits = [0, 5, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour]
        .map(TimeDelta::seconds);
    for wait in waits {
        if wait > TimeDelta::zero() {
            app.clock.advance(wait - TimeDelta::milliseconds(1));
            assert_eq!(send_due(&app.app).await.unwrap(), 0, "too early");
            app.clock.advance(TimeDelta::milliseconds(1));
        }
        assert_eq!(send_due(&app.app).await.unwrap(), 1, "after {wait}");
        let received = receiver.take();
        let now = app.clock.current().timestamp().to_string();
        assert_eq!((received.len(), received[0].header("webhook-timestamp")), (1, now.as_str()));
        assert!(is_signed(&received[0], 0, SECRET));
        ids.push(received[0].header("webhook-id").to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "it is the same message at every attempt");
    app.clock.advance(TimeDelta::days(20));
    assert_eq!(send_due(&app.app).await.unwrap(), 0);
    let left = webhook_delivery::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
    assert_eq!((left.attempts, left.failure.as_deref()), (10, Some("response status 500")));
    assert!(left.given_up_at.is_some());
}

/// However many nodes run at the same time.
#[tokio::test]
async fn webhook_is_delivered_by_one_node_at_a_time() {
    let receiver = Receiver::new().await;
    let app = with_endpoint(&receiver).await;
    for number in 0..5 {
        app.user(&format!("user-{number}")).await;
    }
    let mut nodes = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let node = app.app.clone();
        nodes.spawn(async move { send_due(&node).await.unwrap() });
    }
    assert_eq!(nodes.join_all().await.iter().sum::<usize>(), 5);
    assert_eq!(receiver.take().len(), 5);
}

fn config(settings: &[(&str, &str)]) -> Result<Config, String> {
    let settings = settings.iter().map(|(name, value)| (format!("ACCOUNTD_WEBHOOKS__{name}"), (*value).to_owned()));
    Config::load(Flags::default(), settings).map_err(|problems| problems.to_string())
}
