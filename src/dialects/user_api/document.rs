//! Request bodies: JSON documents validated against a route's fields, with the old service's error texts.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::error::UserApiError;
use crate::headers::content_type::ContentType;
use crate::strict_json;

/// Maximum number of unknown fields that a response names, so that it does not echo arbitrary input.
const MAX_UNKNOWN_FIELDS: usize = 10;

/// A field of a document.
pub(super) struct Field {
    pub name: &'static str,
    pub field_type: FieldType,
    pub is_required: bool,
}

/// Type of a field's value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldType {
    String,
    Boolean,
    Integer,
    /// List of objects with an `id`; other members are ignored.
    IdObjects,
}

/// A required field.
pub(super) const fn required(name: &'static str, kind: FieldType) -> Field {
    Field { name, field_type: kind, is_required: true }
}

/// An optional field.
pub(super) const fn optional(name: &'static str, kind: FieldType) -> Field {
    Field { name, field_type: kind, is_required: false }
}

/// A valid document.
pub(super) struct Document(Map<String, Value>);

impl Document {
    /// Parses and validates a body.
    ///
    /// # Errors
    /// 415 without `Content-Type`, 413 if the body is too large, 422 if it is invalid.
    pub fn read(
        headers: &HeaderMap,
        body: Result<Bytes, BytesRejection>,
        fields: &[Field],
    ) -> Result<Self, UserApiError> {
        let content_type = ContentType::read(headers).ok_or_else(UserApiError::missing_content_type)?;
        if content_type.media_type != "application/json" {
            return Err(UserApiError::unprocessable("WRONG_PAYLOAD_FORMAT", "The payload format is unknown."));
        }
        let wrong = || UserApiError::unprocessable("WRONG_PAYLOAD", "Wrong payload.");
        let bytes = body.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => UserApiError::payload_too_large(),
            _ => wrong(),
        })?;
        match strict_json::parse(&bytes) {
            Ok(Value::Object(members)) => Self::check(members, fields),
            _ => Err(wrong()),
        }
    }

    fn check(members: Map<String, Value>, fields: &[Field]) -> Result<Self, UserApiError> {
        let mut payload = Map::new();
        for field in fields {
            let problem = match members.get(field.name) {
                None => field.is_required.then(|| json!("required field")),
                Some(value) => field.field_type.type_error(value),
            };
            if let Some(problem) = problem {
                payload.insert(field.name.to_owned(), json!([problem]));
            }
        }
        let unknown = members.keys().filter(|name| !fields.iter().any(|field| field.name == name.as_str()));
        for name in unknown.take(MAX_UNKNOWN_FIELDS) {
            payload.insert(name.clone(), json!(["unknown field"]));
        }
        if payload.is_empty() { Ok(Self(members)) } else { Err(UserApiError::wrong_document_format(payload)) }
    }

    /// A string field; empty if it is missing.
    pub fn string(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A string field, or `None` if it is missing.
    pub fn optional_string(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// A boolean field; false if it is missing.
    pub fn boolean(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The ids in a list, or `None` if it is missing; an id out of range becomes 0, which no row has.
    pub fn ids(&self, name: &str) -> Option<Vec<i64>> {
        let list = self.0.get(name)?.as_array()?;
        Some(list.iter().filter_map(|entry| entry.get("id")).map(|id| id.as_i64().unwrap_or_default()).collect())
    }
}

impl FieldType {
    /// The error text if `value` is of another type.
    fn type_error(self, value: &Value) -> Option<Value> {
        if value.is_null() {
            return Some(json!("null value not allowed"));
        }
        let (is_right, name) = match self {
            Self::String => (value.is_string(), "string"),
            Self::Boolean => (value.is_boolean(), "boolean"),
            Self::Integer => (value.is_i64() || value.is_u64(), "integer"),
            Self::IdObjects => match value.as_array() {
                Some(entries) => return id_objects_error(entries),
                None => (false, "list"),
            },
        };
        (!is_right).then(|| json!(format!("must be of {name} type")))
    }
}

/// Errors of list entries by index; each entry must be an object with an id.
fn id_objects_error(entries: &[Value]) -> Option<Value> {
    let problem = |entry: &Value| match entry.as_object() {
        None => Some(json!("must be of dict type")),
        Some(members) => {
            let problem = match members.get("id") {
                None => Some(json!("required field")),
                Some(id) => FieldType::Integer.type_error(id),
            };
            problem.map(|problem| json!({ "id": [problem] }))
        }
    };
    let numbered = entries.iter().enumerate();
    let problems: Map<String, Value> =
        numbered.filter_map(|(number, entry)| Some((number.to_string(), json!([problem(entry)?])))).collect();
    (!problems.is_empty()).then(|| problems.into())
}
