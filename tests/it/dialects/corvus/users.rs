//! The user routes of the dialect.

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::app;
use crate::support::{TestApp, TestResponse};

#[tokio::test]
async fn corvus_users_are_paginated() {
    let app = app().await;
    let root = app.admin("root").await;
    for name in ["ann", "bob"] {
        app.clock.advance(TimeDelta::seconds(1));
        app.user(name).await;
    }
    let get = async |query: &str| root.request(Method::GET, &format!("/user{query}"), &[], "").await;
    let first = get("?page=1&perPage=2").await.json();
    let names = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["root", "ann"]);
    let counts = ["page", "count", "totalCount", "lastPage"].map(|name| first[name].as_u64().unwrap());
    assert_eq!(counts, [1, 2, 3, 2]);
    let second = get("?page=2&perPage=2").await.json();
    assert_eq!((names(&second), second["count"].as_u64()), (vec!["bob".to_owned()], Some(1)));
    let bob = json!({
        "name": "bob", "creationTime": "2026-03-01T12:00:02+00:00", "lastLoginTime": "2026-03-01T12:00:02+00:00",
        "role": "USER", "version": 0,
    });
    assert_eq!(second["items"], json!([bob]));
    assert_eq!(names(&get("").await.json()).len(), 3);
    assert_eq!(get("?page=3&perPage=2").await.status, 404);
    assert_eq!(get(&format!("?page={}&perPage=100", u64::MAX)).await.status, 404);
    for query in ["?page=0", "?page=x", "?page=-1", "?page=", "?perPage=0", "?perPage=101", "?page=1&page=2"] {
        let answer = get(query).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.json()["message"].is_string(), "{query}");
    }
    let mallory = app.admin_of_other_tenant("mallory").await;
    let own = mallory.request(Method::GET, "/user", &[], "").await.json();
    assert_eq!((names(&own), own["totalCount"].as_u64()), (vec!["mallory".to_owned()], Some(1)));
}

#[tokio::test]
async fn corvus_user_lookup_needs_self_or_permission() {
    let app = app().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let mallory = app.admin_of_other_tenant("mallory").await;
    let role = |answer: &TestResponse| answer.json()["role"].as_str().map(str::to_owned);
    let own = ann.request(Method::GET, "/user/Ann", &[], "").await;
    assert_eq!((own.status.as_u16(), role(&own).as_deref()), (200, Some("USER")));
    assert_eq!(role(&root.request(Method::GET, "/user/root", &[], "").await).as_deref(), Some("ADMIN"));
    for (actor, name) in [(&ann, "root"), (&ann, "nobody"), (&mallory, "ann"), (&root, "nobody"), (&root, "%ff")] {
        let answer = actor.request(Method::GET, &format!("/user/{name}"), &[], "").await;
        assert_eq!((answer.status.as_u16(), &*answer.text), (404, r#"{"message":"user not found"}"#), "{name}");
    }
}

#[tokio::test]
async fn corvus_change_of_an_outdated_version_is_refused() {
    let app = app().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let patch = async |body: &str| root.request(Method::PATCH, "/user/ann", &[], body.to_owned()).await;
    let seen = root.request(Method::GET, "/user/ann", &[], "").await.json();
    let mut sent = seen.clone();
    sent["lastLoginTime"] = json!("2020-02-29T23:00:00-05:00");
    let changed = patch(&sent.to_string()).await.json();
    let mut expected = seen.clone();
    expected["lastLoginTime"] = json!("2020-03-01T04:00:00+00:00");
    expected["version"] = json!(1);
    assert_eq!(changed, expected);
    assert_eq!(patch(&sent.to_string()).await.status, 400, "the version has changed");
    assert_eq!(root.request(Method::GET, "/user/ann", &[], "").await.json(), expected);
    for body in [
        "",
        "[]",
        "null",
        "{",
        "{}",
        r#"{"version":1,"version":1}"#,
        r#"{"version":"1"}"#,
        r#"{"version":-1}"#,
        r#"{"version":1.5}"#,
        r#"{"version":9223372036854775807}"#,
        r#"{"version":1,"role":"ADMIN"}"#,
        r#"{"version":1,"name":"eve"}"#,
        r#"{"version":1,"password":"x"}"#,
        r#"{"version":1,"lastLoginTime":"yesterday"}"#,
        r#"{"version":1,"lastLoginTime":null}"#,
    ] {
        assert_eq!(patch(body).await.status, 400, "{body}");
    }
    assert_eq!(patch(r#"{"version":1}"#).await.json()["version"], 1, "without change there is no write");
    let own = ann.request(Method::PATCH, "/user/ann", &[], r#"{"version":1}"#).await;
    assert_eq!(own.status, 403, "{}", own.text);
    assert_eq!(root.request(Method::PATCH, "/user/nobody", &[], r#"{"version":0}"#).await.status, 404);
}

#[tokio::test]
async fn corvus_users_path_depends_on_the_mount_name() {
    for (mount, users) in [("/auth", "/user"), ("/v1/auth", "/v1/user"), ("/corvus", "/corvus/user"), ("/", "/user")] {
        let plantdb = ("ACCOUNTD_REST__DIALECTS__PLANTDB", "off");
        let app = TestApp::with(&[plantdb, ("ACCOUNTD_REST__DIALECTS__CORVUS", mount)]).await;
        let root = app.admin("root").await;
        assert_eq!(root.request(Method::GET, users, &[], "").await.status, 200, "{mount}");
        let login = format!("{}/login", mount.trim_end_matches('/'));
        assert_eq!(root.request(Method::POST, &login, &[], "").await.status, 401, "{mount}");
    }
}
