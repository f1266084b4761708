//! Hashes and passwords as inputs of the detection.

use super::*;

/// Hashes of unsupported schemes are no passwords, either; typical passwords are.
#[test]
fn hashes_are_distinguished_from_passwords() {
    for (maker, hash, _) in hashes_of_older_services() {
        assert!(looks_like_hash(&hash), "{maker}");
    }
    for hash in [
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8",
        "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
        "*2470C0C06DEE42FD1618BBB99005ADCA2EC9D1E9",
        "0x5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8",
        "\\x5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
        "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
        "W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
        "XohImNooBHFR0OVvjcYpJ3NgPQ1qq73WKhHvch0VQtg=",
        "AQAAAAEAACcQAAAAEJ6tFoCVb8v2nqmfQ7o9cM2yUq1nSxbyC2X0bkz0bKM8yQ2hR3sXJp0mQ5nYcZ5H0A==",
        "$1$salt1234$z0vP0KAKVKQJIZaCSAj4q/",
        "$apr1$8JwRxGhK$9kdxCgSjRzj9JzCPOW8B70",
        "$argon2d$v=19$m=16,t=1,p=1$fFK69zxjEDQ$zb7705CzwkUv+zRSUY9Yyg",
        "$y$j9T$abcdefghijklmnop$5b.bR8gV7Q2bBhYd3w8ZqE0PVbV2U3yV2m4xXYhC9e1",
        "$2x$04$Mba5ETsZPQ.Lu2TFRR1oeuC4DpubNp5yfR7YR45IWL.FSkEh4ww0S",
        "$2b$12$cutshort",
        "$2b$31$Jk9E19C58lSv88Zd7EgS5eFDKdHAPj8sBUxGYrRm2wdJqUb2CGql2",
        "md5$mLdR7QG7chmzeQla$19a1c28193605b11658eec76b9002fd6",
        "5f4dcc3b5aa765d61d8327deb882cf99:aB3dE6gH",
    ] {
        assert!(looks_like_hash(hash), "{hash}");
    }
    for password in [
        "asdf",
        "passwörd",
        "correct-horse-battery-7",
        "$ecret$tuff",
        "{curly}",
        "a:b",
        "10:30",
        "pa$$word$1",
        "$money$money$money",
        "deadbeef",
        "b'quoted'",
        "\\x41",
        "Tr0ub4dor&3=",
        "1.2.3.4",
        "ann.lee@example.org",
        "bcrypt$plain",
        "https://example.org/?a=b",
        "J6q*Qv!x9Zt$4rLm#T2w%Yp8&Kd5",
        "0x1234",
        "**********",
        "eyJhbGciOiJIUzI1NiJ9",
        "password=",
    ] {
        assert!(!looks_like_hash(password), "{password}");
    }
}

proptest::proptest! {
    /// Words are passwords, whatever their letters.
    #[test]
    fn word_is_no_hash(text in "[\\p{L}\\p{N} .,!?_-]{0,31}") {
        proptest::prop_assert!(!looks_like_hash(&text));
    }

    /// Any text is parsed without a panic.
    #[test]
    fn any_text_parses_without_a_panic(text in "(\\$|\\{|b'|\\\\x|\\PC){0,60}") {
        looks_like_hash(&text);
        StoredHash::parse(&text).ok();
    }
}
