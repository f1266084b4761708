//! The dialect's `/graphql` has the guards of the core schema: authentication, limits, methods.

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{app, app_with, graphql, message};
use crate::support::{PASSWORD, TestApp, TestResponse};

const NAMES: &str = "{ users { edges { node { username } } } }";

async fn post(app: &TestApp, token: &str, media: &str, body: &str) -> TestResponse {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", &*authorization), ("content-type", media)];
    app.anonymous().request(Method::POST, "/any/graphql", &headers, body.to_owned()).await
}

#[tokio::test]
async fn auth_service_graphql_without_valid_token_is_refused() {
    let app = app().await;
    let (ann, gone) = (app.user("ann").await, app.user("gone").await);
    gone.mutate_ok("logout", json!({}), "ok").await;
    let (own, ended) = (ann.token.clone().unwrap(), gone.token.clone().unwrap());
    for (header, text) in [
        ("".to_owned(), "unauthorized"),
        (format!("bearer {own}"), "unauthorized"),
        (format!("Bearer  {own}"), "unauthorized"),
        (format!("Token {own}"), "unauthorized"),
        (format!("Bearer {own} {own}"), "unauthorized"),
        ("Bearer abc".to_owned(), "invalid_token"),
        (format!("Bearer {}", ann.refresh_token.clone().unwrap()), "invalid_token"),
        (format!("Bearer {ended}"), "unauthorized"),
    ] {
        for path in ["/any/graphql", "/any/logout"] {
            let headers = [("authorization", &*header), ("content-type", "application/json")];
            // The request body is not read.
            let answer = app.anonymous().request(Method::POST, path, &headers, "{").await;
            assert_eq!((answer.status.as_u16(), message(&answer).as_str()), (401, text), "{header} {path}");
            assert!(answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")));
        }
    }
    app.clock.advance(TimeDelta::hours(1));
    assert_eq!(message(&graphql(&ann, "/any", NAMES).await), "signature_expired");
}

#[tokio::test]
async fn auth_service_malformed_request_is_refused() {
    let app = app().await;
    let root = app.admin("root").await;
    let own = root.token.clone().unwrap();
    let json = "application/json";
    for (media, body, status, text) in [
        (json, "{", 400, "POST body sent invalid JSON."),
        (json, r#"{"query":"{ __typename }","query":"{ __typename }"}"#, 400, "POST body sent invalid JSON."),
        (json, "[]", 400, "Batch GraphQL requests are not enabled."),
        (json, r#"[{"query":"{ __typename }"}]"#, 400, "Batch GraphQL requests are not enabled."),
        (json, "5", 400, "GraphQL params should be a dict."),
        (json, r#"{"query":5}"#, 400, "query and operationName are strings."),
        (json, r#"{"query":""}"#, 400, "Must provide query string."),
        (json, r#"{"query":"{ __typename }","variables":[]}"#, 400, "Variables are invalid JSON."),
        (json, r#"{"query":"{ __typename }","variables":"{"}"#, 400, "Variables are invalid JSON."),
        ("application/graphql", "", 400, "Must provide query string."),
        (
            "text/plain",
            r#"{"query":"{ __typename }"}"#,
            415,
            "send the request as application/json or application/graphql",
        ),
        (
            "application/x-www-form-urlencoded",
            "query={__typename}",
            415,
            "send the request as application/json or application/graphql",
        ),
    ] {
        let answer = post(&app, &own, media, body).await;
        assert_eq!((answer.status.as_u16(), message(&answer).as_str()), (status, text), "{media} {body}");
        assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 1);
        assert_eq!(answer.json().get("data"), None);
    }
    let long = json!({ "query": "x".repeat(65_536) }).to_string();
    assert_eq!(post(&app, &own, json, &long).await.status, 413);
    for body in [
        r#"{"query":"{ __typename }"}"#,
        r#"{"query":"{ __typename }","variables":null,"operationName":null,"id":1}"#,
        r#"{"query":"query A { __typename } query B { __typename }","operationName":"B","variables":"{\"a\":1}"}"#,
    ] {
        assert_eq!(post(&app, &own, json, body).await.json()["data"]["__typename"], "Query", "{body}");
    }
}

/// G1: the limits are those of the core schema.
#[tokio::test]
async fn auth_service_operations_obey_query_limits() {
    let app = app_with(&[("ACCOUNTD_GRAPHQL__MAX_COMPLEXITY", "300")]).await;
    let root = app.admin("root").await;
    let aliases: String = (0..16).map(|number| format!("a{number}: __typename ")).collect();
    let deep = format!("{{ users {{ edges {} {} }} }}", "{ node { role ".repeat(9), "} }".repeat(9));
    for (query, limit) in [
        (format!("{{ {aliases} }}"), "graphql.max_aliases is 15"),
        (deep, "graphql.max_depth is 10"),
        (format!("{{ {} }}", "__typename ".repeat(1_001)), "graphql.max_tokens is 1000"),
        ("{ ...a } fragment a on Query { ...a }".to_owned(), "graphql.max_selections is 1000"),
    ] {
        let answer = graphql(&root, "/any", &query).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert_eq!(message(&answer), format!("the operation is too complex: {limit}"));
    }
    let fields = "edges { cursor node { id username active change_password role { id name permissions } } }";
    let light = format!("{{ users(first: 100) {{ {fields} }} }}");
    assert_eq!(graphql(&root, "/any", &light).await.status, 200);
    let heavy = format!("{{ users {{ {fields} }} }}");
    let answer = graphql(&root, "/any", &heavy).await;
    assert_eq!((answer.status.as_u16(), message(&answer).as_str()), (400, "Query is too complex."));
}

/// G8, G9
#[tokio::test]
async fn auth_service_introspection_follows_its_setting() {
    let ask = "{ __schema { queryType { name } } nope: __type(name: \"User\") { name } }";
    let open = app().await;
    let root = open.admin("root").await;
    assert_eq!(graphql(&root, "/any", ask).await.json()["data"]["__schema"]["queryType"]["name"], "Query");
    assert!(!message(&graphql(&root, "/any", "{ nod }").await).contains("Did you mean"));
    let closed = app_with(&[("ACCOUNTD_GRAPHQL__INTROSPECTION", "false")]).await;
    let root = closed.admin("root").await;
    let answer = graphql(&root, "/any", ask).await;
    assert!(!answer.text.contains("\"name\""), "{}", answer.text);
    let answer = graphql(&root, "/any", "{ nod }").await;
    assert_eq!(message(&answer), "Cannot query field \"nod\" on type \"Query\".");
    assert_eq!(graphql(&root, "/any", "{ __typename }").await.json()["data"]["__typename"], "Query");
}

/// G5: a browser request from a cross-origin page changes nothing.
#[tokio::test]
async fn auth_service_mutation_by_get_is_refused() {
    let app = app().await;
    let root = app.admin("root").await;
    let ask = async |query: &str| root.request(Method::GET, &format!("/any/graphql?{query}"), &[], "").await;
    for query in [
        "query=mutation%7Bdelete_user(input:%7Bid:%22x%22%7D)%7Bok%7D%7D",
        "query=query%20A%7B__typename%7Dmutation%20B%7Bdelete_user(input:%7Bid:%22x%22%7D)%7Bok%7D%7D&operationName=B",
        "query=query%20A%7B__typename%7Dmutation%20B%7Bdelete_user(input:%7Bid:%22x%22%7D)%7Bok%7D%7D",
    ] {
        let answer = ask(query).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("POST")), "{query}");
        assert_eq!(message(&answer), "Can only perform a mutation operation from a POST request.");
    }
    let named =
        "query=query%20A%7B__typename%7Dmutation%20B%7Bdelete_user(input:%7Bid:%22x%22%7D)%7Bok%7D%7D&operationName=A";
    assert_eq!(ask(named).await.json()["data"]["__typename"], "Query");
    let variables = "query=query(%24n:String)%7Busers(username:%24n)%7Bedges%7Bnode%7Busername%7D%7D%7D%7D&variables=%7B%22n%22:%22root%22%7D";
    assert_eq!(ask(variables).await.json()["data"]["users"]["edges"][0]["node"]["username"], "root");
    assert_eq!(message(&ask("").await), "Must provide query string.");
    assert_eq!(message(&ask("query=%7B__typename%7D&variables=%7B").await), "Variables are invalid JSON.");
}

#[tokio::test]
async fn auth_service_denied_mutation_changes_nothing() {
    let app = app().await;
    let (root, bob) = (app.admin("root").await, app.user("bob").await);
    let ids = graphql(&root, "/any", "{ users(username: \"bob\") { edges { node { id } } } }").await.json();
    let id = ids["data"]["users"]["edges"][0]["node"]["id"].as_str().unwrap().to_owned();
    let new =
        format!("username: \"eve\", password: \"{PASSWORD}\", password_confirmed: \"{PASSWORD}\", role: \"admin\"");
    for (field, input, wanted) in [
        ("create_user", new.as_str(), "user { id }"),
        ("update_user", &format!("id: \"{id}\", change_password: false"), "user { id }"),
        ("delete_user", &format!("id: \"{id}\""), "ok"),
        ("reset_password", &format!("id: \"{id}\""), "password"),
    ] {
        let query = format!("mutation {{ {field}(input: {{ {input} }}) {{ {wanted} }} }}");
        let answer = graphql(&bob, "/any", &query).await;
        let error = json!({ "message": "unauthorized", "locations": [{ "line": 1, "column": 12 }], "path": [field] });
        let expected = json!({ "errors": [error], "data": { field: Value::Null } });
        assert_eq!((answer.status.as_u16(), answer.json()), (200, expected));
    }
    let count = root.send("{ users { totalCount } }", json!({})).await.data();
    assert_eq!(count["users"]["totalCount"], 2);
}

/// No response repeats a query, which may contain a password.
#[tokio::test]
async fn auth_service_errors_do_not_repeat_input() {
    let app = app().await;
    let root = app.admin("root").await;
    let word = "hunter2-in-the-query";
    for query in [
        format!("mutation {{ update_password(input: {{ current_password: \"{word}\" }}"),
        format!("mutation {{ update_password(input: {{ current_password: \"{word}\" }}) {{ ok }} }}"),
        format!("mutation {{ update_password(input: \"{word}\") {{ ok }} }}"),
        format!("mutation {{ refresh_token(input: {{ refresh_token: [\"{word}\"] }}) {{ token_type }} }}"),
        format!("{{ roles(permissions: \"{word}\") {{ edges {{ cursor }} }} }}"),
    ] {
        let answer = graphql(&root, "/any", &query).await;
        assert!(answer.json()["errors"].is_array() && !answer.text.contains(word), "{}", answer.text);
    }
}
