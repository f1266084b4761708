//! What a new password must be: long enough, unknown to guessers, not the account's own name.

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

/// Most code points a password may have; NIST SP 800-63B-4 asks for at least 64 to be allowed.
pub const MAX_LENGTH: usize = 256;

/// Most bytes a password may have.
pub const MAX_BYTES: usize = 1_024;

/// Most bytes of a password before it is normalised: NFC shortens a text to a third at most (Hangul syllables).
const MAX_RAW_BYTES: usize = 3 * MAX_BYTES;

/// Code points that zxcvbn judges; its time grows with the square of the length, and with every ambiguous character.
const MAX_ESTIMATED_LENGTH: usize = 60;

/// Code points that zxcvbn judges at a time. Its estimates of a longer text overflow: the orders of 21 matches, and the
/// walks of 28 keys on a keypad, do not fit into 64 bits (zxcvbn 3.1.1, `factorial` and `SpatialPattern::estimate`).
const ESTIMATE_CHUNK: usize = 20;

/// The rules for new passwords. There are none about composition (NIST SP 800-63B-4 section 3.1.1.2 forbids them).
pub struct Policy {
    pool: Arc<HashPool>,
    rules: Rules,
}

/// The rules by themselves.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    min_length: usize,
    min_score: Score,
}

impl Policy {
    /// The configured rules, judged on the threads of `pool`: a hostile text makes the judge work hard.
    pub fn new(settings: &config::Password, pool: Arc<HashPool>) -> Self {
        Self { pool, rules: Rules::new(settings) }
    }

    /// The fewest code points a password may have.
    pub fn min_length(&self) -> usize {
        self.rules.min_length
    }

    /// What `password` lacks for an account with these `names` (username, e-mail address, display name).
    ///
    /// # Errors
    /// [`crate::error::Error::Busy`]; internal ones.
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

    /// What `password` lacks for an account with these `names`. The list of common passwords is zxcvbn's: 30,000 leaked
    /// passwords, beside names and dictionaries.
    pub fn violations(self, password: &str, names: &[String]) -> Vec<PasswordViolation> {
        self.violations_with(password, names, zxcvbn)
    }

    /// The same with an estimator of the caller's choice.
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
        let judged: Vec<char> = password.chars().take(MAX_ESTIMATED_LENGTH).collect();
        let estimates: Vec<Option<Entropy>> = judged
            .chunks(ESTIMATE_CHUNK)
            .map(|piece| catch_panic(|| estimate(&piece.iter().collect::<String>(), &words)))
            .collect();
        // A password is at least as strong as its strongest piece.
        let score = estimates.iter().flatten().map(Entropy::score).max();
        if matches!(estimates.as_slice(), [Some(only)] if is_common_password(only)) {
            violations.push(PasswordViolation::TooCommon);
        } else if score.is_none_or(|score| score < self.min_score) {
            violations.push(PasswordViolation::Guessable);
        }
        violations
    }
}

/// Nothing if the library panicked: what it cannot judge counts as guessable.
fn catch_panic(estimate: impl FnOnce() -> Entropy) -> Option<Entropy> {
    catch_unwind(AssertUnwindSafe(estimate)).ok()
}

/// Whether the whole password is one entry of a list, as it stands or in a well-known disguise.
fn is_common_password(strength: &Entropy) -> bool {
    matches!(strength.sequence(), [only] if matches!(only.pattern, MatchPattern::Dictionary(_)))
}

/// The names and their parts that no password may be, case-folded.
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
mod tests {
    use proptest::prelude::*;

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

    #[test]
    fn a_panic_of_the_estimator_is_guessable() {
        let settings = config::Config::load(config::Flags::default(), []).unwrap().password;
        let judge = |password: &str, estimate: fn(&str, &[&str]) -> Entropy| {
            Rules::new(&settings).violations_with(password, &[], estimate)
        };
        assert_eq!(judge("kestrel-over-the-quiet-garden", |_, _| panic!("overflow")), [Guessable]);
        assert_eq!(judge("kestrel-over-the-quiet-garden", zxcvbn), []);
    }

    #[test]
    fn judges_a_bounded_number_of_characters_at_a_time() {
        let settings = config::Config::load(config::Flags::default(), []).unwrap().password;
        for password in ["x".repeat(256), "4@8({[<3691!|7105$+%2xz".chars().cycle().take(256).collect()] {
            let judged = std::cell::RefCell::new(Vec::new());
            Rules::new(&settings).violations_with(&password, &[], |piece, words| {
                judged.borrow_mut().push(piece.chars().count());
                zxcvbn(piece, words)
            });
            assert_eq!(judged.into_inner(), [20, 20, 20]);
        }
        assert_eq!(violations(&"\u{1112}".repeat(MAX_RAW_BYTES / 3 + 1), &[]), [TooLong], "nothing is normalised");
    }

    /// The pieces of `password` at which the library itself panics. What overflows where overflow is checked would wrap
    /// where it is not, and a walk would count as strong.
    fn panics(password: &str) -> Vec<String> {
        let settings = config::Config::load(config::Flags::default(), []).unwrap().password;
        let panics = std::cell::RefCell::new(Vec::new());
        Rules::new(&settings).violations_with(password, &[], |piece, words| {
            catch_unwind(AssertUnwindSafe(|| zxcvbn(piece, words))).unwrap_or_else(|cause| {
                panics.borrow_mut().push(piece.to_owned());
                std::panic::resume_unwind(cause)
            })
        });
        panics.into_inner()
    }

    #[test]
    fn walks_overflow_nothing() {
        let overflow = catch_unwind(|| std::hint::black_box(i32::MAX) + std::hint::black_box(1));
        assert!(overflow.is_err(), "without overflow checks this test proves nothing");
        for (part, count) in [("qw", 20), ("qw", 128), ("12", 16), ("0o0O0o0O", 8), ("qwertz", 40), ("a1", 100)] {
            assert_eq!(panics(&part.repeat(count)), [""; 0]);
            let found = violations(&part.repeat(count), &[]);
            assert!(found.is_empty() || found.contains(&Guessable) || found.contains(&TooCommon), "{part}: {found:?}");
        }
        assert_eq!(violations(&"qw".repeat(20), &[]), [Guessable]);
        assert_eq!(violations(&"12".repeat(16), &[]), [Guessable]);
        assert_eq!(violations(&"0o0O0o0O".repeat(8), &[]), [Guessable]);
    }

    /// Rows of keys, one beside the other; a walk goes to a key beside, above or below.
    const BOARDS: [[&str; 4]; 3] = [
        ["1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "zxcvbnm,./\\ "],
        ["1234567890[]", "',.pyfgcrl/=", "aoeuidhtns-#", ";qjkxbmwvz\\ "],
        ["/*-+", "789+", "456+", "123="],
    ];

    fn walk(board: usize, steps: &[(u8, bool)]) -> String {
        let rows: Vec<Vec<char>> = BOARDS[board].iter().map(|row| row.chars().collect()).collect();
        let (mut row, mut column) = (1_usize, 1_usize);
        let mut text = String::new();
        for (step, is_shifted) in steps {
            match step % 5 {
                0 => row = (row + 1).min(3),
                1 => row = row.saturating_sub(1),
                2 => column = (column + 1).min(rows[0].len() - 1),
                3 => column = column.saturating_sub(1),
                _ => {}
            }
            let key = rows[row][column];
            text.push(if *is_shifted { key.to_ascii_uppercase() } else { key });
        }
        text
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

        #[test]
        fn keyboard_walks_overflow_nothing(
            board in 0_usize..3,
            steps in prop::collection::vec((0_u8..5, any::<bool>()), 1..=256),
        ) {
            prop_assert_eq!(panics(&walk(board, &steps)), [""; 0]);
        }

        #[test]
        fn disguises_repeats_and_dates_overflow_nothing(
            text in prop_oneof!["[4@8({\\[<3691!|7105$+%2xzaAbeglost]{1,256}", "[01/. -]{1,64}", "[a-c0-2]{1,64}"],
            count in 1_usize..20,
            date in "(0?[1-9]|[12][0-9]|3[01])[-/._]?(0?[1-9]|1[0-2])[-/._]?(19|20)[0-9]{2}",
        ) {
            prop_assert_eq!(panics(&text), [""; 0]);
            prop_assert_eq!(panics(&text.repeat(count).chars().take(MAX_LENGTH).collect::<String>()), [""; 0]);
            prop_assert_eq!(panics(&date.repeat(count).chars().take(MAX_LENGTH).collect::<String>()), [""; 0]);
        }

        #[test]
        fn any_text_is_judged_without_a_panic(text in "\\PC{1,64}") {
            prop_assert_eq!(panics(&text), [""; 0]);
        }
    }
}
