//! The validated input for a new API token.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::account::access::grants::Access;
use crate::account::access::permission::Permission;
use crate::account::names::name::Name;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};

/// A new API token.
#[derive(Debug, Clone)]
pub struct NewApiToken {
    /// The owner's name for it.
    pub name: Name,
    /// The owner's note on it.
    pub note: Option<Note>,
    /// Its permissions, limited by those of its owner; `None` for all that its owner has.
    pub permissions: Option<BTreeSet<Permission>>,
    /// Scopes for other services.
    pub scopes: Scopes,
    /// Lifetime; `None` for no expiry.
    pub lifetime: Option<Lifetime>,
}

impl NewApiToken {
    /// A token with all of its owner's permissions and a session's lifetime, for clients that log in without sessions.
    /// Without expiry, anyone who finds it years later could use it.
    ///
    /// # Errors
    /// The refusal of the name.
    pub fn for_login(app: &App, name: &str) -> Result<Self> {
        Ok(Self {
            name: Name::parse(name)?,
            note: None,
            permissions: None,
            scopes: Scopes::default(),
            lifetime: Some(app.config.token.refresh_absolute),
        })
    }

    /// Requires that `access` covers the permissions.
    pub(crate) fn require_covered_by(&self, access: &Access) -> Result<()> {
        self.permissions.as_ref().map_or(Ok(()), |permissions| require_covered_by(permissions, access))
    }
}

/// Requires that `access` covers the permissions.
pub(crate) fn require_covered_by(permissions: &BTreeSet<Permission>, access: &Access) -> Result<()> {
    if access.covers(permissions) { Ok(()) } else { Err(Error::Forbidden) }
}

/// The permission names as stored: a JSON array.
pub(crate) fn permission_names(permissions: &BTreeSet<Permission>) -> String {
    let names: Vec<&str> = permissions.iter().map(|permission| permission.name()).collect();
    serde_json::json!(names).to_string()
}

/// Lifetime of a token, at least one second.
pub type Lifetime = TimeDelta;

/// Maximum lifetime in seconds: a hundred years. Longer ones mean no expiry.
const MAX_LIFETIME_SECONDS: i64 = 100 * 366 * 24 * 60 * 60;

/// A lifetime of this number of seconds.
///
/// # Errors
/// [`Error::BadUserInput`] unless it is between one second and a hundred years.
pub fn parse_lifetime(seconds: i64) -> Result<Lifetime> {
    if (1..=MAX_LIFETIME_SECONDS).contains(&seconds) {
        return Ok(TimeDelta::seconds(seconds));
    }
    let problem = "use a number of seconds from 1, or omit it for a token without expiry".to_owned();
    Err(Error::BadUserInput { argument: "expiresIn", problem })
}

/// The owner's note on a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(String);

/// Maximum code points of a note.
const MAX_NOTE_LENGTH: usize = 1_000;

impl Note {
    /// Accepts up to 1,000 characters, including line breaks.
    ///
    /// # Errors
    /// A refusal to display to the owner.
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

/// Scopes for the services that accept the token, such as `datasets/plant_*: read`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

/// Maximum scopes per token.
const MAX_SCOPES: usize = 100;

/// Maximum code points per scope.
const MAX_SCOPE_LENGTH: usize = 255;

/// Maximum bytes of all scopes as JSON; the column holds 65,535.
const MAX_SCOPES_BYTES: usize = 16_384;

impl Scopes {
    /// Accepts up to 100 texts of up to 255 characters without control characters, in the given order.
    ///
    /// # Errors
    /// A refusal to display to the owner.
    pub fn parse(raw: Vec<String>) -> Result<Self, Refusal> {
        let too_long = |what: &str| Refusal::new(RefusalCode::TooLong, what).for_field("scopes");
        if raw.len() > MAX_SCOPES || raw.iter().any(|scope| scope.chars().count() > MAX_SCOPE_LENGTH) {
            return Err(too_long("give at most 100 scopes of at most 255 characters"));
        }
        if raw.iter().any(|scope| scope.is_empty() || scope.chars().any(char::is_control)) {
            let message = "use non-empty scopes without control characters";
            return Err(Refusal::new(RefusalCode::InvalidName, message).for_field("scopes"));
        }
        let scopes = Self(raw);
        if scopes.to_json().len() > MAX_SCOPES_BYTES {
            return Err(too_long("give fewer or shorter scopes"));
        }
        Ok(scopes)
    }

    /// The scopes as stored: a JSON array.
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
        assert!(scopes(100, 255).is_err(), "total too long");
        assert!(Scopes::parse(vec!["a\nb".to_owned()]).is_err());
        assert!(parse_lifetime(0).is_err() && parse_lifetime(-1).is_err() && parse_lifetime(i64::MAX).is_err());
        assert_eq!(parse_lifetime(1).unwrap(), TimeDelta::seconds(1));
        assert!(parse_lifetime(MAX_LIFETIME_SECONDS).is_ok() && parse_lifetime(MAX_LIFETIME_SECONDS + 1).is_err());
    }
}
