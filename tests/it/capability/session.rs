//! Sessions: listed for their owner, ended by id.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp};

async fn list(actor: &Actor, arguments: &str) -> Value {
    let query = format!(
        "{{ me {{ sessions{arguments} {{
            totalCount pageInfo {{ hasNextPage hasPreviousPage endCursor }}
            nodes {{ id current deviceName userAgent createdAt lastSeenAt expiresAt endedAt endReason }}
        }} }} }}"
    );
    actor.send(&query, json!({})).await.data()["me"]["sessions"].clone()
}

fn ids(list: &Value) -> Vec<String> {
    list["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
}

async fn on_device(app: &TestApp, name: &str, device: &str) -> (Actor, String) {
    let input = json!({ "username": name, "password": PASSWORD, "deviceName": device });
    let wanted = "user { id } session { id } tokens { accessToken refreshToken }";
    let payload = app.anonymous().mutate_ok("login", input, wanted).await;
    (app.anonymous().signed_in(&payload), payload["session"]["id"].as_str().unwrap().to_owned())
}

/// A new user with a role of these permissions.
async fn helper(app: &TestApp, root: &Actor, name: &str, permissions: &[&str]) -> Actor {
    let helper = app.user(name).await;
    root.mutate_ok("saveRole", json!({ "name": name, "permissions": permissions }), "role { id }").await;
    root.mutate_ok("setUserRoles", json!({ "userId": helper.id, "roles": [name] }), "user { id }").await;
    helper
}

/// S21
#[tokio::test]
async fn sessions_are_listed_newest_first_to_their_owner_only() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    app.user("bob").await;
    app.clock.advance(TimeDelta::minutes(1));
    let (phone, phone_id) = on_device(&app, "ann", "phone").await;
    app.clock.advance(TimeDelta::minutes(1));
    let (_, tablet_id) = on_device(&app, "ann", "tablet").await;

    let seen = list(&phone, "").await;
    assert_eq!(seen["totalCount"], 3);
    assert_eq!(ids(&seen)[..2], [tablet_id, phone_id]);
    let one = |at: usize, field: &str| seen["nodes"][at][field].clone();
    assert_eq!([one(0, "current"), one(1, "current"), one(2, "current")], [json!(false), json!(true), json!(false)]);
    assert_eq!([one(0, "deviceName"), one(2, "deviceName")], [json!("tablet"), json!(null)]);
    assert_eq!(one(1, "createdAt"), "2026-03-01T12:01:00.000Z");
    assert_eq!(one(1, "expiresAt"), "2026-03-15T12:01:00.000Z");
    assert_eq!(ids(&list(&ann, "").await), ids(&seen));
    let text = seen.to_string();
    assert!(!text.contains(ann.refresh_token.as_deref().unwrap()) && !text.contains("eyJ"), "no token material");
}

#[tokio::test]
async fn session_pages_have_no_gaps_or_duplicates() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    for number in 0..9 {
        // Some have the same time.
        app.clock.advance(TimeDelta::milliseconds(number % 3));
        on_device(&app, "ann", &number.to_string()).await;
    }
    let all = ids(&list(&ann, "(first: 100)").await);
    assert_eq!(all.len(), 10);
    for size in [1, 2, 3, 7, 10] {
        let (mut found, mut arguments) = (Vec::new(), format!("(first: {size})"));
        loop {
            let page = list(&ann, &arguments).await;
            assert_eq!(page["totalCount"], 10);
            found.extend(ids(&page));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            arguments = format!("(first: {size}, after: {})", page["pageInfo"]["endCursor"]);
        }
        assert_eq!(found, all, "{size} at a time");
    }
    for wrong in ["(first: 0)", "(first: -1)", "(first: 101)", "(after: \"x\")", "(after: \"\")"] {
        let answer = ann.send(&format!("{{ me {{ sessions{wrong} {{ totalCount }} }} }}"), json!({})).await;
        assert_eq!(answer.code().as_deref(), Some("BAD_USER_INPUT"), "{wrong}");
    }
}

#[tokio::test]
async fn ended_sessions_are_listed_only_on_request() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let (phone, phone_id) = on_device(&app, "ann", "phone").await;
    app.clock.advance(TimeDelta::minutes(1));
    phone.mutate_ok("logout", json!({}), "ok").await;
    assert_eq!(list(&ann, "").await["totalCount"], 1);
    let all = list(&ann, "(active: false)").await;
    assert_eq!(all["totalCount"], 2);
    let ended = &all["nodes"][0];
    assert_eq!([&ended["id"], &ended["endReason"]], [&json!(phone_id), &json!("LOGOUT")]);
    assert_eq!(ended["endedAt"], "2026-03-01T12:01:00.000Z");

    // A session without refresh ends by itself.
    app.clock.advance(TimeDelta::days(14));
    let ann = app.login("ann", PASSWORD).await;
    assert_eq!(list(&ann, "").await["totalCount"], 1);
    assert_eq!(list(&ann, "(active: false)").await["totalCount"], 3);
}

/// S12 S13
#[tokio::test]
async fn owner_ends_a_session_by_id() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let (phone, phone_id) = on_device(&app, "ann", "phone").await;
    let input = json!({ "sessionId": phone_id });
    let ended = ann.mutate_ok("revokeSession", input.clone(), "session { id endReason }").await;
    assert_eq!(ended["session"], json!({ "id": phone_id, "endReason": "REVOKED" }));
    assert_eq!(phone.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    let refreshed = phone.refresh(phone.refresh_token.as_deref().unwrap()).await;
    assert_eq!(refreshed.payload_error("refresh").as_deref(), Some("SESSION_ENDED"));
    assert_eq!(ann.me_code().await, None);
    ann.mutate_ok("revokeSession", input, "session { endReason }").await;
}

/// S12 B6: an object of another user reads as missing.
#[tokio::test]
async fn session_of_another_user_reads_as_missing() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let (bob, bobs) = {
        app.user("bob").await;
        on_device(&app, "bob", "phone").await
    };
    let mut answers = Vec::new();
    for id in [bobs.as_str(), "ses_01h455vb4pex5vsknk084sn02q"] {
        let input = json!({ "sessionId": id });
        let answer = ann.mutate("revokeSession", input, "session { id } errors { code path message }").await;
        assert_eq!(answer.payload_error("revokeSession").as_deref(), Some("NOT_FOUND"), "{id}");
        answers.push(answer.text);
        let node = ann.send("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(node.data()["node"], json!(null));
    }
    assert_eq!(answers[0], answers[1]);
    for id in ["", "x", "1", ann.id.as_str()] {
        let refusals = ann.payload_errors("revokeSession", json!({ "sessionId": id })).await;
        assert_eq!(refusals, [("NOT_FOUND".to_owned(), "input.sessionId".to_owned())], "{id:?}");
    }
    assert_eq!(bob.me_code().await, None);
}

/// S13
#[tokio::test]
async fn session_of_another_user_needs_permission() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let helper = helper(&app, &root, "helper", &["USERS_READ", "SESSIONS_REVOKE"]).await;
    app.user("ann").await;
    let (ann, session) = on_device(&app, "ann", "phone").await;
    let query = "query ($id: ID!) { user(id: $id) { sessions { totalCount nodes { id current } } } }";
    let seen = root.send(query, json!({ "id": ann.id })).await.data();
    assert_eq!(seen["user"]["sessions"]["totalCount"], 2);
    assert_eq!(seen["user"]["sessions"]["nodes"][0], json!({ "id": session, "current": false }));
    assert_eq!(helper.send(query, json!({ "id": ann.id })).await.code().as_deref(), Some("FORBIDDEN"));
    helper.mutate_ok("revokeSession", json!({ "sessionId": session }), "session { id }").await;
    assert_eq!(ann.me_reason().await.as_deref(), Some("SESSION_ENDED"));
}
