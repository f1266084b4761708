//! Parses object ids in arguments.

use async_graphql::ID;

use crate::error::{Error, Refusal, RefusalCode};

/// Parses the id in the input field `field`.
///
/// # Errors
/// NOT_FOUND for the field, if `text` is not an id of this type.
pub(super) fn parse_object_id<T: std::str::FromStr>(text: &ID, field: &'static str) -> std::result::Result<T, Error> {
    let missing = || Refusal::new(RefusalCode::NotFound, "no object has this id").for_field(field);
    Ok(text.parse().map_err(|_| missing())?)
}
