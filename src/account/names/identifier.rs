//! Login identifiers: a typed username or e-mail address. Its length is bounded before any work; its keys are computed
//! once.

use std::sync::OnceLock;

use super::canonical::canonical;
use super::email::Email;
use super::username;

/// Maximum bytes of a valid name; longer texts match no user.
const MAX_BYTES: usize = username::MAX_RAW_BYTES;

/// Maximum bytes of a search key.
const MAX_KEY_BYTES: usize = 320;

/// A username or an e-mail address as typed.
#[derive(Debug, Clone)]
pub struct Identifier {
    /// Trimmed; truncated if the text is too long.
    typed: String,
    /// The original length of a text that is too long.
    original_length: Option<usize>,
    keys: OnceLock<Keys>,
}

/// The keys of a name; empty if no user can have it.
#[derive(Debug, Clone)]
struct Keys {
    username: String,
    email: String,
    counter: String,
}

impl Identifier {
    /// Accepts any text; a text of more than 576 bytes matches no user.
    pub fn new(typed: &str) -> Self {
        let typed = typed.trim();
        let is_long = typed.len() > MAX_BYTES;
        let kept = if is_long { typed.get(..typed.floor_char_boundary(MAX_BYTES)).unwrap_or_default() } else { typed };
        Self { typed: kept.to_owned(), original_length: is_long.then_some(typed.len()), keys: OnceLock::new() }
    }

    /// The trimmed text.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// The key to compare with username keys; an empty one matches no user.
    pub fn username_key(&self) -> &str {
        &self.keys().username
    }

    /// The key to compare with e-mail keys; an empty one matches no user.
    pub fn email_key(&self) -> &str {
        &self.keys().email
    }

    /// The key of the failure counter, for known and unknown names alike. It is the lookup key, so spellings that find
    /// the same user count together. No username has the form of an address.
    pub fn counter_key(&self) -> &str {
        &self.keys().counter
    }

    fn keys(&self) -> &Keys {
        self.keys.get_or_init(|| match self.original_length {
            Some(length) => {
                // No canonical text begins with a blank.
                let counter = format!(" {length} {}", self.typed);
                Keys { username: String::new(), email: String::new(), counter }
            }
            None => {
                let username = canonical(&self.typed);
                let email = Email::search_key(&self.typed, &username);
                let counter = email.clone();
                Keys { username: searchable(username), email: searchable(email), counter }
            }
        })
    }
}

impl From<&str> for Identifier {
    fn from(typed: &str) -> Self {
        Self::new(typed)
    }
}

impl From<String> for Identifier {
    fn from(typed: String) -> Self {
        Self::new(&typed)
    }
}

/// No stored name contains NUL, and PostgreSQL rejects it in queries.
fn searchable(key: String) -> String {
    if key.len() > MAX_KEY_BYTES || key.contains('\0') { String::new() } else { key }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::security::normalize;
    use proptest::prelude::*;

    #[test]
    fn overlong_identifier_matches_no_user_and_is_not_normalized() {
        let before = normalize::normalized_bytes();
        for letter in ["a", "\u{fdfa}", "\u{1f98a}"] {
            let long = Identifier::new(&letter.repeat(20_000));
            assert_eq!((long.username_key(), long.email_key()), ("", ""));
            assert!(long.counter_key().len() < 2 * MAX_BYTES);
            assert_ne!(long.counter_key(), Identifier::new(&letter.repeat(20_001)).counter_key());
        }
        assert_eq!(normalize::normalized_bytes(), before);
        let blanks = Identifier::new(&format!("{0}Ann{0}", " ".repeat(20_000)));
        assert_eq!(blanks.username_key(), "ann");
    }

    #[test]
    fn identifier_keys_are_computed_once() {
        let name = Identifier::new("Ann@Example.org");
        assert_eq!((name.username_key(), name.email_key()), ("ann@example.org", "ann@example.org"));
        let before = normalize::normalized_bytes();
        assert_eq!((name.username_key(), name.counter_key()), ("ann@example.org", "ann@example.org"));
        assert_eq!(normalize::normalized_bytes(), before);
    }

    /// A7
    #[test]
    fn spellings_of_one_name_share_a_failure_counter() {
        let key = |text: &str| Identifier::new(text).counter_key().to_owned();
        for (name, spellings) in [
            ("ann@example.org", &["ANN@exam\u{115f}ple.org", "ann@ex\u{1160}ample.org", "ann@exa\u{3164}mple.org"][..]),
            ("ann@example.org", &["ann@example\u{ffa0}.org", "\u{ff41}nn\u{ff20}example.org", " Ann@EXAMPLE.org"]),
            ("x@b\u{fc}cher.example", &["x@xn--bcher-kva.example", "X@B\u{dc}CHER.example", "x@bu\u{308}cher.example"]),
            ("ann", &["Ann", " ANN ", "\u{ff41}nn"]),
        ] {
            for spelling in spellings {
                assert_eq!(key(spelling), key(name), "{spelling:?}");
            }
        }
    }

    proptest! {
        /// The failure counter's key equals the lookup key of an address.
        #[test]
        fn address_is_counted_under_its_lookup_key(local in "[a-zA-Z0-9]{1,8}", domain in "\\PC{1,12}") {
            let name = Identifier::new(&format!("{local}@{domain}.org"));
            prop_assert_eq!(name.counter_key(), name.email_key());
            let key = name.counter_key().to_owned();
            let again = Identifier::new(&key);
            prop_assert_eq!(again.counter_key(), key.as_str());
        }
    }

    #[test]
    fn unmatchable_identifier_has_empty_keys() {
        for text in ["a\0b", "", " ", &"\u{fdfa}".repeat(100)] {
            let name = Identifier::new(text);
            assert_eq!((name.username_key(), name.email_key()), ("", ""), "{text:?}");
        }
    }

    #[test]
    fn longest_identifiers_keep_their_keys() {
        let longest = "\u{1f98a}".repeat(64);
        assert_eq!(Identifier::new(&longest).username_key(), longest);
        let syllables = "\u{ac01}".repeat(64);
        let decomposed = "\u{1100}\u{1161}\u{11a8}".repeat(64);
        assert_eq!(Identifier::new(&decomposed).username_key(), syllables);
    }
}
