//! A client of the router, with or without credentials.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{STREAM_STARTED, TestResponse};

/// A client that sends requests.
#[derive(Clone)]
pub struct Actor {
    router: Router,
    pub token: Option<String>,
    pub refresh_token: Option<String>,
    pub id: String,
    address: Option<SocketAddr>,
}

impl Actor {
    /// An actor without credentials.
    pub(super) fn new(router: Router) -> Self {
        Self { router, token: None, refresh_token: None, id: String::new(), address: None }
    }

    /// The actor with the tokens of a payload with `user` and `tokens`.
    pub fn signed_in(&self, payload: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no tokens in {payload}")).to_owned();
        Self {
            router: self.router.clone(),
            token: Some(text(&payload["tokens"]["accessToken"])),
            refresh_token: Some(text(&payload["tokens"]["refreshToken"])),
            id: payload["user"]["id"].as_str().unwrap_or(&self.id).to_owned(),
            address: self.address,
        }
    }

    /// The same actor with another access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same actor, connected to another router.
    pub fn at_router(&self, router: Router) -> Self {
        Self { router, ..self.clone() }
    }

    /// The same actor at this address.
    pub fn at_address(&self, address: &str) -> Self {
        Self { address: Some((address.parse::<std::net::IpAddr>().unwrap(), 50_000).into()), ..self.clone() }
    }

    /// A new API token of the actor: its id, and an actor that uses it.
    pub async fn api_token(&self, permissions: &[&str]) -> (String, Self) {
        let input = json!({ "name": "robot", "permissions": permissions });
        let made = self.mutate_ok("createApiToken", input, "apiToken { id } token").await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let program = Self { refresh_token: None, ..self.with_token(&text(&made["token"])) };
        (text(&made["apiToken"]["id"]), program)
    }

    /// Sends a GraphQL request as Apollo does.
    pub async fn send(&self, query: &str, variables: Value) -> TestResponse {
        self.json(Method::POST, "/graphql", &json!({ "query": query, "variables": variables })).await
    }

    /// Sends a JSON body.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> TestResponse {
        self.request(method, path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// Sends any request; the actor's token is added unless `headers` has an authorization.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> TestResponse {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.token
            && !headers.iter().any(|(name, _)| *name == "authorization")
        {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(address) = self.address {
            request = request.extension(ConnectInfo(address));
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let is_stream = parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        if is_stream {
            // It has no end.
            let text = json!({ "data": { STREAM_STARTED.trim_matches('/'): true } }).to_string();
            return TestResponse { status: parts.status, headers: parts.headers, text };
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        TestResponse {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Sends the mutation `field` with its input and the selection of its payload.
    pub async fn mutate(&self, field: &str, input: Value, wanted: &str) -> TestResponse {
        let kind = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!("mutation ($input: {kind}!) {{ {field}(input: $input) {{ {wanted} }} }}");
        self.send(&query, json!({ "input": input })).await
    }

    /// The same, repeated while the server is busy: a loaded machine may refuse to hash.
    pub async fn mutate_retrying(&self, field: &str, input: Value, wanted: &str) -> TestResponse {
        loop {
            let answer = self.mutate(field, input.clone(), wanted).await;
            if answer.code().as_deref() != Some("SERVER_BUSY") {
                return answer;
            }
        }
    }

    /// Sends the mutation `field` and returns the code and the path of each error in its payload.
    pub async fn payload_errors(&self, field: &str, input: Value) -> Vec<(String, String)> {
        let answer = self.mutate(field, input, "errors { code path message }").await;
        let errors = answer.data()[field]["errors"].as_array().unwrap().clone();
        let path = |error: &Value| {
            let parts = error["path"].as_array().unwrap().iter().map(|part| part.as_str().unwrap());
            parts.collect::<Vec<_>>().join(".")
        };
        errors.iter().map(|error| (error["code"].as_str().unwrap().to_owned(), path(error))).collect()
    }

    /// Sends the mutation `field` with `input`, repeated while the server is busy, and returns its payload, which must
    /// have no errors.
    pub async fn mutate_ok(&self, field: &str, input: Value, wanted: &str) -> Value {
        let answer = self.mutate_retrying(field, input, &format!("{wanted} errors {{ code path message }}")).await;
        let payload = answer.data()[field].clone();
        assert_eq!(payload["errors"], json!([]), "{field} was refused");
        payload
    }

    /// Logs in; the response holds `login`.
    pub async fn login(&self, name: &str, password: &str) -> TestResponse {
        let query = "mutation ($name: String!, $password: String!) {
            login(input: { username: $name, password: $password }) {
                user { id username } session { id } tokens { accessToken refreshToken expiresIn }
                errors { code message path }
            }
        }";
        self.send(query, json!({ "name": name, "password": password })).await
    }

    /// Refreshes with a token; the response holds `refresh`.
    pub async fn refresh(&self, refresh_token: &str) -> TestResponse {
        let query = "mutation ($token: String) {
            refresh(input: { refreshToken: $token }) {
                outcome user { id } session { id } tokens { accessToken refreshToken } errors { code message path }
            }
        }";
        self.send(query, json!({ "token": refresh_token })).await
    }

    /// The code with which `me` is refused, if any.
    pub async fn me_code(&self) -> Option<String> {
        self.send("{ me { id } }", json!({})).await.code()
    }

    /// The reason with which `me` is refused.
    pub async fn me_reason(&self) -> Option<String> {
        let answer = self.send("{ me { id } }", json!({})).await;
        answer.json()["errors"][0]["extensions"]["reason"].as_str().map(str::to_owned)
    }
}
