//! The response limit `graphql.max_response_bytes`, enforced during execution and serialization.
//!
//! Three bounds keep memory within it. The size of introspection is computed before it runs. Resolvers reserve the
//! bytes of lists that no argument bounds. Everything else is at most `graphql.max_complexity` values of at most the
//! longest column. The serializer stops at the limit.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{PathSegment, Response, Value};
use serde::Serialize;

use crate::config;
use crate::error::{Error, Result};
use crate::graphql::error::{ResolverError, without_location};

const MAX_BYTES_SETTING: &str = "graphql.max_response_bytes";

/// Introspection fields that cost one point of complexity: they are read from memory, not from the database.
const INTROSPECTION_FIELDS_PER_POINT: usize = 10;

/// The remaining response bytes and introspection complexity of one batch; clones share it.
#[derive(Clone)]
pub struct ResponseBudget(Arc<BudgetState>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Introspection {
    Allowed,
    Refused,
}

struct BudgetState {
    /// Bytes left of the response limit.
    remaining_bytes: AtomicUsize,
    max_bytes: usize,
    /// Complexity left for introspection.
    remaining_complexity: AtomicUsize,
    max_complexity: usize,
    introspection: Introspection,
}

impl ResponseBudget {
    /// The full budget by `settings`, without introspection.
    pub fn new(settings: &config::GraphQl) -> Self {
        Self::with_state(settings, Introspection::Refused)
    }

    /// The full budget by `settings`, for callers that may read the schema.
    pub fn with_introspection(settings: &config::GraphQl) -> Self {
        Self::with_state(settings, Introspection::Allowed)
    }

    fn with_state(settings: &config::GraphQl, introspection: Introspection) -> Self {
        let (max_bytes, max_complexity) = (settings.max_response_bytes, settings.limits.complexity);
        Self(Arc::new(BudgetState {
            remaining_bytes: AtomicUsize::new(max_bytes),
            max_bytes,
            remaining_complexity: AtomicUsize::new(max_complexity),
            max_complexity,
            introspection,
        }))
    }

    /// Whether introspection is allowed.
    pub(in crate::graphql) fn can_introspect(&self) -> bool {
        self.0.introspection == Introspection::Allowed
    }

    /// Bytes left of the response limit.
    pub(in crate::graphql) fn remaining_bytes(&self) -> usize {
        self.0.remaining_bytes.load(Ordering::Relaxed)
    }

    /// Reserves `bytes` of the response.
    ///
    /// # Errors
    /// [`Error::OperationTooComplex`] if fewer bytes are left.
    pub(in crate::graphql) fn reserve_bytes(&self, bytes: usize) -> Result<()> {
        subtract(&self.0.remaining_bytes, bytes, MAX_BYTES_SETTING, self.0.max_bytes)
    }

    /// Reserves complexity for this number of introspection fields.
    ///
    /// # Errors
    /// [`Error::OperationTooComplex`] if less complexity is left.
    pub(in crate::graphql) fn reserve_introspection(&self, fields: usize) -> Result<()> {
        let complexity = fields.div_ceil(INTROSPECTION_FIELDS_PER_POINT);
        subtract(&self.0.remaining_complexity, complexity, "graphql.max_complexity", self.0.max_complexity)
    }
}

fn subtract(remaining: &AtomicUsize, count: usize, limit: &'static str, max: usize) -> Result<()> {
    let taken = remaining.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(count));
    taken.map(|_| ()).map_err(|_| Error::OperationTooComplex { limit, max: max.to_string() })
}

/// Serializes `value` as JSON; `None` if it is longer than `max_bytes`.
pub fn to_json_within(value: &impl Serialize, max_bytes: usize) -> Option<Vec<u8>> {
    let mut bounded = BoundedWriter { inner: Vec::with_capacity(256), remaining: max_bytes };
    serde_json::to_writer(&mut bounded, value).ok()?;
    Some(bounded.inner)
}

/// Replaces a response whose data exceeds `max_bytes` with an error.
pub fn limit_response_size(response: &mut Response, max_bytes: usize) {
    if size_within(&response.data, max_bytes).is_none() {
        *response = oversized_response(&response.data, max_bytes);
    }
}

/// The error response for `data` that exceeds `max_bytes`; its path is the root field that exceeded the limit.
pub fn oversized_response(data: &Value, max_bytes: usize) -> Response {
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
    let error = Error::OperationTooComplex { limit: MAX_BYTES_SETTING, max: max_bytes.to_string() };
    let mut error = without_location(ResolverError::from(error));
    error.path = field.map(|(name, _)| PathSegment::Field(name.to_string())).into_iter().collect();
    Response::from_errors(vec![error])
}

fn size_within(value: &impl Serialize, max_bytes: usize) -> Option<usize> {
    let mut bounded = BoundedWriter { inner: io::sink(), remaining: max_bytes };
    serde_json::to_writer(&mut bounded, value).ok()?;
    Some(max_bytes - bounded.remaining)
}

/// A writer that fails beyond its limit.
struct BoundedWriter<W> {
    inner: W,
    remaining: usize,
}

impl<W: Write> Write for BoundedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.remaining = self.remaining.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.inner.write_all(bytes)
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
    fn json_of_exactly_the_limit_is_written_and_one_byte_more_is_refused() {
        assert_eq!(to_json_within(&"abc", 5).as_deref(), Some(&b"\"abc\""[..]));
        assert_eq!(to_json_within(&"abc", 4), None);
    }

    #[test]
    fn oversized_response_names_the_root_field_that_exceeded_the_limit() {
        let mut response = Response::new(value!({ "a": "short", "b": "long text", "c": 1 }));
        limit_response_size(&mut response, 100);
        assert!(response.errors.is_empty());
        limit_response_size(&mut response, 12);
        assert_eq!(response.data, Value::Null);
        assert_eq!(response.errors[0].path, [PathSegment::Field("b".to_owned())]);
        assert_eq!(response.errors[0].message, "the operation is too complex: graphql.max_response_bytes is 12");
    }
}
