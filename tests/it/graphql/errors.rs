//! Two kinds of errors, never mixed: codes for software at top level, user-correctable errors in the payload.

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

fn first(answer: &TestResponse) -> Value {
    answer.json()["errors"][0].clone()
}

#[tokio::test]
async fn unselected_payload_errors_become_top_level_errors() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let root = app.admin("root").await;
    for (actor, field, input, code, path, wanted) in [
        (
            &ann,
            "login",
            json!({ "username": "ann", "password": "x" }),
            "INVALID_CREDENTIALS",
            "password",
            "user { id }",
        ),
        (&ann, "register", json!({ "username": "ann", "password": PASSWORD }), "USERNAME_TAKEN", "username", "status"),
        (&ann, "refresh", json!({}), "REFRESH_TOKEN_MISSING", "refreshToken", "outcome"),
        (&ann, "refresh", json!({ "refreshToken": "x" }), "REFRESH_TOKEN_INVALID", "refreshToken", "outcome"),
        (
            &ann,
            "updatePassword",
            json!({ "currentPassword": "x", "newPassword": PASSWORD }),
            "WRONG_PASSWORD",
            "currentPassword",
            "user { id }",
        ),
        (&ann, "updateProfile", json!({ "username": "a b" }), "INVALID_USERNAME", "username", "user { id }"),
        (&ann, "revokeSession", json!({ "sessionId": "x" }), "NOT_FOUND", "sessionId", "session { id }"),
        (&root, "deleteUser", json!({ "userId": "x" }), "NOT_FOUND", "userId", "deletedUserId"),
        (&root, "saveRole", json!({ "name": "admin", "permissions": [] }), "BUILT_IN_ROLE", "name", "role { id }"),
        (&root, "setUserRoles", json!({ "userId": ann.id, "roles": ["x"] }), "UNKNOWN_ROLE", "roles", "user { id }"),
    ] {
        let path = json!(["input", path]);
        let selected = actor.mutate(field, input.clone(), &format!("{wanted} errors {{ code path message }}")).await;
        let in_payload = selected.data()[field]["errors"][0].clone();
        assert_eq!((&in_payload["code"], &in_payload["path"]), (&json!(code), &path), "{field}");
        let raised = first(&actor.mutate(field, input.clone(), wanted).await);
        assert_eq!(raised["extensions"]["code"], code, "{field}");
        assert_eq!(raised["extensions"]["path"], path, "{field}");
        assert_eq!(raised["message"], in_payload["message"], "{field}");
        assert_eq!(raised["path"], json!([field]));
        for hidden in ["errors @skip(if: true) { code }", "... @include(if: false) { errors { code } }"] {
            let raised = actor.mutate(field, input.clone(), &format!("{wanted} {hidden}")).await;
            assert_eq!(raised.code().as_deref(), Some(code), "{field} {hidden}");
        }
        for shown in [
            "problems: errors { kind: code }",
            "... { problems: errors { kind: code } }",
            "problems: errors @include(if: true) { kind: code }",
        ] {
            let in_payload = actor.mutate(field, input.clone(), &format!("{wanted} {shown}")).await;
            assert_eq!(in_payload.data()[field]["problems"][0]["kind"], code, "{field} {shown}");
        }
    }
}

async fn reason(actor: &Actor) -> (Value, Value) {
    let error = first(&actor.send("{ me { id } }", json!({})).await);
    (error["extensions"]["code"].clone(), error["extensions"]["reason"].clone())
}

#[tokio::test]
async fn unauthenticated_error_names_its_reason() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let out = app.login("ann", PASSWORD).await;
    out.mutate_ok("logout", json!({}), "ok").await;
    let unauthenticated = |reason: &str| (json!("UNAUTHENTICATED"), json!(reason));
    assert_eq!(reason(&ann.with_token("x")).await, unauthenticated("TOKEN_INVALID"));
    assert_eq!(reason(&ann.with_token("a.b.c")).await, unauthenticated("TOKEN_INVALID"));
    assert_eq!(reason(&out).await, unauthenticated("SESSION_ENDED"));
    app.clock.advance(TimeDelta::minutes(16));
    assert_eq!(reason(&ann).await, unauthenticated("TOKEN_EXPIRED"));
    assert_eq!(reason(&out).await, unauthenticated("TOKEN_EXPIRED"), "the reason is that the session has ended");

    for query in ["{ users { totalCount } }", "{ node(id: \"x\") { id } }", "{ roles { name } }"] {
        let error = first(&app.anonymous().send(query, json!({})).await);
        assert_eq!(error["extensions"], json!({ "code": "UNAUTHENTICATED", "reason": "TOKEN_MISSING" }), "{query}");
    }
    let input = json!({ "displayName": "x" });
    let error = first(&app.anonymous().mutate("updateProfile", input, "errors { code }").await);
    assert_eq!(error["extensions"], json!({ "code": "UNAUTHENTICATED", "reason": "TOKEN_MISSING" }));
}

/// What a logged-out Apollo link sends counts as no credentials; anything else is never taken for a logout.
#[tokio::test]
async fn me_is_null_only_without_credentials() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let body = json!({ "query": "{ me { id } }" }).to_string();
    let me = async |value: Option<&str>| {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(value.map(|value| ("authorization", value)));
        app.anonymous().request(Method::POST, "/graphql", &headers, body.clone()).await
    };
    let foreign = [Some("Basic YTpi"), Some("Digest username=\"a\", realm=\"b\""), Some("Negotiate YII=")];
    for nothing in [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Bearer null"), Some("bearer undefined")]
        .into_iter()
        .chain(foreign)
    {
        assert_eq!(me(nothing).await.data(), json!({ "me": null }), "{nothing:?}");
    }
    let token = ann.token.as_deref().unwrap();
    let good = [format!("Bearer {token}"), format!("bearer {token}"), format!("BEARER  {token} ")];
    for value in &good {
        assert_eq!(me(Some(value)).await.data(), json!({ "me": { "id": ann.id } }));
    }
    let bad = [
        token.to_owned(),
        format!("Bearer {token} {token}"),
        format!("Bearer {token},Bearer {token}"),
        format!("Bearer\u{a0}{token}"),
        "Bearer NULL".to_owned(),
        "Bearer ''".to_owned(),
    ];
    for value in &bad {
        let answer = me(Some(value)).await;
        assert_eq!(answer.code().as_deref(), Some("UNAUTHENTICATED"), "{value}");
        assert_eq!(answer.json()["data"]["me"], json!(null));
        assert_eq!(answer.status, 200);
    }
}

/// J20: credentials of the request cannot break login.
#[tokio::test]
async fn public_operations_ignore_invalid_credentials() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    for (number, value) in ["Bearer x", "Basic YTpi", "x", "Bearer a, Bearer b"].into_iter().enumerate() {
        let send = async |query: String| {
            let headers = [("content-type", "application/json"), ("authorization", value)];
            ann.request(Method::POST, "/graphql", &headers, json!({ "query": query }).to_string()).await.data()
        };
        let input = format!("username: \"bob{number}\", password: \"{PASSWORD}\"");
        let made = send(format!("mutation {{ register(input: {{ {input} }}) {{ status }} }}")).await;
        assert_eq!(made["register"]["status"], "SIGNED_IN");
        let opened = send(format!("mutation {{ login(input: {{ {input} }}) {{ tokens {{ refreshToken }} }} }}")).await;
        let token = &opened["login"]["tokens"]["refreshToken"];
        let renewed = send(format!("mutation {{ refresh(input: {{ refreshToken: {token} }}) {{ outcome }} }}")).await;
        assert_eq!(renewed["refresh"]["outcome"], "ROTATED");
        assert_eq!(send("mutation { logout { ok } }".to_owned()).await["logout"]["ok"], true);
    }
}

/// Z-8: a hidden field of a user is null with an error, and the other fields are present, as requested.
#[tokio::test]
async fn field_error_nulls_only_its_field() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let writer = app.user("writer").await;
    let input = json!({ "name": "writer", "permissions": ["USERS_WRITE"] });
    root.mutate_ok("saveRole", input, "role { id }").await;
    root.mutate_ok("setUserRoles", json!({ "userId": writer.id, "roles": ["writer"] }), "user { id }").await;
    let input = json!({ "username": "ann", "email": "ann@example.org", "password": PASSWORD });
    let answer = writer.mutate("createUser", input, "user { username email } errors { code }").await;
    let user = answer.json()["data"]["createUser"]["user"].clone();
    assert_eq!(user, json!({ "username": "ann", "email": null }));
    assert!(answer.text.contains(r#"{"username":"ann","email":null}"#), "in the order of the query: {}", answer.text);
    let error = first(&answer);
    assert_eq!(error["extensions"]["code"], "FORBIDDEN");
    assert_eq!(error["path"], json!(["createUser", "user", "email"]));
}

/// A message names what to change: the setting, the scheme, the token, the role.
#[tokio::test]
async fn payload_errors_name_the_input_path() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let array = app.anonymous().json(Method::POST, "/graphql", &json!([{ "query": "{ me { id } }" }])).await;
    assert!(array.text.contains("graphql.max_batch"), "{}", array.text);

    let headers = [("content-type", "application/json"), ("authorization", "eyJ0eXAi.eyJ0eXAi.eyJ0eXAi")];
    let body = json!({ "query": "{ me { id } }" }).to_string();
    let answer = app.anonymous().request(Method::POST, "/graphql", &headers, body).await;
    let message = first(&answer)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("`Bearer`"), "{message}");

    let message = |answer: &TestResponse| first(answer)["message"].as_str().unwrap().to_owned();
    for (query, wanted) in [("{ me { id }", "`}`"), ("query (", "expected"), ("{ me(a: 1 { id } }", "expected")] {
        let text = message(&root.send(query, json!({})).await);
        assert!(text.contains(wanted) && !text.contains("CURLY"), "{query}: {text}");
    }

    let ann = app.user("ann").await;
    let input = json!({ "userId": ann.id, "roles": ["admin", "edtor"] });
    let text = root.mutate("setUserRoles", input, "errors { message }").await;
    assert_eq!(text.data()["setUserRoles"]["errors"][0]["message"], "there is no role \"edtor\"");
}

/// Clients show the first error.
#[tokio::test]
async fn unknown_field_error_hides_the_empty_selection_error() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    for (query, count) in [("{ tenants { id name } }", 2), ("{ me { roles tenant { nam } } }", 1)] {
        let errors = root.send(query, json!({})).await.json()["errors"].as_array().unwrap().clone();
        let messages: Vec<&str> = errors.iter().map(|error| error["message"].as_str().unwrap()).collect();
        assert!(messages.iter().all(|message| message.contains("does not have a field")), "{query}: {messages:?}");
        assert_eq!(messages.len(), count, "{messages:?}");
    }
    let empty = root.send("{ tenants }", json!({})).await;
    assert!(first(&empty)["message"].as_str().unwrap().contains("subselection"), "{}", empty.text);
}

/// Locations count from 1 (GraphQL section 7.1.2); an error outside the document has none.
#[tokio::test]
async fn error_locations_lie_in_the_document() {
    let app = TestApp::new().await;
    let aliases: String = (0..40).map(|number| format!("a{number}: __typename ")).collect();
    let deep = format!("{{ {aliases}}}");
    for query in [deep.as_str(), "query A { me { id } } query B { me { id } }", "{ me { id }", "{ nothing }", ""] {
        let answer = app.anonymous().send(query, json!({})).await;
        for error in answer.json()["errors"].as_array().unwrap() {
            let locations = error["locations"].as_array().cloned().unwrap_or_default();
            assert!(
                locations.iter().all(|location| location["line"] != 0 && location["column"] != 0),
                "{query}: {}",
                answer.text
            );
        }
    }
}
