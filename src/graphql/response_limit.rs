//! The response limit: `graphql.max_response_bytes` holds while a response is made and when it is written.
//!
//! Three bounds make it hold. Introspection is weighed to the byte before it runs. Lists that no argument bounds are
//! counted by their resolvers. Everything else is at most `graphql.max_complexity` values, none of which is longer than
//! the longest column. The serializer stops at the limit.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{PathSegment, Response, Value};
use serde::Serialize;

use super::error::{Failure, without_place};
use crate::config;
use crate::error::{Error, Result};

const SETTING: &str = "graphql.max_response_bytes";

/// Fields of introspection that weigh as much as one field: they come from memory.
const INTROSPECTION_FIELDS: usize = 10;

/// What requests that came together may still answer; a clone is a pointer.
#[derive(Clone)]
pub struct ResponseBounds(Arc<Bounds>);

struct Bounds {
    /// Bytes that are left.
    bytes: AtomicUsize,
    max_bytes: usize,
    /// Complexity that is left for introspection.
    complexity: AtomicUsize,
    max_complexity: usize,
    may_introspect: bool,
}

impl ResponseBounds {
    /// The bounds by `settings`; introspection is refused unless the caller may see the schema.
    pub fn new(settings: &config::GraphQl, may_introspect: bool) -> Self {
        let (max_bytes, max_complexity) = (settings.max_response_bytes, settings.limits.complexity);
        Self(Arc::new(Bounds {
            bytes: AtomicUsize::new(max_bytes),
            max_bytes,
            complexity: AtomicUsize::new(max_complexity),
            max_complexity,
            may_introspect,
        }))
    }

    pub(super) fn may_introspect(&self) -> bool {
        self.0.may_introspect
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Takes `bytes` of the response.
    ///
    /// # Errors
    /// [`Error::TooComplex`] if fewer are left.
    pub(super) fn take(&self, bytes: usize) -> Result<()> {
        subtract(&self.0.bytes, bytes, SETTING, self.0.max_bytes)
    }

    /// Takes so many fields of introspection from the complexity.
    ///
    /// # Errors
    /// [`Error::TooComplex`] if less is left.
    pub(super) fn take_introspection(&self, fields: usize) -> Result<()> {
        let weight = fields.div_ceil(INTROSPECTION_FIELDS);
        subtract(&self.0.complexity, weight, "graphql.max_complexity", self.0.max_complexity)
    }
}

fn subtract(left: &AtomicUsize, count: usize, limit: &'static str, most: usize) -> Result<()> {
    let taken = left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(count));
    taken.map(|_| ()).map_err(|_| Error::TooComplex { limit, most: most.to_string() })
}

/// Writes `value` as JSON of at most `max_bytes`; nothing if it is longer.
pub fn to_json_within(value: &impl Serialize, max_bytes: usize) -> Option<Vec<u8>> {
    let mut bounded = Bounded { written: Vec::with_capacity(256), left: max_bytes };
    serde_json::to_writer(&mut bounded, value).ok()?;
    Some(bounded.written)
}

/// Replaces a response whose data is longer than `max_bytes` by an error that says so.
pub fn fit(response: &mut Response, max_bytes: usize) {
    if size_within(&response.data, max_bytes).is_none() {
        *response = too_long(&response.data, max_bytes);
    }
}

/// The response instead of one with `data`, which is too long: the error blames the root field that passed the limit.
pub fn too_long(data: &Value, max_bytes: usize) -> Response {
    let mut left = max_bytes;
    let mut passes = |value: &Value| match size_within(value, left) {
        Some(size) => {
            left -= size;
            false
        }
        None => true,
    };
    let field = match data {
        Value::Object(fields) => fields.iter().find(|(_, value)| passes(value)).or(fields.last()),
        _ => None,
    };
    let error = Error::TooComplex { limit: SETTING, most: max_bytes.to_string() };
    let mut error = without_place(Failure::from(error));
    error.path = field.map(|(name, _)| PathSegment::Field(name.to_string())).into_iter().collect();
    Response::from_errors(vec![error])
}

fn size_within(value: &impl Serialize, max_bytes: usize) -> Option<usize> {
    let mut bounded = Bounded { written: io::sink(), left: max_bytes };
    serde_json::to_writer(&mut bounded, value).ok()?;
    Some(max_bytes - bounded.left)
}

/// Takes so many bytes and no more.
struct Bounded<W> {
    written: W,
    left: usize,
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.left = self.left.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.written.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::value;

    #[test]
    fn writes_up_to_the_limit_and_not_a_byte_more() {
        assert_eq!(to_json_within(&"abc", 5).as_deref(), Some(&b"\"abc\""[..]));
        assert_eq!(to_json_within(&"abc", 4), None);
    }

    #[test]
    fn blames_the_field_that_passed_the_limit() {
        let mut response = Response::new(value!({ "a": "short", "b": "long text", "c": 1 }));
        fit(&mut response, 100);
        assert!(response.errors.is_empty());
        fit(&mut response, 12);
        assert_eq!(response.data, Value::Null);
        assert_eq!(response.errors[0].path, [PathSegment::Field("b".to_owned())]);
        assert_eq!(response.errors[0].message, "the operation is too complex: graphql.max_response_bytes is 12");
    }
}
