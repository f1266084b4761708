//! Display names of users, devices and roles: shown and searched, not identifying.

use super::canonical::canonical;
use crate::error::{Refusal, RefusalCode};

/// Maximum code points of a name.
pub const MAX_LENGTH: usize = 200;

/// Maximum code points of its key.
const MAX_KEY_LENGTH: usize = 255;

/// A line of text without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Accepts 1 to 200 characters on one line, trimmed.
    ///
    /// # Errors
    /// A refusal to display to the owner.
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        let name = raw.trim();
        if name.chars().count() > MAX_LENGTH {
            return Err(Refusal::new(RefusalCode::TooLong, format!("use at most {MAX_LENGTH} characters")));
        }
        if name.is_empty() || name.chars().any(breaks_line) {
            return Err(Refusal::new(RefusalCode::InvalidName, "use one non-empty line of text"));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name in the input field `field`, if one was given.
    ///
    /// # Errors
    /// As [`Name::parse`], with the field.
    pub fn parse_on(field: &'static str, raw: Option<&str>) -> Result<Option<Self>, Refusal> {
        raw.map(Self::parse).transpose().map_err(|refusal| refusal.for_field(field))
    }

    /// The search key, truncated to the column's length: normalization can turn one character into eighteen.
    pub fn key(&self) -> String {
        canonical(&self.0).chars().take(MAX_KEY_LENGTH).collect()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, and the two line separators that are none (Unicode 5.8).
fn breaks_line(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}
