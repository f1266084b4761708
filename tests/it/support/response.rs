//! A response and its accessors for tests.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A received response.
pub struct TestResponse {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl TestResponse {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The data of a GraphQL response without errors.
    pub fn data(&self) -> Value {
        let json = self.json();
        assert!(json.get("errors").is_none(), "unexpected errors: {json}");
        json["data"].clone()
    }

    /// The code of the first top-level error.
    pub fn code(&self) -> Option<String> {
        self.json()["errors"][0]["extensions"]["code"].as_str().map(str::to_owned)
    }

    /// The code of the first error in the payload of the mutation `field`.
    pub fn payload_error(&self, field: &str) -> Option<String> {
        self.data()[field]["errors"][0]["code"].as_str().map(str::to_owned)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
