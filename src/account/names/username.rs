//! Usernames.

use unicode_security::{MixedScript, RestrictionLevel, RestrictionLevelDetection};

use super::canonical::canonical;
use super::email::Email;
use crate::error::{Refusal, RefusalCode};
use crate::security::normalize::nfkc;

/// Maximum code points of a username.
pub const MAX_LENGTH: usize = 64;

/// Maximum bytes of a username before normalization: 64 decomposed Hangul syllables.
pub(in crate::account) const MAX_RAW_BYTES: usize = 9 * MAX_LENGTH;

/// Maximum code points of its key: folding can turn one into three.
const MAX_KEY_LENGTH: usize = 255;

/// A valid username.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Accepts 1 to 64 letters, digits, dots, dashes and underscores, starting with a letter or a digit. It is trimmed,
    /// and compatibility characters (full-width letters, ligatures) become their equivalents.
    ///
    /// # Errors
    /// A refusal to display to the owner.
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        let too_long = || Refusal::new(RefusalCode::TooLong, format!("use at most {MAX_LENGTH} characters"));
        if raw.trim().len() > MAX_RAW_BYTES {
            return Err(too_long());
        }
        let name = normalized(raw);
        if name.chars().count() > MAX_LENGTH || canonical(&name).chars().count() > MAX_KEY_LENGTH {
            return Err(too_long());
        }
        let has_valid_start = name.chars().next().is_some_and(char::is_alphanumeric);
        if !has_valid_start || !name.chars().all(is_allowed) {
            return Err(Refusal::new(
                RefusalCode::InvalidUsername,
                "use letters, digits, '.', '-' and '_', and begin with a letter or a digit",
            ));
        }
        if !is_of_one_script(&name) {
            return Err(Refusal::new(
                RefusalCode::InvalidUsername,
                "use letters of one script: mixed scripts can imitate another name",
            ));
        }
        Ok(Self(name))
    }

    /// A username for a user with only an address: the valid characters of the local part.
    pub fn from_email(email: &Email) -> Option<Self> {
        let address = email.to_string();
        let local: String = address.split('@').next()?.chars().filter(|one| is_allowed(*one)).collect();
        Self::parse(local.trim_start_matches(|first: char| !first.is_alphanumeric())).ok()
    }

    /// The username as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The canonical username.
    pub fn key(&self) -> String {
        canonical(&self.0)
    }
}

/// Whether `typed` equals the username `stored`, case-sensitive; compositions of a letter are equivalent.
pub fn matches_exactly(stored: &str, typed: &str) -> bool {
    normalized(typed) == stored
}

fn normalized(raw: &str) -> String {
    nfkc(raw.trim()).into_owned()
}

/// No `@`, so that a username is never an e-mail address, and nothing invisible. The Hangul fillers are letters in
/// Unicode but look blank (NFKC leaves these two of the four).
fn is_allowed(character: char) -> bool {
    let is_filler = matches!(character, '\u{115f}' | '\u{1160}');
    (character.is_alphanumeric() && !is_filler) || is_mark(character) || matches!(character, '.' | '-' | '_')
}

/// One script, or Latin beside Chinese, Japanese or Korean, as their writers mix them (UTS 39 section 5.2, highly
/// restrictive). A Cyrillic `а` among Latin letters imitates another name.
fn is_of_one_script(name: &str) -> bool {
    name.is_single_script() || name.check_restriction_level(RestrictionLevel::HighlyRestrictive)
}

/// Combining marks that letters of many scripts need and NFKC keeps separate.
fn is_mark(character: char) -> bool {
    use icu_normalizer::properties::CanonicalCombiningClassMap;
    CanonicalCombiningClassMap::new().get_u8(character) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_of_many_scripts_are_accepted() {
        for name in ["ann", "Ann-Sophie", "o.brien", "user_42", "søren", "ádmin", "Ελένη", "山田太郎", "7of9"]
        {
            assert_eq!(Username::parse(name).map(|name| name.0), Ok(name.to_owned()));
        }
    }

    /// Q5
    #[test]
    fn confusable_usernames_share_a_key_or_are_refused() {
        let key = |name: &str| Username::parse(name).map(|name| name.key()).ok();
        for admin in ["admin", "ADMIN", "admin ", "ａdmin", "Admin\t"] {
            assert_eq!(key(admin).as_deref(), Some("admin"), "{admin:?}");
        }
        for (name, other) in
            [("ádmin", "ádmin"), ("ﬁsh", "fish"), ("Groß", "gross"), ("Ⅳ", "iv"), ("İnci", "i\u{307}nci")]
        {
            assert_eq!(key(name).as_deref(), Some(other), "{name:?}");
        }
        for name in ["аdmin", "adm\u{200d}in", "\u{200f}admin", "admin\u{202e}", "αdmin", "раypal"] {
            assert_eq!(key(name), None, "{name:?}");
        }
        for name in ["山田taro", "ひらがなカタカナ漢字", "김minsu", "админ", "διαχειριστής"]
        {
            assert!(key(name).is_some(), "{name:?}");
        }
    }

    #[test]
    fn compatibility_characters_and_blanks_are_normalized() {
        assert_eq!(Username::parse("  ａnn ").map(|name| name.0), Ok("ann".to_owned()));
    }

    #[test]
    fn username_from_email_uses_the_local_part() {
        let suggested = |text: &str| Username::from_email(&Email::parse(text).unwrap()).map(|name| name.0);
        for (address, name) in [
            ("ann@example.org", Some("ann")),
            ("Ann.Lee+news@example.org", Some("Ann.Leenews")),
            ("_ops_@example.org", Some("ops_")),
            ("+@example.org", None),
        ] {
            assert_eq!(suggested(address).as_deref(), name, "{address}");
        }
    }

    #[test]
    fn exact_username_match_is_case_sensitive() {
        assert!(matches_exactly("\u{e9}mile", "e\u{301}mile"));
        assert!(!matches_exactly("ann", "Ann"));
        assert!(!matches_exactly("Ann", "ann"));
    }

    #[test]
    fn invisible_or_ambiguous_usernames_are_refused() {
        for name in [
            "",
            " ",
            "a b",
            "ann@example.org",
            "a\u{200d}b",
            "a\u{202e}b",
            "a\0b",
            "a\nb",
            "-ann",
            "ann\u{3164}",
            "._.",
            "a/b",
        ] {
            assert!(Username::parse(name).is_err(), "{name:?}");
        }
        assert!(Username::parse(&"a".repeat(65)).is_err());
        assert!(Username::parse(&"a".repeat(64)).is_ok());
    }
}
