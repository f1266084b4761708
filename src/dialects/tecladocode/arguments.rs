//! Arguments of a request, from JSON or from a form of either kind. The old service also read the query string; that is
//! left out, because credentials in a URL end up in logs and histories.

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Multipart};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Map, Value};

use super::error::TecladocodeError;
use crate::dialects::werkzeug;
use crate::headers::content_type::media_type;

/// The arguments of a request, by name.
pub(super) struct Arguments(Map<String, Value>);

impl Arguments {
    /// Reads a body; a body of another media type has no arguments.
    ///
    /// # Errors
    /// 413 if it is too large, 400 if its type is JSON and its content is not.
    pub async fn read(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Self, TecladocodeError> {
        if werkzeug::is_json(headers) {
            return Ok(Self(match werkzeug::read_json(headers, body)? {
                Value::Object(members) => members,
                _ => Map::new(),
            }));
        }
        let bytes = match body {
            Ok(bytes) => bytes,
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(werkzeug::payload_too_large().into());
            }
            Err(_) => Bytes::new(),
        };
        let fields = match media_type(headers).as_str() {
            "application/x-www-form-urlencoded" => form_urlencoded::parse(&bytes).into_owned().collect(),
            "multipart/form-data" => multipart_fields(headers, bytes).await,
            _ => Vec::new(),
        };
        let mut members = Map::new();
        for (name, value) in fields {
            // The first value counts.
            members.entry(name).or_insert(Value::String(value));
        }
        Ok(Self(members))
    }

    /// The argument `name` as a string; numbers are converted, as in the old service.
    ///
    /// # Errors
    /// 400 if it is missing or neither a string nor a number.
    pub fn string(&self, name: &'static str) -> Result<String, TecladocodeError> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(_) => Err(TecladocodeError::Argument(name, "This field must be a string.".to_owned())),
            None => Err(TecladocodeError::Argument(name, "This field cannot be blank.".to_owned())),
        }
    }
}

/// The fields of a multipart form, up to the first malformed part; files are skipped.
async fn multipart_fields(headers: &HeaderMap, bytes: Bytes) -> Vec<(String, String)> {
    let mut request = Request::new(Body::from(bytes));
    // It has the boundary.
    request.headers_mut().extend(headers.get(CONTENT_TYPE).map(|value| (CONTENT_TYPE, value.clone())));
    let mut fields = Vec::new();
    let Ok(mut parts) = Multipart::from_request(request, &()).await else { return fields };
    while let Ok(Some(part)) = parts.next_field().await {
        let Some(name) = part.name().filter(|_| part.file_name().is_none()).map(str::to_owned) else { continue };
        let Ok(text) = part.text().await else { break };
        fields.push((name, text));
    }
    fields
}
