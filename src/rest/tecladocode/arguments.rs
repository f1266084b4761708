//! What callers send, as JSON or as a form. The old service took it from the address, too, where it ends up in logs
//! and histories: it is not looked for there.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use super::answer::Failure;
use crate::rest::flask;

/// The arguments of a request, by name.
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    /// Reads a body; one of another type has no arguments.
    ///
    /// # Errors
    /// 413 if it is too long, 400 if it is said to be JSON and is not.
    pub fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Self, Failure> {
        if flask::is_json(headers) {
            return Ok(Self(match flask::read(headers, body)? {
                Value::Object(members) => members,
                _ => Map::new(),
            }));
        }
        let bytes = match body {
            Ok(bytes) if is_form(headers) => bytes,
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(flask::too_large().into());
            }
            _ => Bytes::new(),
        };
        let mut members = Map::new();
        for (name, value) in form_urlencoded::parse(&bytes) {
            // The first one counts.
            members.entry(name).or_insert_with(|| value.into_owned().into());
        }
        Ok(Self(members))
    }

    /// The text of the argument `name`; numbers become texts, as they did.
    ///
    /// # Errors
    /// 400 if it is not there, or no text.
    pub fn text(&self, name: &'static str) -> Result<String, Failure> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(_) => Err(Failure::Argument(name, "This field must be a text.".to_owned())),
            None => Err(Failure::Argument(name, "This field cannot be blank.".to_owned())),
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = value.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
