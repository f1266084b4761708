//! Documents are parsed once, by one parser with limits: no text ends the process, on any route.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::server::Server;
use crate::support::subscriber::WebSocketClient;
use crate::support::{TestApp, TestResponse};

/// Half the stack of a server thread: accepted documents must not come near its end.
const STACK: usize = 1024 * 1024;

/// Every limit at its highest value.
const WIDE: [(&str, &str); 10] = [
    ("ACCOUNTD_GRAPHQL__MAX_QUERY_BYTES", "65536"),
    ("ACCOUNTD_GRAPHQL__MAX_TOKENS", "10000"),
    ("ACCOUNTD_GRAPHQL__MAX_DEPTH", "30"),
    ("ACCOUNTD_GRAPHQL__MAX_SELECTIONS", "10000"),
    ("ACCOUNTD_GRAPHQL__MAX_DIRECTIVES", "1000"),
    ("ACCOUNTD_GRAPHQL__MAX_ALIASES", "1000"),
    ("ACCOUNTD_GRAPHQL__MAX_ROOT_FIELDS", "100"),
    ("ACCOUNTD_GRAPHQL__MAX_COMPLEXITY", "100000"),
    ("ACCOUNTD_GRAPHQL__MAX_VARIABLE_BYTES", "65536"),
    ("ACCOUNTD_GRAPHQL__MAX_BATCH", "10"),
];

/// Runs `work` on a thread with a small stack.
fn with_small_stack(work: impl AsyncFnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK);
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work());
    };
    thread.spawn(run).unwrap().join().unwrap();
}

/// `open` and `close` around `inner`, repeated.
fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("{}{inner}{}", open.repeat(times), close.repeat(times))
}

/// A chain of fragments, each of which nests inline fragments and spreads the next.
fn chain(fragments: usize, nesting: usize) -> String {
    let fragment = |number: usize| {
        let spread = nested("...{", &format!("...f{}", number + 1), "}", nesting);
        format!(" fragment f{number} on Query {{ {spread} }}")
    };
    let chain = (0..fragments).map(fragment).collect::<String>();
    format!("{{ ...f0 }}{chain} fragment f{fragments} on Query {{ me {{ id }} }}")
}

/// Nested documents: their kind and text.
fn nesting(depth: usize) -> Vec<(&'static str, String)> {
    let quotes = |quotes: &str, open: &str, close: &str| {
        format!("{{ __type(name: [{quotes} {}]) {{ name }} }}", nested(open, "1", close, depth))
    };
    vec![
        ("lists behind four quotes", quotes("\"\"\"\"", "[", "]")),
        ("objects behind four quotes", quotes("\"\"\"\"", "{a:", "}")),
        ("lists behind a block string", quotes("\"\"\"x\"", "[", "]")),
        ("lists", format!("{{ __type(name: {}) {{ name }} }}", nested("[", "1", "]", depth))),
        ("lists that do not end", format!("{{ __type(name: {}", "[".repeat(depth))),
        ("objects", format!("{{ __type(name: {}) {{ name }} }}", nested("{a:", "1", "}", depth))),
        ("a default", format!("query ($a: X = {}) {{ me {{ id }} }}", nested("{a:[", "1", "]}", depth / 2))),
        ("a type", format!("query ($a: {}) {{ me {{ id }} }}", nested("[", "Int", "]", depth))),
        ("fields", nested("{ me ", "{ id }", "}", depth)),
        ("inline fragments", format!("{{ {} }}", nested("...{", "me { id }", "}", depth))),
        ("directives", format!("{{ me {{ id @skip(if: {}) }} }}", nested("[", "true", "]", depth))),
        ("fragments", chain(depth.min(2_000), 1)),
        ("fragments of inline fragments", chain(depth.min(2_000) / 40, 40)),
        ("brackets alone", "[{(".repeat(depth)),
        ("definitions", format!("type A {{ a(b: Int = {}): Int }}", "[".repeat(depth))),
    ]
}

fn code(answer: &TestResponse) -> String {
    let json = answer.json();
    let first = json.as_array().and_then(|all| all.first()).unwrap_or(&json);
    first["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

const REFUSED: [&str; 3] = ["OPERATION_TOO_COMPLEX", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"];

#[test]
fn deeply_nested_document_is_refused_on_every_route() {
    with_small_stack(async || {
        let mut settings = WIDE.to_vec();
        settings.push(("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/any"));
        let server = Server::serving(TestApp::with(&settings).await).await;
        let ann = server.app.user("ann").await;
        let token = ann.token.clone().unwrap();
        for (name, text) in nesting(8_000) {
            let text = &text[..text.len().min(65_000)];
            let body = json!({ "query": text });
            let media = ("content-type", "application/json");
            // A URL has 64 KiB at most, and each byte takes up to three.
            let escaped = &text[..text.len().min(20_000)];
            let escaped: String = form_urlencoded::byte_serialize(escaped.as_bytes()).collect();
            let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
            let hash = hex::encode(hash);
            let persisted = json!({
                "query": text,
                "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } },
            });
            let anonymous = server.app.anonymous();
            let image = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "image")];
            let events = [media, ("accept", "text/event-stream")];
            let answers = [
                ("POST", anonymous.json(Method::POST, "/graphql", &body).await),
                ("batch", anonymous.json(Method::POST, "/graphql", &json!([body])).await),
                ("persisted", anonymous.json(Method::POST, "/graphql", &persisted).await),
                ("GET", anonymous.request(Method::GET, &format!("/graphql?query={escaped}"), &image, "").await),
                ("events", anonymous.request(Method::POST, "/graphql", &events, body.to_string()).await),
            ];
            for (route, answer) in &answers {
                assert!(answer.status.as_u16() < 500, "{name} by {route}: {}", answer.text);
                // A refused subscription is reported by an event or by the status; a query is not accepted as events.
                if *route != "events" {
                    assert!(REFUSED.contains(&code(answer).as_str()), "{name} by {route}: {}", answer.text);
                }
            }
            let dialect = ann.json(Method::POST, "/any/graphql", &body).await;
            assert!(dialect.status.as_u16() < 500 && dialect.text.contains("errors"), "{name}: {}", dialect.text);
            let mut socket = WebSocketClient::authenticated(server.address, &token).await;
            socket.subscribe("1", text).await;
            let message = socket.receive().await;
            assert_eq!(message["type"], "error", "{name}: {message}");
        }
    });
}

/// The deepest and largest accepted documents, with every limit at its highest value.
#[test]
fn accepted_document_uses_a_small_part_of_the_stack() {
    with_small_stack(async || {
        let app = TestApp::with(&WIDE).await;
        let root = app.admin("root").await;
        let mut refused = 0;
        for depth in [10, 20, 25, 28, 30, 45, 46, 47, 48, 49, 50] {
            for (name, text) in nesting(depth) {
                let long = format!("{text} #{}", "x".repeat(65_536 - text.len() - 2));
                let answer = root.send(&long, json!({})).await;
                assert!(answer.status.as_u16() < 500, "{name} × {depth}: {}", answer.text);
                refused += usize::from(!code(&answer).is_empty());
            }
        }
        assert!(refused > 0);
        // Valid and as deep as allowed.
        let wide = format!("{{ {} }}", nested("...{", &"me { id } ".repeat(90), "}", 40));
        assert_eq!(root.send(&wide, json!({})).await.code(), None);
        let chain = chain(12, 2);
        assert_eq!(root.send(&chain, json!({})).await.code(), None);
        let types = nested("ofType { ", "name", " }", 30);
        let query = format!("{{ __schema {{ types {{ fields {{ type {{ {types} }} }} }} }} }}");
        let answer = root.send(&query, json!({})).await;
        assert!(matches!(code(&answer).as_str(), "" | "OPERATION_TOO_COMPLEX"), "{}", answer.text);
        // Variables nest as deep as JSON may.
        let value: Value = serde_json::from_str(&nested("[", "1", "]", 120)).unwrap();
        let query = "query ($first: Int) { users(first: $first) { totalCount } }";
        let answer = root.send(query, json!({ "first": value })).await;
        assert!(answer.status.as_u16() < 500 && !code(&answer).is_empty(), "{}", answer.text);
    });
}
