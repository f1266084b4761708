//! Fields of a JSON body, with the old service's texts for missing ones.

use serde_json::Value;

use super::error::PlantdbError;

/// The string in the field `name`. A body that is not an object has no fields.
///
/// # Errors
/// 400 with the text `missing` if the field is missing, or if its value is not a string, where the old service crashed.
pub(super) fn string<'a>(body: &'a Value, name: &str, missing: &str) -> Result<&'a str, PlantdbError> {
    match body.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(PlantdbError::bad_request(format!("{name} must be a string"))),
        None => Err(PlantdbError::bad_request(missing)),
    }
}
