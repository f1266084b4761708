//! What a new password must be: long enough, unknown to guessers, not the account's own name.

use std::sync::Arc;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizer;
use secrecy::{ExposeSecret, SecretString};
use zxcvbn::matching::patterns::MatchPattern;
use zxcvbn::{Entropy, Score, zxcvbn};

use super::pool::Pool;
use crate::config;
use crate::error::{PasswordViolation, Result};

/// Most code points a password may have; NIST SP 800-63B-4 asks for at least 64 to be allowed.
pub const MAX_LENGTH: usize = 256;

/// Most bytes a password may have.
pub const MAX_BYTES: usize = 1_024;

/// The rules for new passwords. There are none about composition (NIST SP 800-63B-4 section 3.1.1.2 forbids them).
pub struct Policy {
    pool: Arc<Pool>,
    rules: Rules,
}

/// The rules by themselves.
#[derive(Debug, Clone, Copy)]
struct Rules {
    min_length: usize,
    min_score: Score,
}

impl Policy {
    /// The configured rules, judged on the threads of `pool`: a hostile text makes the judge work hard.
    pub fn new(settings: &config::Password, pool: Arc<Pool>) -> Self {
        Self { pool, rules: Rules::new(settings) }
    }

    /// The fewest code points a password may have.
    pub fn min_length(&self) -> usize {
        self.rules.min_length
    }

    /// What `password` lacks for an account with these `names` (username, e-mail address, display name).
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn violations(&self, password: &SecretString, names: Vec<String>) -> Result<Vec<PasswordViolation>> {
        let (rules, password) = (self.rules, password.clone());
        self.pool.run(move |_| rules.violations(password.expose_secret(), &names)).await
    }
}

impl Rules {
    fn new(settings: &config::Password) -> Self {
        let min_score = match settings.min_score {
            0 | 1 => Score::One,
            2 => Score::Two,
            3 => Score::Three,
            _ => Score::Four,
        };
        Self { min_length: settings.min_length, min_score }
    }

    /// The list of common passwords is zxcvbn's: 30,000 leaked passwords, beside names and dictionaries.
    fn violations(self, password: &str, names: &[String]) -> Vec<PasswordViolation> {
        let password = ComposingNormalizer::new_nfc().normalize(password);
        let length = password.chars().count();
        if length > MAX_LENGTH || password.len() > MAX_BYTES {
            return vec![PasswordViolation::TooLong];
        }
        let mut violations = Vec::new();
        if length < self.min_length {
            violations.push(PasswordViolation::TooShort);
        }
        let words = own_words(names);
        if words.contains(&folded(&password)) {
            violations.push(PasswordViolation::ContainsIdentity);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let strength = zxcvbn(&password, &words);
        if is_listed(&strength) {
            violations.push(PasswordViolation::TooCommon);
        } else if strength.score() < self.min_score {
            violations.push(PasswordViolation::Guessable);
        }
        violations
    }
}

/// Whether the whole password is one entry of a list, as it stands or in a well-known disguise.
fn is_listed(strength: &Entropy) -> bool {
    matches!(strength.sequence(), [only] if matches!(only.pattern, MatchPattern::Dictionary(_)))
}

/// The names and their parts that no password may be, case-folded.
fn own_words(names: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    for name in names {
        words.push(folded(name));
        words.extend(name.split(['@', ' ']).filter(|part| !part.is_empty()).map(folded));
    }
    words
}

fn folded(text: &str) -> String {
    CaseMapper::new().fold_string(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use PasswordViolation::*;

    fn violations(password: &str, names: &[&str]) -> Vec<PasswordViolation> {
        let settings = config::Config::load(config::Flags::default(), []).unwrap().password;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Rules::new(&settings).violations(password, &names)
    }

    #[test]
    fn takes_the_password_the_older_services_show() {
        assert_eq!(violations("Alfred123!", &["batman", "Bruce Wayne"]), []);
    }

    #[test]
    fn counts_code_points_between_8_and_256() {
        assert!(violations("hß9§kQz", &[]).contains(&TooShort));
        assert_eq!(violations("hß9§kQz7", &[]), []);
        assert_eq!(violations(&"hß9§kQz7".repeat(32), &[]), []);
        assert_eq!(violations(&format!("{}x", "hß9§kQz7".repeat(32)), &[]), [TooLong]);
        assert_eq!(violations(&"🦊".repeat(257), &[]), [TooLong]);
        assert!(!violations(&"漢".repeat(256), &[]).contains(&TooLong), "256 code points are allowed");
    }

    #[test]
    fn refuses_common_passwords_as_such() {
        for common in [
            "password", "12345678", "iloveyou", "trustno1", "baseball", "superman", "football", "jennifer", "sunshine",
            "PASSWORD", "P@ssw0rd", "drowssap", "starwars", "letmein1", "blink182", "mercedes",
        ] {
            let found = violations(common, &[]);
            assert!(found.contains(&TooCommon) || found.contains(&Guessable), "{common}: {found:?}");
        }
        assert_eq!(violations("sunshine", &[]), [TooCommon]);
        assert_eq!(violations("sunshine over my quiet garden", &[]), [], "a phrase may contain a common word");
    }

    #[test]
    fn refuses_the_names_of_the_account() {
        assert!(violations("Bartholomew", &["bartholomew"]).contains(&ContainsIdentity));
        assert!(violations("kestrel-42", &["x", "kestrel-42@example.org"]).contains(&ContainsIdentity));
    }
}
