//! What somebody asks of a new API token, parsed.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::account::access::rule::{Access, Permission};
use crate::account::user::name::Name;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};

/// A token that shall be made.
#[derive(Debug, Clone)]
pub struct NewApiToken {
    /// How its owner calls it.
    pub name: Name,
    /// What else its owner wants to remember.
    pub note: Option<Note>,
    /// What it may do as far as its owner may; nothing stands for all that the owner may.
    pub permissions: Option<BTreeSet<Permission>>,
    /// What it means to others.
    pub scopes: Scopes,
    /// How long it lasts; nothing is for ever.
    pub lifetime: Option<Lifetime>,
}

impl NewApiToken {
    /// A token that stands for all that its owner may, for as long as a session lasts; for callers who sign in and know
    /// no sessions. A token without an end would be one for whoever finds it, years later.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub fn for_login(app: &App, name: &str) -> Result<Self> {
        Ok(Self {
            name: Name::parse(name)?,
            note: None,
            permissions: None,
            scopes: Scopes::default(),
            lifetime: Some(app.config.token.refresh_absolute),
        })
    }

    /// Refuses what somebody with `access` cannot give.
    pub(crate) fn require_covered_by(&self, access: &Access) -> Result<()> {
        self.permissions.as_ref().map_or(Ok(()), |permissions| require_covered_by(permissions, access))
    }
}

/// Refuses permissions that are not in `access`.
pub(crate) fn require_covered_by(permissions: &BTreeSet<Permission>, access: &Access) -> Result<()> {
    if access.covers(permissions) { Ok(()) } else { Err(Error::Forbidden) }
}

/// The names of permissions as they are stored.
pub(crate) fn permission_names(permissions: &BTreeSet<Permission>) -> String {
    let names: Vec<&str> = permissions.iter().map(|permission| permission.name()).collect();
    serde_json::json!(names).to_string()
}

/// How long a token lasts, from one second on.
pub type Lifetime = TimeDelta;

/// Most seconds that a token may be asked to last: a hundred years; who wants more wants no end.
const MAX_LIFETIME_SECONDS: i64 = 100 * 366 * 24 * 60 * 60;

/// A lifetime of so many seconds.
///
/// # Errors
/// [`Error::BadUserInput`] unless it is between one second and a hundred years.
pub fn parse_lifetime(seconds: i64) -> Result<Lifetime> {
    if (1..=MAX_LIFETIME_SECONDS).contains(&seconds) {
        return Ok(TimeDelta::seconds(seconds));
    }
    let problem = "give a number of seconds from 1 on, or leave it out for a token without an end".to_owned();
    Err(Error::BadUserInput { argument: "expiresIn", problem })
}

/// A text about a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(String);

/// Most code points of a note.
const MAX_NOTE_LENGTH: usize = 1_000;

impl Note {
    /// Takes up to 1,000 characters, line breaks among them.
    ///
    /// # Errors
    /// What is wrong with the note, in words for its owner.
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        if raw.chars().count() > MAX_NOTE_LENGTH {
            return Err(Refusal::new(RefusalCode::TooLong, format!("use at most {MAX_NOTE_LENGTH} characters"))
                .for_field("note"));
        }
        if raw.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
            return Err(Refusal::new(RefusalCode::InvalidName, "use text without control characters").for_field("note"));
        }
        Ok(Self(raw.to_owned()))
    }
}

impl From<Note> for String {
    fn from(note: Note) -> Self {
        note.0
    }
}

/// Texts that mean something to the services that take the token, such as `datasets/plant_*: read`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

/// Most scopes of one token.
const MAX_SCOPES: usize = 100;

/// Most code points of one scope.
const MAX_SCOPE_LENGTH: usize = 255;

/// Most bytes of all scopes as JSON; what is stored takes 65,535.
const MAX_SCOPES_BYTES: usize = 16_384;

impl Scopes {
    /// Takes up to 100 texts of up to 255 characters without control characters, in the given order.
    ///
    /// # Errors
    /// What is wrong with the scopes, in words for their author.
    pub fn parse(raw: Vec<String>) -> Result<Self, Refusal> {
        let too_long = |what: &str| Refusal::new(RefusalCode::TooLong, what).for_field("scopes");
        if raw.len() > MAX_SCOPES || raw.iter().any(|scope| scope.chars().count() > MAX_SCOPE_LENGTH) {
            return Err(too_long("give at most 100 scopes of at most 255 characters"));
        }
        if raw.iter().any(|scope| scope.is_empty() || scope.chars().any(char::is_control)) {
            let message = "use scopes that are not empty and have no control characters";
            return Err(Refusal::new(RefusalCode::InvalidName, message).for_field("scopes"));
        }
        let scopes = Self(raw);
        if scopes.to_json().len() > MAX_SCOPES_BYTES {
            return Err(too_long("give fewer or shorter scopes"));
        }
        Ok(scopes)
    }

    /// The scopes as they are stored.
    pub(crate) fn to_json(&self) -> String {
        serde_json::json!(self.0).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_note_scopes_and_lifetime_are_enforced() {
        assert!(Note::parse(&"ä".repeat(1_000)).is_ok());
        assert!(Note::parse(&"ä".repeat(1_001)).is_err() && Note::parse("a\0").is_err());
        assert!(Note::parse("two\r\nlines").is_ok());
        let scopes = |number: usize, length: usize| Scopes::parse(vec!["s".repeat(length); number]);
        assert!(scopes(100, 100).is_ok() && scopes(10, 255).is_ok() && scopes(0, 0).is_ok());
        assert!(scopes(101, 1).is_err() && scopes(1, 256).is_err() && scopes(1, 0).is_err());
        assert!(scopes(100, 255).is_err(), "together too long");
        assert!(Scopes::parse(vec!["a\nb".to_owned()]).is_err());
        assert!(parse_lifetime(0).is_err() && parse_lifetime(-1).is_err() && parse_lifetime(i64::MAX).is_err());
        assert_eq!(parse_lifetime(1).unwrap(), TimeDelta::seconds(1));
        assert!(parse_lifetime(MAX_LIFETIME_SECONDS).is_ok() && parse_lifetime(MAX_LIFETIME_SECONDS + 1).is_err());
    }
}
