//! Introspection and long responses: limited before they run, and introspection closed behind proxies.

mod auto;
mod response_size;

use std::collections::{BTreeMap, VecDeque};

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, TestResponse};

/// The default response limit, in bytes.
const MAX_RESPONSE: usize = 1024 * 1024;

/// The query of graphql-js with every option, which GraphiQL, Apollo's tools and graphql-codegen send.
fn standard() -> String {
    let of_type = |depth: usize| format!("kind name {}{}", "ofType { kind name ".repeat(depth), "}".repeat(depth));
    format!(
        "query IntrospectionQuery {{ __schema {{
            description queryType {{ name kind }} mutationType {{ name kind }} subscriptionType {{ name kind }}
            types {{ ...FullType }}
            directives {{
                name description isRepeatable locations args(includeDeprecated: true) {{ ...InputValue }}
            }}
        }} }}
        fragment FullType on __Type {{
            kind name description specifiedByURL isOneOf
            fields(includeDeprecated: true) {{
                name description args(includeDeprecated: true) {{ ...InputValue }} type {{ ...TypeRef }}
                isDeprecated deprecationReason
            }}
            inputFields(includeDeprecated: true) {{ ...InputValue }}
            interfaces {{ ...TypeRef }}
            enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
            possibleTypes {{ ...TypeRef }}
        }}
        fragment InputValue on __InputValue {{
            name description type {{ ...TypeRef }} defaultValue isDeprecated deprecationReason
        }}
        fragment TypeRef on __Type {{ {} }}",
        of_type(9)
    )
}

/// A field of an introspection type that returns objects.
#[derive(Clone, Debug)]
struct Edge {
    from: String,
    field: String,
    to: String,
    is_list: bool,
}

/// All of them, from the server's own introspection.
fn edges(described: &Value) -> Vec<Edge> {
    let mut edges = Vec::new();
    let types = described["data"]["__schema"]["types"].as_array().unwrap();
    let name = |ty: &Value| ty["name"].as_str().unwrap().to_owned();
    for ty in types.iter().filter(|ty| name(ty).starts_with("__") && ty["kind"] == "OBJECT") {
        for field in ty["fields"].as_array().unwrap() {
            let (mut of, mut is_list) = (&field["type"], false);
            while !of["ofType"].is_null() {
                is_list |= of["kind"] == "LIST";
                of = &of["ofType"];
            }
            if of["kind"] == "OBJECT" {
                edges.push(Edge { from: name(ty), field: name(field), to: name(of), is_list });
            }
        }
    }
    edges
}

const DESCRIBE: &str = "{ __schema { types { kind name fields { name type {
    kind name ofType { kind name ofType { kind name ofType { kind name } } }
} } } } }";

/// The shortest path from one type to another, as fields; `None` without path.
fn path_to(edges: &[Edge], from: &str, to: &str) -> Option<Vec<String>> {
    let mut paths = BTreeMap::from([(from.to_owned(), Vec::new())]);
    let mut next = VecDeque::from([from.to_owned()]);
    while let Some(ty) = next.pop_front() {
        let way = paths[&ty].clone();
        if ty == to {
            return Some(way);
        }
        for edge in edges.iter().filter(|edge| edge.from == ty) {
            if !paths.contains_key(&edge.to) {
                paths.insert(edge.to.clone(), [&way[..], std::slice::from_ref(&edge.field)].concat());
                next.push_back(edge.to.clone());
            }
        }
    }
    None
}

/// `field`, nested this many times: inline, and with a fragment for each level.
fn nested(edges: &[Edge], edge: &Edge, times: usize) -> Option<[String; 2]> {
    let start = path_to(edges, "__Schema", &edge.from)?;
    let back = path_to(edges, &edge.to, &edge.from);
    if times > 1 && back.is_none() {
        return None;
    }
    let back = back.unwrap_or_default();
    let one = [std::slice::from_ref(&edge.field), &back[..]].concat();
    let open = |fields: &[String]| fields.iter().map(|field| format!("{field} {{ ")).collect::<String>();
    let last = |times| if times == 1 { open(&one[..1]) } else { open(&one) };
    let ends = |text: &str| " }".repeat(text.matches('{').count());
    let mut spelled = format!("{{ __schema {{ {}", open(&start));
    let mut spread = format!("{{ __schema {{ {}...f1", open(&start));
    spread = format!("{spread}{}", ends(&spread));
    for time in 1..=times {
        let fields = last(times - time + 1);
        spelled.push_str(&fields);
        let inner = if time == times { "__typename".to_owned() } else { format!("...f{}", time + 1) };
        spread.push_str(&format!(" fragment f{time} on {} {{ {fields}{inner}{} }}", edge.from, ends(&fields)));
    }
    Some([format!("{spelled}__typename{}", ends(&spelled)), spread])
}

/// Nests each list within itself; `ask` returns the server's response to a query.
async fn bound_every_list(ask: impl AsyncFn(&str) -> TestResponse, is_refused: impl Fn(&TestResponse) -> bool) {
    let edges = edges(&ask(DESCRIBE).await.json());
    let lists: Vec<_> = edges.iter().filter(|edge| edge.is_list).collect();
    assert!(lists.len() >= 9, "{lists:?}");
    for edge in lists {
        for times in 1..=9 {
            for query in nested(&edges, edge, times).into_iter().flatten() {
                let answer = ask(&query).await;
                assert!(answer.text.len() <= MAX_RESPONSE, "{} × {times}: {}", edge.field, answer.text.len());
                let is_nested = ["fields", "inputFields", "interfaces", "possibleTypes"].contains(&&*edge.field);
                if times > 2 && is_nested {
                    assert!(is_refused(&answer), "{query}: {}", &answer.text[..200]);
                }
                if times == 1 {
                    assert!(!is_refused(&answer), "{query}: {}", answer.text);
                }
            }
        }
    }
}

fn is_too_complex(answer: &TestResponse) -> bool {
    answer.code().as_deref() == Some("OPERATION_TOO_COMPLEX")
}

#[tokio::test]
async fn nested_introspection_lists_are_limited() {
    let app = TestApp::new().await;
    bound_every_list(async |query: &str| app.anonymous().send(query, json!({})).await, is_too_complex).await;
    let bomb = format!(
        "{{ __type(name: \"Node\") {{ {}name{} }} }}",
        "possibleTypes { interfaces { ".repeat(4),
        " } }".repeat(4)
    );
    for query in [bomb.clone(), bomb.replace("\"Node\"", "$n").replacen('{', "query ($n: String! = \"Node\") {", 1)] {
        assert!(is_too_complex(&app.anonymous().send(&query, json!({})).await), "{query}");
        let path = format!("/graphql?query={}", form(&query));
        assert!(is_too_complex(&app.anonymous().request(Method::GET, &path, &[], "").await), "{query}");
    }
}

fn form(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn auth_service_introspection_is_limited() {
    let app = TestApp::with(&[("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/any")]).await;
    let ann = app.user("ann").await;
    let ask = async |query: &str| ann.json(Method::POST, "/any/graphql", &json!({ "query": query })).await;
    bound_every_list(&ask, |answer: &TestResponse| answer.text.contains("too complex")).await;
    let answer = ask(&standard()).await;
    assert!(answer.data()["__schema"]["types"].as_array().unwrap().len() > 20);
}

/// Wide instead of deep: aliases repeat the largest lists.
#[tokio::test]
async fn complexity_counts_sibling_introspection_lists() {
    let settings = [("ACCOUNTD_GRAPHQL__MAX_ALIASES", "1000"), ("ACCOUNTD_GRAPHQL__MAX_COMPLEXITY", "100000")];
    let app = TestApp::with(&settings).await;
    let aliases: String =
        (0..60).map(|n| format!("a{n}: types {{ name description fields {{ name description }} }} ")).collect();
    let answer = app.anonymous().send(&format!("{{ __schema {{ {aliases} }} }}"), json!({})).await;
    assert!(is_too_complex(&answer), "{}", answer.text.len());
    let json = answer.json();
    assert_eq!(json["errors"][0]["extensions"]["limit"], "graphql.max_response_bytes");
    // Refused before the execution, which would add data and a path.
    assert!(json.get("data").is_none() && json["errors"][0].get("path").is_none(), "{json}");
    let few = TestApp::new().await;
    let aliases: String = (0..15).map(|n| format!("a{n}: types {{ fields {{ name args {{ name }} }} }} ")).collect();
    let answer = few.anonymous().send(&format!("{{ __schema {{ {aliases} }} }}"), json!({})).await;
    assert!(answer.text.len() < MAX_RESPONSE);
}

/// The complexity counts the fields of the response, however short it is.
#[tokio::test]
async fn complexity_counts_introspection_fields() {
    let app = TestApp::with(&[("ACCOUNTD_GRAPHQL__MAX_COMPLEXITY", "100")]).await;
    assert_eq!(app.anonymous().send("{ __schema { types { name } } }", json!({})).await.code(), None);
    let query = "{ __schema { types { name fields { name args { name } type { name kind } } inputFields { name type { name kind } } } } }";
    let answer = app.anonymous().send(query, json!({})).await;
    assert!(is_too_complex(&answer), "{}", answer.text.len());
    assert_eq!(answer.json()["errors"][0]["extensions"]["limit"], "graphql.max_complexity");
}

#[tokio::test]
async fn standard_introspection_query_fits_the_default_limits() {
    let app = TestApp::new().await;
    let answer = app.anonymous().send(&standard(), json!({})).await;
    assert!(answer.data()["__schema"]["types"].as_array().unwrap().len() > 20);
    let by_get = app.anonymous().request(Method::GET, &format!("/graphql?query={}", form(&standard())), &[], "").await;
    assert_eq!(by_get.json(), answer.json());
    let input = standard().replace("description", "");
    assert_eq!(app.anonymous().send(&input, json!({})).await.code(), None);
}
