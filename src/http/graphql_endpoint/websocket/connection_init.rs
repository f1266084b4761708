//! The `connection_init` message and its credentials.

use serde_json::Value;

use super::close::CloseReason;
use super::message::{self, ClientMessage};
use super::transport::Transport;
use crate::account::caller::request_auth::{Credentials, RequestAuth};
use crate::http::request::authorization;

/// Waits for `connection_init` and returns its payload.
pub(super) async fn receive_init(transport: &mut Transport) -> Result<Value, CloseReason> {
    loop {
        match transport.recv().await? {
            Some(ClientMessage::Init(payload)) => return Ok(payload),
            Some(ClientMessage::Ping(payload)) => transport.send_text(message::pong(payload)).await?,
            Some(ClientMessage::Pong) | None => {}
            Some(ClientMessage::Subscribe(..) | ClientMessage::Complete(_)) => return Err(CloseReason::Unauthorized),
        }
    }
}

/// Takes the credentials of the `connection_init` payload, if it has any. Browsers cannot send headers with a
/// WebSocket.
pub(super) fn take_credentials(auth: &mut RequestAuth, payload: &Value) {
    let credentials = match authorization_member(payload) {
        None => Credentials::None,
        Some(Value::String(text)) => authorization::parse(text),
        Some(_) => Credentials::Malformed,
    };
    // `token` has no scheme.
    let credentials = match (credentials, payload.get("token")) {
        (Credentials::None, Some(Value::String(text))) if text.contains(' ') => authorization::parse(text),
        (Credentials::None, Some(Value::String(text))) => authorization::parse(&format!("Bearer {text}")),
        (Credentials::None, Some(token)) if !token.is_null() => Credentials::Malformed,
        (credentials, _) => credentials,
    };
    if !matches!(credentials, Credentials::None) {
        auth.credentials = credentials;
    }
}

/// The `Authorization` value in the payload: a member of it, as graphql-ws documents, or of its `headers`, as older
/// examples of Apollo and urql do.
fn authorization_member(payload: &Value) -> Option<&Value> {
    let headers = payload.get("headers");
    let members = [Some(payload), headers].into_iter().flatten();
    let mut values = members.flat_map(|one| [one.get("authorization"), one.get("Authorization")]).flatten();
    values.find(|value| !value.is_null())
}
