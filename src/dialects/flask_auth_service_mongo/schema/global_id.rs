//! Global ids: base64 of a type and an id, such as `User:usr_01h455vb4pex5vsknk084sn02q`.

use std::fmt::Display;
use std::str::FromStr;

use async_graphql::ID;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Why an id leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdError {
    /// It is no global id.
    Malformed,
    /// What is in it is no id of this kind.
    WrongType,
    /// It is of the kind that the old service gave, and nothing has it any more.
    LegacyObjectId,
}

/// The global id of a thing.
pub(super) fn encode(kind: &str, id: impl Display) -> ID {
    STANDARD.encode(format!("{kind}:{id}")).into()
}

/// The type and the id in a global id.
pub(super) fn decode(text: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    text.split_once(':').map(|(kind, id)| (kind.to_owned(), id.to_owned()))
}

/// The id of a `kind` that `text` is meant to be.
pub(super) fn parse<T: FromStr>(kind: &str, text: &str) -> Result<T, IdError> {
    let (found, id) = decode(text).ok_or(IdError::Malformed)?;
    if found != kind {
        return Err(IdError::WrongType);
    }
    id.parse().map_err(|_| if is_object_id(&id) { IdError::LegacyObjectId } else { IdError::WrongType })
}

/// Whether it has the form of an id of MongoDB: 24 hexadecimal digits.
fn is_object_id(id: &str) -> bool {
    id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::user::id::UserId;

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
