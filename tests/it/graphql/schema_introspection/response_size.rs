//! Responses above the size limit.

use axum::http::Method;
use serde_json::{Value, json};

use super::{form, is_too_complex, standard};
use crate::support::{Actor, TestApp};

/// The minimum response limit, in bytes.
const MIN_RESPONSE: (&str, &str) = ("ACCOUNTD_GRAPHQL__MAX_RESPONSE_BYTES", "65536");

/// An administrator of a service with the minimum response limit and many roles.
async fn large_response_app(settings: &[(&str, &str)]) -> (TestApp, Actor) {
    let app = TestApp::with(&[&[MIN_RESPONSE][..], settings].concat()).await;
    let root = app.admin("root").await;
    for number in 0..60 {
        let permissions = ["USERS_READ", "USERS_WRITE", "USERS_DELETE", "ROLES_READ", "ROLES_WRITE", "SESSIONS_READ"];
        let input =
            json!({ "name": format!("role-{number}"), "description": "d".repeat(200), "permissions": permissions });
        root.mutate_ok("saveRole", input, "role { id }").await;
    }
    (app, root)
}

fn repeated(field: &str) -> String {
    let aliases: String = (0..15).map(|n| format!("a{n}: {field} ")).collect();
    format!("{{ roles {{ {aliases} }} }}")
}

/// The limit holds in the resolvers and in the serializer, whichever comes first.
#[tokio::test]
async fn response_above_the_size_limit_is_refused() {
    let (app, root) = large_response_app(&[("ACCOUNTD_GRAPHQL__MAX_BATCH", "10")]).await;
    assert_eq!(root.send("{ roles { name description permissions } }", json!({})).await.code(), None);
    for field in ["description", "permissions"] {
        for accept in ["application/json", "application/graphql-response+json"] {
            let headers = [("content-type", "application/json"), ("accept", accept)];
            let body = json!({ "query": repeated(field) }).to_string();
            let answer = root.request(Method::POST, "/graphql", &headers, body).await;
            let error = answer.json()["errors"][0].clone();
            assert_eq!(
                (&error["extensions"]["code"], &error["path"][0]),
                (&json!("OPERATION_TOO_COMPLEX"), &json!("roles"))
            );
            assert_eq!(error["extensions"]["limit"], "graphql.max_response_bytes");
            assert_eq!((answer.status.as_u16(), &answer.json()["data"]), (200, &Value::Null), "{accept}");
        }
        let by_get = root.request(Method::GET, &format!("/graphql?query={}", form(&repeated(field))), &[], "").await;
        assert!(is_too_complex(&by_get) && by_get.text.len() < 65_536);
    }
    // Each of them alone is short enough.
    let list = json!({ "query": "{ roles { name description permissions } }" });
    let answer = root.json(Method::POST, "/graphql", &json!([list, list, list, list, list])).await;
    assert!(answer.text.len() < 65_536 + 10 * 300, "{}", answer.text.len());
    let answers = answer.json();
    let codes: Vec<_> =
        answers.as_array().unwrap().iter().map(|one| one["errors"][0]["extensions"]["code"].as_str()).collect();
    assert_eq!((codes.first(), codes.last()), (Some(&None), Some(&Some("OPERATION_TOO_COMPLEX"))));
    let introspection = app.anonymous().send(&standard(), json!({})).await;
    assert_eq!(introspection.json()["errors"][0]["extensions"]["limit"], "graphql.max_response_bytes");
}

/// An operation ends at the value that exceeds the limit: the response is not built first.
#[tokio::test]
async fn resolvers_stop_at_the_response_size_limit() {
    let app = TestApp::with(&[MIN_RESPONSE]).await;
    let root = app.admin("root").await;
    for number in 0..60 {
        let input = json!({ "name": format!("role-{number:0>90}"), "permissions": [] });
        root.mutate_ok("saveRole", input, "role { id }").await;
    }
    let answer = root.send(&repeated("name"), json!({})).await;
    let error = answer.json()["errors"][0].clone();
    assert_eq!(error["extensions"]["limit"], "graphql.max_response_bytes");
    // The serializer would name the root field only.
    assert_eq!(error["path"].as_array().map(Vec::len), Some(3), "{error}");
}

#[tokio::test]
async fn auth_service_response_above_the_size_limit_is_refused() {
    let (_app, root) = large_response_app(&[("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/any")]).await;
    let aliases: String = (0..15).map(|n| format!("a{n}: permissions ")).collect();
    let query = format!("{{ roles {{ edges {{ node {{ {aliases} }} }} }} }}");
    let answer = root.json(Method::POST, "/any/graphql", &json!({ "query": query })).await;
    assert!(answer.text.contains("graphql.max_response_bytes") && answer.text.len() < 300, "{}", answer.text.len());
    let one = json!({ "query": "{ roles { edges { node { permissions } } } }" });
    assert_eq!(
        root.json(Method::POST, "/any/graphql", &one).await.data()["roles"]["edges"].as_array().unwrap().len(),
        61
    );
}
