//! Hashes of older services and their libraries, and malformed ones.

use super::*;
use foreign_hashes::{FIREBASE_HASH, HASHES, PASSWORD};

mod detection;
mod foreign_hashes;
mod rejected;

/// The salt and the hash of the password `password` in user-api 0.6.0.
const SALT: &str = "5a9b0a98c5d8d23fc8c69dbcd4e6892b9bd47c74e1b908c3defb0935783f59dc";
const USER_API: &str = "bf2a17b8d14ad59802f4e4af190ca4ca";

fn user_api(hash: &str) -> String {
    format!("$pbkdf2-sha1-hexsalt$i=1000${SALT}${hash}")
}

/// Each program, a hash of it and the password.
fn hashes_of_older_services() -> Vec<(&'static str, String, String)> {
    let long = "x".repeat(72);
    let cases = [
        (
            "PlantDB 0.15.1",
            "$argon2id$v=19$m=65536,t=3,p=4$2nTMmx7/aXwUN4jOW9jEow$FOo+iA365ZvzJipdc99BixqsRgeTiUExtfGAab7ig4o",
            "Alfred123!",
        ),
        ("argon2-cffi, 8 bytes of salt", "$argon2id$v=19$m=16,t=1,p=1$fFK69zxjEDQ$zb7705CzwkUv+zRSUY9Yyg", "asdf"),
        ("flask_auth_service_mongo 0.1.8", "$2b$12$Jk9E19C58lSv88Zd7EgS5eFDKdHAPj8sBUxGYrRm2wdJqUb2CGql2", "secret"),
        ("bcrypt 2a", "$2a$04$Mba5ETsZPQ.Lu2TFRR1oeuC4DpubNp5yfR7YR45IWL.FSkEh4ww0S", "asdf"),
        ("bcrypt 2y", "$2y$04$Mba5ETsZPQ.Lu2TFRR1oeuC4DpubNp5yfR7YR45IWL.FSkEh4ww0S", "asdf"),
        ("bcrypt of 72 bytes", "$2a$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i", &long),
        (
            "tecladocode, the newer course",
            "$pbkdf2-sha256$29000$mdM6x3hPydkbI4SwlpISYg$qOZbKy7oEJ9FlloQ/6CXrrxYV/UPZG2mx.pSfGRdMGQ",
            "asdf",
        ),
        (
            "passlib, raw Unicode",
            "$pbkdf2-sha256$1000$ZCxFSIlRSsl5jzEm5ByDMA$9OKAtDMV4fY9ulEKoMVgGvtHs1Uu7/fTe8/8CoitS4A",
            "cafe\u{301}",
        ),
        ("passlib, SHA-1", "$pbkdf2$1000$pnSOcc4Zo3Tu/T/nHKMUYg$086m3uYgAoBMvMDx4pq2HRCmHnw", "asdf"),
        (
            "passlib, SHA-512",
            "$pbkdf2-sha512$1000$KAWA8J4Twtj7fw9hzJnz3g$d3aQ22pzLYBFIijLu7kH469jINwykObTQRPVJogms1Z2aRNQl9jDDoP8lkgUG4R2tucoLW57DGzx/VLW8kP8wg",
            "asdf",
        ),
        (
            "Werkzeug, scrypt",
            "scrypt:32768:8:1$XSUlRk3MLvmWZHoy$7fdb83d4a040eaf5e468e5a8f641b5cdb9e266d39417871a6cec7f9c1a9251cce1df2cb9bb3b34a00ef30d25575b15e360c3c228564cbe53173dc74fc08168ab",
            "asdf",
        ),
        (
            "Werkzeug, PBKDF2",
            "pbkdf2:sha256:260000$EUgsxu9w7tA5mkQE$e4f4e13df424f43f9fc4e27042867b626a1d558e65038dc124dc1b86089b5996",
            "asdf",
        ),
        ("Werkzeug, SHA-1", "pbkdf2:sha1:1000$6xgOd6r1kAUQ4aFS$9eb23e422f6259fc92df8e3fc4fc0b4698bc3336", "straße"),
        (
            "Werkzeug, SHA-512",
            "pbkdf2:sha512:1000$DI1nFr3FkKAwxKMC$0b064b2462287149a392093aa035d6a139c64bbe93b2465f969295c6634c92d68800461a0508630f75ee3ab775d66d885a39f09a28f4cfd3bddc046c5dbfc40d",
            "asdf",
        ),
        (
            "Django 5.2",
            "pbkdf2_sha256$1000$abcdefghijklmnopqrstuv$2/Ji+znophAT0WhUyV1KNfvxXpy3LG6gIT6XC02jznQ=",
            "asdf",
        ),
        ("Django 5.2, SHA-1", "pbkdf2_sha1$1000$saltsaltsalt$84MFMVNx+pDd/3tiM5guZIoD66I=", "asdf"),
    ];
    let mut hashes: Vec<_> =
        cases.iter().map(|(maker, hash, password)| (*maker, (*hash).into(), (*password).into())).collect();
    hashes.push(("user-api 0.6.0", user_api(USER_API), "password".to_owned()));
    hashes.push(("user-api 0.6.0, Latin-1", user_api("81fc7d26f67562bd4d3fc93eb63380dd"), "caf\u{e9}".to_owned()));
    hashes
}

/// C7: the password matches, no other does, and the hash itself never.
#[test]
fn imported_hash_matches_its_password_only() {
    let mut scratch = Scratch::new();
    for (maker, written) in HASHES {
        let hash = strip_wrappers(written);
        let stored = StoredHash::parse(&hash).unwrap_or_else(|why| panic!("{maker}: {why:?}"));
        assert!(stored.matches(PASSWORD, &mut scratch), "{maker}");
        for other in ["correct horse ü ", "correct horse ü\0", "Correct horse ü", written] {
            assert!(!stored.matches(other, &mut scratch), "{maker}: {other:?}");
        }
        assert!(looks_like_hash(written), "{maker}");
        assert_eq!(strip_wrappers(&hash), hash, "{maker}");
    }
    let nfkc = "d3786f35dd346724e9789d6cc28c2c1f:737db27a90532f865d686dae910725303c909ce9920b65072f278fc769cb5d9e64248013434b270160c1a77205fb50603bea8b7dace67e749281089204e4466d";
    let stored = StoredHash::parse(nfkc).unwrap();
    assert!(stored.matches("\u{fb01}sh \u{2163} correct", &mut scratch), "Better Auth normalizes to NFKC");
}

/// A truncated or altered hash is rejected or another hash; nothing panics.
#[test]
fn truncated_or_altered_hash_does_not_panic() {
    let cheap = HASHES.iter().filter(|(_, text)| !text.contains(':') && !text.contains("firescrypt"));
    for (maker, text) in cheap {
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            StoredHash::parse(&strip_wrappers(&text[..end])).ok();
            for other in ["$", "ä", "\0", "="] {
                StoredHash::parse(&strip_wrappers(&format!("{}{other}{}", &text[..end], &text[end..]))).ok();
            }
            assert!(end > 0 || StoredHash::parse(&text[1..]).is_err(), "{maker}");
        }
    }
}

/// C7
#[test]
fn hash_of_an_older_service_matches_its_password_only() {
    let mut scratch = Scratch::new();
    for (maker, hash, password) in hashes_of_older_services() {
        let stored = StoredHash::parse(&hash).unwrap_or_else(|why| panic!("{maker}: {why:?}"));
        assert!(stored.matches(&password, &mut scratch), "{maker}");
        for other in [format!("{password} "), format!("{password}\0")] {
            // bcrypt ignores what follows 72 bytes.
            let cut = password.len() == 72 && other.ends_with(' ');
            assert_eq!(stored.matches(&other, &mut scratch), cut, "{maker}: {other:?}");
        }
    }
}

#[test]
fn bcrypt_truncates_after_72_bytes_even_within_a_character() {
    let verify = |hash: &str, password: &str| StoredHash::parse(hash).unwrap().matches(password, &mut Scratch::new());
    let hash = "$2b$04$LRE7gA1jaLfz7TkMgk2nOOzKeywQMi0Udm2UYgdfNyD2agUeIPqdu";
    let begin = format!("{}y", "x".repeat(71));
    for tail in ["z-and-more-that-is-cut", "", "another tail"] {
        assert!(verify(hash, &format!("{begin}{tail}")), "{tail}");
    }
    assert!(!verify(hash, &begin[..71]));
    let umlauts = "$2b$04$FruQHoHMCuHwQZRGritgX.zJEp/zu2vfPdrVlEk46vNbMm76f00Y6";
    assert!(verify(umlauts, &format!("{}tail", "é".repeat(36))) && verify(umlauts, &"é".repeat(36)));
    assert!(!verify(umlauts, &"é".repeat(35)));
}

#[test]
fn user_api_password_outside_latin_1_never_matches() {
    let stored = StoredHash::parse(&user_api(USER_API)).unwrap();
    for password in ["p\u{101}ssword", "密码", "password\u{200b}"] {
        assert!(!stored.matches(password, &mut Scratch::new()), "{password}");
    }
}
