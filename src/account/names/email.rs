//! E-mail addresses.

use email_address::{EmailAddress, Options};

use super::canonical::canonical;
use crate::error::{Refusal, RefusalCode};

/// Maximum bytes of an address (RFC 5321 section 4.5.3.1.3 minus the angle brackets).
const MAX_BYTES: usize = 254;

/// Maximum bytes of its key, for storage and lookup: normalization can turn one character into eighteen.
const MAX_KEY_BYTES: usize = 320;

/// A valid e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    local: String,
    domain: String,
}

impl Email {
    /// Accepts `local@domain` (RFC 5322 addr-spec without quotes, comments or address literals). The local part stays
    /// as written, the domain becomes its lower-case ASCII form (UTS 46).
    ///
    /// # Errors
    /// A refusal to display to the owner.
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        let raw = raw.trim();
        let too_long = || Refusal::new(RefusalCode::TooLong, format!("use at most {MAX_BYTES} bytes"));
        if raw.len() > MAX_BYTES {
            return Err(too_long());
        }
        let invalid = || Refusal::new(RefusalCode::InvalidEmail, "use the form name@example.org");
        let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
        EmailAddress::parse_with_options(raw, options).map_err(|_| invalid())?;
        let (local, domain) = raw.rsplit_once('@').ok_or_else(invalid)?;
        if local.starts_with('"') || local.chars().any(char::is_control) {
            return Err(invalid());
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| invalid())?;
        let email = Self { local: local.to_owned(), domain };
        let is_longer = email.to_string().len() > MAX_BYTES || email.key().len() > MAX_KEY_BYTES;
        if is_longer { Err(too_long()) } else { Ok(email) }
    }

    /// The search key for typed `text` with the canonical form `canonical`: the key of the address in any spelling.
    /// Text that is no address has a key, too; it matches no user.
    pub(in crate::account) fn search_key(text: &str, canonical: &str) -> String {
        let email = Self::parse(text).or_else(|_| Self::parse(canonical));
        email.map_or_else(|_| canonical.to_owned(), |email| email.key())
    }

    /// The canonical address. The local part is case-sensitive in theory, but no provider distinguishes `Ann@` from
    /// `ann@`, and two users that differ in case alone invite takeover.
    pub fn key(&self) -> String {
        canonical(&self.to_string())
    }
}

impl std::fmt::Display for Email {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}@{}", self.local, self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_keeps_local_part_and_lowercases_domain() {
        let email = Email::parse(" Ann.Lee+news@Example.ORG ").unwrap();
        assert_eq!(email.to_string(), "Ann.Lee+news@example.org");
        assert_eq!(email.key(), "ann.lee+news@example.org");
        assert_eq!(Email::parse("x@bücher.example").unwrap().to_string(), "x@xn--bcher-kva.example");
    }

    #[test]
    fn malformed_email_is_refused() {
        for text in [
            "",
            "ann",
            "@example.org",
            "ann@",
            "ann@@example.org",
            "a b@example.org",
            "ann@example",
            "ann@[127.0.0.1]",
            "\"ann\"@example.org",
            "Ann <ann@example.org>",
            "ann@exa mple.org",
            "ann\r\nbcc:x@example.org",
            "ann@-x.org",
        ] {
            assert!(Email::parse(text).is_err(), "{text:?}");
        }
        assert!(Email::parse(&format!("{}@example.org", "a".repeat(250))).is_err());
        assert!(Email::parse(&format!("{}@example.org", "\u{fdfa}".repeat(3))).is_ok());
        assert!(Email::parse(&format!("{}@example.org", "\u{fdfa}".repeat(12))).is_err(), "its key is too long");
    }

    #[test]
    fn email_search_key_matches_any_spelling() {
        let stored = Email::parse("Ann@bücher.example").unwrap().key();
        for text in ["ann@bücher.example", "ANN@BÜCHER.example", " ann@xn--bcher-kva.example", "ａnn@BÜCHER.example"]
        {
            assert_eq!(Email::search_key(text, &canonical(text)), stored, "{text}");
        }
        assert_eq!(Email::search_key("Ann", "ann"), "ann");
    }
}
