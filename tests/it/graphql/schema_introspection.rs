//! Introspection and long responses: bounded before they run, and closed behind proxies.

use std::collections::{BTreeMap, VecDeque};

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Actor, TestApp, TestResponse};

/// The response limit by default, in bytes.
const MAX_RESPONSE: usize = 1024 * 1024;

/// What graphql-js asks with every option, which is what GraphiQL, Apollo's tools and graphql-codegen send.
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

/// A field of a type of introspection that answers objects.
#[derive(Clone, Debug)]
struct Edge {
    from: String,
    field: String,
    to: String,
    is_list: bool,
}

/// All of them, as the server at `ask` describes itself.
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

/// The shortest way from one type to another, field by field; none if there is no way.
fn path_to(edges: &[Edge], from: &str, to: &str) -> Option<Vec<String>> {
    let mut ways = BTreeMap::from([(from.to_owned(), Vec::new())]);
    let mut next = VecDeque::from([from.to_owned()]);
    while let Some(place) = next.pop_front() {
        let way = ways[&place].clone();
        if place == to {
            return Some(way);
        }
        for edge in edges.iter().filter(|edge| edge.from == place) {
            if !ways.contains_key(&edge.to) {
                ways.insert(edge.to.clone(), [&way[..], std::slice::from_ref(&edge.field)].concat());
                next.push_back(edge.to.clone());
            }
        }
    }
    None
}

/// `field`, so many times within itself: spelled out, and with a fragment for each time.
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

/// Looks at each list within itself; `ask` gives what the server answers to a query.
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
    let app = TestApp::with(&[("ACCOUNTD_REST__DIALECTS__AUTH_SERVICE", "/any")]).await;
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
    assert_eq!(answer.json()["errors"][0]["extensions"]["limit"], "graphql.max_response_bytes");
    let few = TestApp::new().await;
    let aliases: String = (0..15).map(|n| format!("a{n}: types {{ fields {{ name args {{ name }} }} }} ")).collect();
    let answer = few.anonymous().send(&format!("{{ __schema {{ {aliases} }} }}"), json!({})).await;
    assert!(answer.text.len() < MAX_RESPONSE);
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

/// Opens with `auto` for requests that come by themselves, and for no others.
#[tokio::test]
async fn auto_introspection_refuses_forwarded_requests() {
    let headers = [
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "accounts.example.com"),
        ("x-forwarded-port", "443"),
        ("x-real-ip", "192.0.2.1"),
        ("forwarded", "for=192.0.2.1"),
        ("via", "1.1 proxy"),
        ("cf-connecting-ip", "192.0.2.1"),
        ("true-client-ip", "192.0.2.1"),
    ];
    let body = json!({ "query": "{ __schema { queryType { name } } }" }).to_string();
    let ask = async |actor: &Actor, extra: &[(&str, &str)]| {
        let headers = [&[("content-type", "application/json")][..], extra].concat();
        actor.request(Method::POST, "/graphql", &headers, body.clone()).await
    };
    let look = async |actor: &Actor, extra: &[(&str, &str)]| {
        let headers = [&[("accept", "text/html")][..], extra].concat();
        actor.request(Method::GET, "/graphql", &headers, "").await
    };
    let is_closed = async |actor: &Actor, extra: &[(&str, &str)]| {
        let (answer, page) = (ask(actor, extra).await, look(actor, extra).await);
        let message = answer.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
        let closed = message.contains("graphql.introspection") && !answer.text.contains("Query");
        assert_eq!(page.status == 403, closed, "{extra:?}");
        assert_eq!(page.text.contains("The playground is closed"), closed, "{extra:?}");
        closed
    };
    let app = TestApp::new().await;
    let anyone = app.anonymous();
    assert!(!is_closed(&anyone, &[]).await);
    for header in headers {
        assert!(is_closed(&anyone, &[header]).await, "{header:?}");
    }
    let nested = "{ ...f } fragment f on Query { ... { __type(name: \"User\") { name } } }";
    let body = json!({ "query": nested }).to_string();
    let json = [("content-type", "application/json"), ("via", "1.1 proxy")];
    assert!(!anyone.request(Method::POST, "/graphql", &json, body).await.text.contains("\"User\""));
    let own = json!({ "query": "{ __typename me { __typename } }" }).to_string();
    assert_eq!(anyone.request(Method::POST, "/graphql", &json, own).await.code(), None);

    let behind = TestApp::with(&[("ACCOUNTD_SERVER__TRUSTED_PROXIES", "10.0.0.0/8")]).await;
    assert!(is_closed(&behind.anonymous(), &[]).await);
    let open = TestApp::with(&[
        ("ACCOUNTD_SERVER__TRUSTED_PROXIES", "10.0.0.0/8"),
        ("ACCOUNTD_GRAPHQL__INTROSPECTION", "true"),
    ])
    .await;
    assert!(!is_closed(&open.anonymous(), &headers).await);
}

/// The smallest response limit that can be set, in bytes.
const MIN_RESPONSE: (&str, &str) = ("ACCOUNTD_GRAPHQL__MAX_RESPONSE_BYTES", "65536");

/// An administrator of a service with the smallest response limit and many roles.
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
    let (app, root) = large_response_app(&[("ACCOUNTD_GRAPHQL__BATCH_MAX", "10")]).await;
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

#[tokio::test]
async fn auth_service_response_above_the_size_limit_is_refused() {
    let (_app, root) = large_response_app(&[("ACCOUNTD_REST__DIALECTS__AUTH_SERVICE", "/any")]).await;
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
