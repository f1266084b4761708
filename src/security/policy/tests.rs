//! Passwords that the policy accepts and rejects, and texts that overflow its estimator.

use proptest::prelude::*;

use super::*;
use PasswordViolation::*;

fn violations(password: &str, names: &[&str]) -> Vec<PasswordViolation> {
    let settings = config::Config::load(config::Flags::default(), []).unwrap().password;
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    Rules::new(&settings).violations(password, &names)
}

#[test]
fn example_password_of_older_services_is_accepted() {
    assert_eq!(violations("Alfred123!", &["batman", "Bruce Wayne"]), []);
}

#[test]
fn length_is_8_to_256_code_points() {
    assert!(violations("hß9§kQz", &[]).contains(&TooShort));
    assert_eq!(violations("hß9§kQz7", &[]), []);
    assert_eq!(violations(&"hß9§kQz7".repeat(32), &[]), []);
    assert_eq!(violations(&format!("{}x", "hß9§kQz7".repeat(32)), &[]), [TooLong]);
    assert_eq!(violations(&"🦊".repeat(257), &[]), [TooLong]);
    assert!(!violations(&"漢".repeat(256), &[]).contains(&TooLong), "256 code points are allowed");
}

#[test]
fn common_password_is_rejected() {
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
fn name_of_the_account_is_rejected_as_password() {
    assert!(violations("Bartholomew", &["bartholomew"]).contains(&ContainsIdentity));
    assert!(violations("kestrel-42", &["x", "kestrel-42@example.org"]).contains(&ContainsIdentity));
}

#[test]
fn estimator_panic_counts_as_guessable() {
    let settings = config::Config::load(config::Flags::default(), []).unwrap().password;
    let violations_with = |password: &str, estimate: fn(&str, &[&str]) -> Entropy| {
        Rules::new(&settings).violations_with(password, &[], estimate)
    };
    assert_eq!(violations_with("kestrel-over-the-quiet-garden", |_, _| panic!("overflow")), [Guessable]);
    assert_eq!(violations_with("kestrel-over-the-quiet-garden", zxcvbn), []);
}

#[test]
fn estimator_gets_bounded_chunks() {
    let settings = config::Config::load(config::Flags::default(), []).unwrap().password;
    for password in ["x".repeat(256), "4@8({[<3691!|7105$+%2xz".chars().cycle().take(256).collect()] {
        let estimated = std::cell::RefCell::new(Vec::new());
        Rules::new(&settings).violations_with(&password, &[], |chunk, words| {
            estimated.borrow_mut().push(chunk.chars().count());
            zxcvbn(chunk, words)
        });
        assert_eq!(estimated.into_inner(), [20, 20, 20]);
    }
    assert_eq!(violations(&"\u{1112}".repeat(MAX_RAW_BYTES / 3 + 1), &[]), [TooLong], "rejected before normalization");
}

/// The chunks of `password` at which the library panics. Without overflow checks the panic would be a wrong estimate,
/// and a keyboard walk would count as strong.
fn panics(password: &str) -> Vec<String> {
    let settings = config::Config::load(config::Flags::default(), []).unwrap().password;
    let panics = std::cell::RefCell::new(Vec::new());
    Rules::new(&settings).violations_with(password, &[], |chunk, words| {
        catch_unwind(AssertUnwindSafe(|| zxcvbn(chunk, words))).unwrap_or_else(|cause| {
            panics.borrow_mut().push(chunk.to_owned());
            std::panic::resume_unwind(cause)
        })
    });
    panics.into_inner()
}

#[test]
fn repeated_text_does_not_overflow_the_estimator() {
    let overflow = catch_unwind(|| std::hint::black_box(i32::MAX) + std::hint::black_box(1));
    assert!(overflow.is_err(), "this test needs overflow checks");
    for (part, count) in [("qw", 20), ("qw", 128), ("12", 16), ("0o0O0o0O", 8), ("qwertz", 40), ("a1", 100)] {
        assert_eq!(panics(&part.repeat(count)), [""; 0]);
        let found = violations(&part.repeat(count), &[]);
        assert!(found.is_empty() || found.contains(&Guessable) || found.contains(&TooCommon), "{part}: {found:?}");
    }
    assert_eq!(violations(&"qw".repeat(20), &[]), [Guessable]);
    assert_eq!(violations(&"12".repeat(16), &[]), [Guessable]);
    assert_eq!(violations(&"0o0O0o0O".repeat(8), &[]), [Guessable]);
}

/// Rows of keys; a walk goes to an adjacent key.
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
    fn keyboard_walk_does_not_overflow_the_estimator(
        board in 0_usize..3,
        steps in prop::collection::vec((0_u8..5, any::<bool>()), 1..=256),
    ) {
        prop_assert_eq!(panics(&walk(board, &steps)), [""; 0]);
    }

    #[test]
    fn substitutions_repeats_and_dates_do_not_overflow_the_estimator(
        text in prop_oneof!["[4@8({\\[<3691!|7105$+%2xzaAbeglost]{1,256}", "[01/. -]{1,64}", "[a-c0-2]{1,64}"],
        count in 1_usize..20,
        date in "(0?[1-9]|[12][0-9]|3[01])[-/._]?(0?[1-9]|1[0-2])[-/._]?(19|20)[0-9]{2}",
    ) {
        prop_assert_eq!(panics(&text), [""; 0]);
        prop_assert_eq!(panics(&text.repeat(count).chars().take(MAX_LENGTH).collect::<String>()), [""; 0]);
        prop_assert_eq!(panics(&date.repeat(count).chars().take(MAX_LENGTH).collect::<String>()), [""; 0]);
    }

    #[test]
    fn any_text_is_estimated_without_a_panic(text in "\\PC{1,64}") {
        prop_assert_eq!(panics(&text), [""; 0]);
    }
}
