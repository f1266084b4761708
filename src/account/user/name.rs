//! Names that are shown and searched, but do not identify anybody: of people, of devices, of roles.

use super::canonical::canonical;
use crate::error::{Refusal, RefusalCode};

/// Most code points such a name may have.
pub const MAX_LENGTH: usize = 200;

/// Most code points of its key.
const MAX_KEY_LENGTH: usize = 255;

/// A line of text without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Takes 1 to 200 characters of one line, without blanks around them.
    ///
    /// # Errors
    /// What is wrong with the name, in words for its owner.
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        let name = raw.trim();
        if name.chars().count() > MAX_LENGTH {
            return Err(Refusal::new(RefusalCode::TooLong, format!("use at most {MAX_LENGTH} characters")));
        }
        if name.is_empty() || name.chars().any(breaks_line) {
            return Err(Refusal::new(RefusalCode::InvalidName, "use one line of text that is not empty"));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name in the input field `field`, if one was given.
    ///
    /// # Errors
    /// As [`Name::parse`], blaming the field.
    pub fn parse_on(field: &'static str, raw: Option<&str>) -> Result<Option<Self>, Refusal> {
        raw.map(Self::parse).transpose().map_err(|refusal| refusal.for_field(field))
    }

    /// The name as it is compared, cut to what is stored: one character can become eighteen.
    pub fn key(&self) -> String {
        canonical(&self.0).chars().take(MAX_KEY_LENGTH).collect()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, and the two separators that end a line without being one (Unicode 5.8).
fn breaks_line(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}
