//! Typed access to the fields of a JSON object. Errors name the field, never its value, which may be a secret.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::row::{has_time, parse_time};

/// The fields not yet read.
pub(crate) struct ObjectFields(Map<String, Value>);

impl ObjectFields {
    /// The fields of a JSON object.
    pub fn from_object(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err("it is not a JSON object".to_owned()),
        }
    }

    /// Takes any value; null counts as missing.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    /// Takes a string.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("`{name}` is not a string")),
        }
    }

    /// Takes a boolean.
    pub fn bool(&mut self, name: &str) -> Result<Option<bool>, String> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            // MySQL and SQLite store booleans as integers.
            Some(Value::Number(number)) if number.as_u64().is_some_and(|number| number < 2) => {
                Ok(Some(number.as_u64() == Some(1)))
            }
            Some(_) => Err(format!("`{name}` is neither true nor false")),
        }
    }

    /// Takes an integer.
    pub fn integer(&mut self, name: &str) -> Result<Option<i64>, String> {
        let integer = self.value(name).map(|value| value.as_i64().ok_or_else(|| format!("`{name}` is not an integer")));
        integer.transpose()
    }

    /// Takes an array of strings; empty if it is missing.
    pub fn texts(&mut self, name: &str) -> Result<Vec<String>, String> {
        let wrong = || format!("`{name}` is not an array of strings");
        match self.value(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => {
                list.iter().map(|text| text.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }

    /// Takes a point in time.
    pub fn time(&mut self, name: &str) -> Result<Option<DateTime<Utc>>, String> {
        let wrong = || format!("`{name}` is not a time like 2026-03-01T12:00:00Z");
        self.text(name)?.filter(|text| has_time(text)).map(|text| parse_time(&text).ok_or_else(wrong)).transpose()
    }

    /// Rejects fields that were not read: a misspelt one must not be dropped in silence.
    pub fn reject_unknown(self) -> Result<(), String> {
        match self.0.keys().next() {
            Some(name) => Err(format!("unknown field `{}`", name.escape_debug())),
            None => Ok(()),
        }
    }
}
