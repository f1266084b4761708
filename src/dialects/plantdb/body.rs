//! Fields of a JSON body, with the old service's texts for what is missing.

use serde_json::Value;

use super::error::PlantdbError;

/// The text in the field `name`. What is no object has no fields.
///
/// # Errors
/// The text `missing` if the field is not there; the old service stumbled over values that are no text.
pub(super) fn string<'a>(body: &'a Value, name: &str, missing: &str) -> Result<&'a str, PlantdbError> {
    match body.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(PlantdbError::bad_request(format!("{name} must be a string"))),
        None => Err(PlantdbError::bad_request(missing)),
    }
}
