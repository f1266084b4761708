//! Global ids: base64 of `type:id`, such as `User:usr_01h455vb4pex5vsknk084sn02q`.

use std::fmt::Display;
use std::str::FromStr;

use async_graphql::ID;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The reason why a global id is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdError {
    /// It is not base64 of `type:id`.
    Malformed,
    /// The type or the form of the id is wrong.
    WrongType,
    /// It contains an id of the older service's database, which no object has any more.
    LegacyObjectId,
}

/// The global id of an object.
pub(super) fn encode(kind: &str, id: impl Display) -> ID {
    STANDARD.encode(format!("{kind}:{id}")).into()
}

/// The type and the id in a global id; `None` if it is malformed.
pub(super) fn decode(text: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    text.split_once(':').map(|(kind, id)| (kind.to_owned(), id.to_owned()))
}

/// Parses the global id of an object of type `kind`.
pub(super) fn parse<T: FromStr>(kind: &str, text: &str) -> Result<T, IdError> {
    let (found, id) = decode(text).ok_or(IdError::Malformed)?;
    if found != kind {
        return Err(IdError::WrongType);
    }
    id.parse().map_err(|_| if is_object_id(&id) { IdError::LegacyObjectId } else { IdError::WrongType })
}

/// Whether it has the form of a MongoDB ObjectId: 24 hexadecimal digits.
fn is_object_id(id: &str) -> bool {
    id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::names::id::UserId;

    #[test]
    fn global_ids_round_trip_and_invalid_ones_are_classified() {
        let id: UserId = "usr_01h455vb4pex5vsknk084sn02q".parse().unwrap();
        assert_eq!(parse("User", &encode("User", id)), Ok(id));
        let id_error = |text: &str| parse::<UserId>("User", text).unwrap_err();
        assert_eq!(id_error("zzz"), IdError::Malformed);
        assert_eq!(id_error(&STANDARD.encode("no colon")), IdError::Malformed);
        assert_eq!(id_error(&STANDARD.encode("User:abc")), IdError::WrongType);
        assert_eq!(id_error(&STANDARD.encode(format!("Role:{id}"))), IdError::WrongType);
        assert_eq!(id_error(&STANDARD.encode("User:5f8f8c44b54764421b7156c3")), IdError::LegacyObjectId);
    }
}
