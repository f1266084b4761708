//! A gateway as in docs/gateways.md: it verifies access tokens by the revocation list, without requests per token.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::TestApp;

pub const LIST: &str = "/.well-known/revocations";

/// One of the first two parts of a token.
pub fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The claims of a token.
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

/// A gateway with the current list.
#[derive(Debug)]
pub struct Gateway {
    pub list: Value,
}

impl Gateway {
    pub async fn of(node: &TestApp) -> Self {
        let answer = node.anonymous().request(Method::GET, LIST, &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/jwt")));
        Self { list: claims(&answer.text) }
    }

    /// Whether the list does not revoke the token. It uses only the members of the first release.
    pub fn accepts(&self, token: &str) -> bool {
        let claims = claims(token);
        let lists = |member: &str, claim: &str| self.list[member].as_array().unwrap().contains(&claims[claim]);
        let cut_off = self.list["users"][claims["sub"].as_str().unwrap()].as_i64().unwrap_or(-1);
        !lists("sessions", "sid") && !lists("tokens", "jti") && claims["iat"].as_i64().unwrap() > cut_off
    }

    /// Whether the token's generation is at least the lowest valid one of its session.
    pub fn accepts_generation(&self, token: &str) -> bool {
        let claims = claims(token);
        let lowest = self.list["generations"][claims["sid"].as_str().unwrap()].as_i64().unwrap_or(0);
        claims["gen"].as_i64().unwrap() >= lowest
    }

    pub fn count(&self, member: &str) -> usize {
        let member = &self.list[member];
        member.as_array().map(Vec::len).or(member.as_object().map(serde_json::Map::len)).unwrap()
    }
}
