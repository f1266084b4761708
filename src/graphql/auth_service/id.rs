//! Global ids: base64 of a type and an id, such as `User:usr_01h455vb4pex5vsknk084sn02q`.

use std::fmt::Display;
use std::str::FromStr;

use async_graphql::ID;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Why an id leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is no global id.
    NotGlobal,
    /// What is in it is no id of this kind.
    NotOfKind,
    /// It is of the kind that the old service gave, and nothing has it any more.
    Nobodys,
}

/// The global id of a thing.
pub(super) fn global(kind: &str, id: impl Display) -> ID {
    STANDARD.encode(format!("{kind}:{id}")).into()
}

/// The type and the id in a global id.
pub(super) fn parts(text: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    text.split_once(':').map(|(kind, id)| (kind.to_owned(), id.to_owned()))
}

/// The id of a `kind` that `text` is meant to be.
pub(super) fn parse<T: FromStr>(kind: &str, text: &str) -> Result<T, Fault> {
    let (found, id) = parts(text).ok_or(Fault::NotGlobal)?;
    if found != kind {
        return Err(Fault::NotOfKind);
    }
    id.parse().map_err(|_| if is_object_id(&id) { Fault::Nobodys } else { Fault::NotOfKind })
}

/// Whether it has the form of an id of MongoDB: 24 hexadecimal digits.
fn is_object_id(id: &str) -> bool {
    id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::id::UserId;

    #[test]
    fn reads_what_it_wrote_and_knows_what_is_none() {
        let id: UserId = "usr_01h455vb4pex5vsknk084sn02q".parse().unwrap();
        assert_eq!(parse("User", &global("User", id)), Ok(id));
        let fault = |text: &str| parse::<UserId>("User", text).unwrap_err();
        assert_eq!(fault("zzz"), Fault::NotGlobal);
        assert_eq!(fault(&STANDARD.encode("no colon")), Fault::NotGlobal);
        assert_eq!(fault(&STANDARD.encode("User:abc")), Fault::NotOfKind);
        assert_eq!(fault(&STANDARD.encode(format!("Role:{id}"))), Fault::NotOfKind);
        assert_eq!(fault(&STANDARD.encode("User:5f8f8c44b54764421b7156c3")), Fault::Nobodys);
    }
}
