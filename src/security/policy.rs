//! Password policy: minimum length, resistance to guessing, no name of the account.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use icu_casemap::CaseMapper;
use secrecy::{ExposeSecret, SecretString};
use zxcvbn::matching::patterns::MatchPattern;
use zxcvbn::{Entropy, Score, zxcvbn};

use super::normalize::nfc;
use super::pool::HashPool;
use crate::config;
use crate::error::{PasswordViolation, Result};

/// Maximum length in code points; NIST SP 800-63B-4 requires that at least 64 are allowed.
pub const MAX_LENGTH: usize = 256;

/// Maximum length in bytes.
pub const MAX_BYTES: usize = 1_024;

/// Maximum length in bytes before normalization: NFC shortens a text to a third at most (Hangul syllables).
const MAX_RAW_BYTES: usize = 3 * MAX_BYTES;

/// Code points that zxcvbn estimates; its time grows with the square of the length, and with every ambiguous character.
const MAX_ESTIMATED_LENGTH: usize = 60;

/// Code points per estimate. zxcvbn's estimates of a longer text overflow: the orders of 21 matches, and the walks of
/// 28 keys on a keypad, do not fit into 64 bits (zxcvbn 3.1.1, `factorial` and `SpatialPattern::estimate`).
const ESTIMATE_CHUNK: usize = 20;

/// The policy for new passwords. It has no composition rules (NIST SP 800-63B-4 section 3.1.1.2 forbids them).
pub struct Policy {
    pool: Arc<HashPool>,
    rules: Rules,
}

/// The rules without the hashing pool.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    min_length: usize,
    min_score: Score,
}

impl Policy {
    /// Creates the configured policy, evaluated on the threads of `pool`: a hostile text makes the estimate expensive.
    pub fn new(settings: &config::Password, pool: Arc<HashPool>) -> Self {
        Self { pool, rules: Rules::new(settings) }
    }

    /// Minimum length in code points.
    pub fn min_length(&self) -> usize {
        self.rules.min_length
    }

    /// The rules that `password` violates for an account with these `names` (username, e-mail address, display name).
    ///
    /// # Errors
    /// [`crate::error::Error::ServerBusy`].
    pub async fn violations(&self, password: &SecretString, names: Vec<String>) -> Result<Vec<PasswordViolation>> {
        if password.expose_secret().len() > MAX_RAW_BYTES {
            return Ok(vec![PasswordViolation::TooLong]);
        }
        let (rules, password) = (self.rules, password.clone());
        self.pool.run(move |_| rules.violations(password.expose_secret(), &names)).await
    }
}

impl Rules {
    /// The configured rules.
    pub fn new(settings: &config::Password) -> Self {
        let min_score = match settings.min_score {
            0 | 1 => Score::One,
            2 => Score::Two,
            3 => Score::Three,
            _ => Score::Four,
        };
        Self { min_length: settings.min_length, min_score }
    }

    /// The rules that `password` violates for an account with these `names`. The list of common passwords is zxcvbn's:
    /// 30,000 leaked passwords, beside names and dictionaries.
    pub fn violations(self, password: &str, names: &[String]) -> Vec<PasswordViolation> {
        self.violations_with(password, names, zxcvbn)
    }

    /// The same with another estimator.
    fn violations_with(
        self,
        password: &str,
        names: &[String],
        estimate: impl Fn(&str, &[&str]) -> Entropy,
    ) -> Vec<PasswordViolation> {
        if password.len() > MAX_RAW_BYTES {
            return vec![PasswordViolation::TooLong];
        }
        let password = nfc(password);
        let length = password.chars().count();
        if length > MAX_LENGTH || password.len() > MAX_BYTES {
            return vec![PasswordViolation::TooLong];
        }
        let mut violations = Vec::new();
        if length < self.min_length {
            violations.push(PasswordViolation::TooShort);
        }
        let words = identity_words(names);
        if words.contains(&fold_case(&password)) {
            violations.push(PasswordViolation::ContainsIdentity);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let estimated: Vec<char> = password.chars().take(MAX_ESTIMATED_LENGTH).collect();
        let estimates: Vec<Option<Entropy>> = estimated
            .chunks(ESTIMATE_CHUNK)
            .map(|chunk| catch_panic(|| estimate(&chunk.iter().collect::<String>(), &words)))
            .collect();
        // A password is at least as strong as its strongest chunk.
        let score = estimates.iter().flatten().map(Entropy::score).max();
        if matches!(estimates.as_slice(), [Some(only)] if is_common_password(only)) {
            violations.push(PasswordViolation::TooCommon);
        } else if score.is_none_or(|score| score < self.min_score) {
            violations.push(PasswordViolation::Guessable);
        }
        violations
    }
}

/// None if the library panicked: a password without an estimate counts as guessable.
fn catch_panic(estimate: impl FnOnce() -> Entropy) -> Option<Entropy> {
    catch_unwind(AssertUnwindSafe(estimate)).ok()
}

/// Whether the whole password is one entry of a word list, plain or with common substitutions.
fn is_common_password(strength: &Entropy) -> bool {
    matches!(strength.sequence(), [only] if matches!(only.pattern, MatchPattern::Dictionary(_)))
}

/// The names and their parts, case-folded: no password may equal one.
fn identity_words(names: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    for name in names {
        words.push(fold_case(name));
        words.extend(name.split(['@', ' ']).filter(|part| !part.is_empty()).map(fold_case));
    }
    words
}

fn fold_case(text: &str) -> String {
    CaseMapper::new().fold_string(text).into_owned()
}

#[cfg(test)]
mod tests;
