//! The messages of the protocol `graphql-transport-ws`.

use async_graphql::{Response as GraphQlResponse, ServerError};
use serde::Serialize;
use serde_json::Value;

use crate::http::endpoint::{Parameters, event};
use crate::json;

/// Longest id of a subscription, in bytes; clients take a UUID or a number.
const MAX_ID: usize = 128;

/// What a client says.
pub(super) enum Heard {
    /// The first thing; with what shall count for all that follows.
    Init(Value),
    Ping(Option<Value>),
    Pong,
    /// Asks for a subscription, whose parameters may be wrong.
    Subscribe(String, Box<Result<Parameters, String>>),
    /// Ends a subscription.
    Complete(String),
}

/// Reads a message; nothing if it is none of the protocol.
pub(super) fn read(text: &str) -> Option<Heard> {
    let Value::Object(mut members) = json::read(text.as_bytes()).ok()? else { return None };
    let payload = members.remove("payload").filter(|payload| !payload.is_null());
    let id = match members.remove("id") {
        Some(Value::String(id)) if (1..=MAX_ID).contains(&id.len()) => Some(id),
        Some(_) => return None,
        None => None,
    };
    Some(match members.remove("type")?.as_str()? {
        "connection_init" => Heard::Init(payload.unwrap_or_default()),
        "ping" => Heard::Ping(payload),
        "pong" => Heard::Pong,
        "subscribe" => Heard::Subscribe(id?, Box::new(Parameters::of(payload?))),
        "complete" => Heard::Complete(id?),
        _ => return None,
    })
}

/// What the server says.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said<'a, P: Serialize> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<P>,
    },
    Next {
        id: &'a str,
        payload: P,
    },
    Error {
        id: &'a str,
        payload: P,
    },
    Complete {
        id: &'a str,
    },
}

pub(super) fn ack() -> String {
    let said: Said<'_, ()> = Said::ConnectionAck;
    written(&said)
}

pub(super) fn pong(payload: Option<Value>) -> String {
    written(&Said::Pong { payload })
}

pub(super) fn next(id: &str, response: &GraphQlResponse) -> String {
    written(&Said::Next { id, payload: event(response) })
}

/// The last word about a subscription that was refused.
pub(super) fn error(id: &str, errors: &[ServerError]) -> String {
    written(&Said::Error { id, payload: errors })
}

pub(super) fn complete(id: &str) -> String {
    let said: Said<'_, ()> = Said::Complete { id };
    written(&said)
}

fn written<P: Serialize>(said: &Said<'_, P>) -> String {
    // Names and values are all texts and JSON: writing them does not fail.
    serde_json::to_string(said).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_messages_of_the_protocol_and_no_others() {
        assert!(matches!(read(r#"{"type":"connection_init"}"#), Some(Heard::Init(Value::Null))));
        assert!(matches!(read(r#"{"type":"ping","payload":{"a":1}}"#), Some(Heard::Ping(Some(_)))));
        assert!(matches!(read(r#"{"type":"pong","payload":null}"#), Some(Heard::Pong)));
        assert!(matches!(read(r#"{"type":"complete","id":"1"}"#), Some(Heard::Complete(id)) if id == "1"));
        let subscribe = r#"{"type":"subscribe","id":"1","payload":{"query":"subscription { a }"}}"#;
        assert!(matches!(read(subscribe), Some(Heard::Subscribe(_, parameters)) if parameters.is_ok()));
        let long = format!(r#"{{"type":"complete","id":"{}"}}"#, "a".repeat(MAX_ID + 1));
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
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn speaks_the_protocol() {
        assert_eq!(ack(), r#"{"type":"connection_ack"}"#);
        assert_eq!(pong(None), r#"{"type":"pong"}"#);
        assert_eq!(complete("1"), r#"{"type":"complete","id":"1"}"#);
        let response = GraphQlResponse::new(async_graphql::value!({ "a": 1 }));
        assert_eq!(next("1", &response), r#"{"type":"next","id":"1","payload":{"data":{"a":1}}}"#);
    }
}
