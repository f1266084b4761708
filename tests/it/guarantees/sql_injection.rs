//! Q1: SQL in any string of any operation is stored as text.

use accountd::graphql::sdl;
use async_graphql::parser::types::{BaseType, Type};
use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::support::schema_inputs::{SchemaInputs, base_type, schema_inputs};
use crate::support::{Actor, TestApp, TestResponse};

/// Pairs that differ only in what a database would read as true and as false.
const PAIRS: [(&str, &str); 9] = [
    ("x' OR '1'='1", "x' OR '1'='2"),
    ("x\" OR \"1\"=\"1", "x\" OR \"1\"=\"2"),
    ("x') OR ('1'='1", "x') OR ('1'='2"),
    ("x' OR 1=1 -- ", "x' OR 1=2 -- "),
    ("x\\' OR 1=1 -- ", "x\\' OR 1=2 -- "),
    ("1 OR 1=1", "1 OR 1=2"),
    ("x' AND 1=1 UNION SELECT 1 -- ", "x' AND 1=2 UNION SELECT 1 -- "),
    ("x'||(SELECT 'a')||'", "x'||(SELECT 'b')||'"),
    ("x%' OR '1' LIKE '1", "x%' OR '1' LIKE '2"),
];

/// A value for `of`; the texts in it are `text`.
fn value(of: &Type, schema: &SchemaInputs, text: &str) -> Value {
    if let BaseType::List(inner) = &of.base {
        return json!([value(inner, schema, text)]);
    }
    let name = base_type(of);
    if let Some(values) = schema.enums.get(name) {
        return json!(values[0]);
    }
    if let Some(members) = schema.objects.get(name) {
        let members = members.iter().map(|(name, of)| (name.clone(), value(of, schema, text)));
        return Value::Object(Map::from_iter(members));
    }
    match name {
        "Int" => json!(3),
        "Boolean" => json!(false),
        _ => json!(text),
    }
}

/// The response without its variable parts.
fn responses_to(answer: &TestResponse) -> String {
    let mut json = answer.json();
    let mut codes = Vec::new();
    strip(&mut json, &mut codes);
    format!("{} {codes:?} {json}", answer.status)
}

/// Keeps only the leaves of the shape, and collects the error codes.
fn strip(json: &mut Value, codes: &mut Vec<String>) {
    match json {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                if name == "code" {
                    codes.push(value.to_string());
                }
                strip(value, codes);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, codes)),
        Value::String(text) => *text = String::new(),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

async fn send(actor: &Actor, field: &str, schema: &SchemaInputs, text: &str) -> TestResponse {
    let (root, name) = field.split_once('.').unwrap();
    let arguments = &schema.root_fields[field];
    let defined: Vec<_> = arguments.iter().map(|(name, of)| format!("${name}: {of}")).collect();
    let passed: Vec<_> = arguments.iter().map(|(name, _)| format!("{name}: ${name}")).collect();
    let list = |items: &[String]| if items.is_empty() { String::new() } else { format!("({})", items.join(", ")) };
    let selection = if schema.with_selection.iter().any(|one| one == field) { "{ __typename }" } else { "" };
    let query = format!("{} Q{} {{ {name}{} {selection} }}", root.to_lowercase(), list(&defined), list(&passed));
    let variables = arguments.iter().map(|(name, of)| (name.clone(), value(of, schema, text)));
    actor.send(&query, Value::Object(Map::from_iter(variables))).await
}

/// True and false variants give the same result without errors.
#[tokio::test]
async fn sql_in_input_is_stored_as_text() {
    let app = TestApp::new().await;
    let (root, schema) = (app.admin("root").await, schema_inputs());
    let mut sent = 0;
    for field in schema.root_fields.keys().filter(|field| *field != "Mutation.logout") {
        for (truth, falsehood) in PAIRS {
            let answers = [send(&root, field, &schema, truth).await, send(&root, field, &schema, falsehood).await];
            assert_eq!(responses_to(&answers[0]), responses_to(&answers[1]), "{field}: {truth}");
            assert!(!answers[0].text.contains("INTERNAL") && answers[0].status.is_success(), "{}", answers[0].text);
            sent += 1;
        }
    }
    assert!(sent > 100, "{sent} in {} bytes of schema", sdl().len());
    for path in ["/login", "/api/v1/auth/login", "/register", "/token-refresh"] {
        for (truth, falsehood) in PAIRS {
            let body = |text| json!({ "username": text, "fullname": text, "password": text, "refresh_token": text });
            let answers = [
                app.anonymous().json(Method::POST, path, &body(truth)).await,
                app.anonymous().json(Method::POST, path, &body(falsehood)).await,
            ];
            assert_eq!(responses_to(&answers[0]), responses_to(&answers[1]), "{path}: {truth}");
            assert!(answers[0].status.is_client_error(), "{path}: {}", answers[0].text);
        }
    }
}

/// Q4: sort and filter keys are chosen from a list, never named by text.
#[test]
fn sort_order_accepts_known_names_only() {
    let schema = schema_inputs();
    let orders: Vec<_> = schema.objects.iter().filter(|(name, _)| name.ends_with("Order")).collect();
    assert!(!orders.is_empty());
    for (name, members) in orders {
        for (member, of) in members {
            assert!(schema.enums.contains_key(base_type(of)), "{name}.{member} is {of}");
        }
    }
}
