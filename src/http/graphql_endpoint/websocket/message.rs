//! Messages of the protocol `graphql-transport-ws`.

use async_graphql::{Response as GraphQlResponse, ServerError};
use serde::Serialize;
use serde_json::Value;

use crate::http::graphql_endpoint::parameters::Parameters;
use crate::http::graphql_endpoint::response::event_body;
use crate::strict_json;

/// Maximum bytes of a subscription id; clients use a UUID or a number.
const MAX_ID_BYTES: usize = 128;

/// A message from the client.
pub(super) enum ClientMessage {
    /// The first message; its payload may hold the credentials of the connection.
    Init(Value),
    Ping(Option<Value>),
    Pong,
    /// Starts a subscription; its parameters may be invalid.
    Subscribe(String, Box<Result<Parameters, String>>),
    /// Ends a subscription.
    Complete(String),
}

/// Parses a message; `None` if it does not follow the protocol.
pub(super) fn parse(text: &str) -> Option<ClientMessage> {
    let Value::Object(mut members) = strict_json::parse(text.as_bytes()).ok()? else { return None };
    let payload = members.remove("payload").filter(|payload| !payload.is_null());
    let id = match members.remove("id") {
        Some(Value::String(id)) if (1..=MAX_ID_BYTES).contains(&id.len()) => Some(id),
        Some(_) => return None,
        None => None,
    };
    Some(match members.remove("type")?.as_str()? {
        "connection_init" => ClientMessage::Init(payload.unwrap_or_default()),
        "ping" => ClientMessage::Ping(payload),
        "pong" => ClientMessage::Pong,
        "subscribe" => ClientMessage::Subscribe(id?, Box::new(Parameters::from_json(payload?))),
        "complete" => ClientMessage::Complete(id?),
        _ => return None,
    })
}

/// A message to the client, beside those of the library's loop.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ServerMessage<'a, P: Serialize> {
    Next { id: &'a str, payload: P },
    Error { id: &'a str, payload: P },
    Complete { id: &'a str },
}

/// An event.
pub(super) fn next(id: &str, response: &GraphQlResponse) -> String {
    serialize(&ServerMessage::Next { id, payload: event_body(response) })
}

/// The final message of a rejected subscription.
pub(super) fn error(id: &str, errors: &[ServerError]) -> String {
    serialize(&ServerMessage::Error { id, payload: errors })
}

/// The final message of a subscription that ended by itself.
pub(super) fn complete(id: &str) -> String {
    let message: ServerMessage<'_, ()> = ServerMessage::Complete { id };
    serialize(&message)
}

/// Whether a message of the library's loop is a `complete`.
pub(super) fn is_complete(text: &str) -> bool {
    text.starts_with(r#"{"type":"complete""#)
}

fn serialize<P: Serialize>(message: &ServerMessage<'_, P>) -> String {
    // Serialization cannot fail: names and values are strings and JSON.
    serde_json::to_string(message).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_protocol_messages_are_parsed() {
        assert!(matches!(parse(r#"{"type":"connection_init"}"#), Some(ClientMessage::Init(Value::Null))));
        assert!(matches!(parse(r#"{"type":"ping","payload":{"a":1}}"#), Some(ClientMessage::Ping(Some(_)))));
        assert!(matches!(parse(r#"{"type":"pong","payload":null}"#), Some(ClientMessage::Pong)));
        assert!(matches!(parse(r#"{"type":"complete","id":"1"}"#), Some(ClientMessage::Complete(id)) if id == "1"));
        let subscribe = r#"{"type":"subscribe","id":"1","payload":{"query":"subscription { a }"}}"#;
        assert!(matches!(parse(subscribe), Some(ClientMessage::Subscribe(_, parameters)) if parameters.is_ok()));
        let long = format!(r#"{{"type":"complete","id":"{}"}}"#, "a".repeat(MAX_ID_BYTES + 1));
        for text in [
            "",
            "[]",
            "ping",
            r#"{"type":"start","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","payload":{"query":"{ a }"}}"#,
            r#"{"type":"complete","id":""}"#,
            r#"{"type":"complete","id":1}"#,
            r#"{"type":"ping","type":"pong"}"#,
            &long,
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn server_messages_follow_the_protocol() {
        assert_eq!(complete("1"), r#"{"type":"complete","id":"1"}"#);
        assert!(is_complete(&complete("1")) && !is_complete(&error("1", &[])));
        let response = GraphQlResponse::new(async_graphql::value!({ "a": 1 }));
        assert_eq!(next("1", &response), r#"{"type":"next","id":"1","payload":{"data":{"a":1}}}"#);
    }
}
