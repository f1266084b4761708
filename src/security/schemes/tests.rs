//! Hashes that older services and their libraries made, and what is refused of them.

use super::*;
use foreign_hashes::{FIREBASE_HASH, HASHES, PASSWORD};

mod foreign_hashes;

/// The salt and the hash of the password `password` in user-api 0.6.0.
const SALT: &str = "5a9b0a98c5d8d23fc8c69dbcd4e6892b9bd47c74e1b908c3defb0935783f59dc";
const USER_API: &str = "bf2a17b8d14ad59802f4e4af190ca4ca";

fn user_api(hash: &str) -> String {
    format!("$pbkdf2-sha1-hexsalt$i=1000${SALT}${hash}")
}

/// Each maker, a hash of it and the password.
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
    let mut made: Vec<_> =
        cases.iter().map(|(maker, hash, password)| (*maker, (*hash).into(), (*password).into())).collect();
    made.push(("user-api 0.6.0", user_api(USER_API), "password".to_owned()));
    made.push(("user-api 0.6.0, Latin-1", user_api("81fc7d26f67562bd4d3fc93eb63380dd"), "caf\u{e9}".to_owned()));
    made
}

/// C7: the password, no other, and never the hash itself.
#[test]
fn takes_what_people_bring_along() {
    let mut memory = Scratch::new();
    for (maker, written) in HASHES {
        let hash = strip_wrappers(written);
        let stored = StoredHash::parse(&hash).unwrap_or_else(|why| panic!("{maker}: {why:?}"));
        assert!(stored.matches(PASSWORD, &mut memory), "{maker}");
        for other in ["correct horse ü ", "correct horse ü\0", "Correct horse ü", written] {
            assert!(!stored.matches(other, &mut memory), "{maker}: {other:?}");
        }
        assert!(looks_like_hash(written), "{maker}");
        assert_eq!(strip_wrappers(&hash), hash, "{maker}");
    }
    let nfkc = "d3786f35dd346724e9789d6cc28c2c1f:737db27a90532f865d686dae910725303c909ce9920b65072f278fc769cb5d9e64248013434b270160c1a77205fb50603bea8b7dace67e749281089204e4466d";
    let stored = StoredHash::parse(nfkc).unwrap();
    assert!(stored.matches("\u{fb01}sh \u{2163} correct", &mut memory), "Better Auth normalises to NFKC");
}

/// What is cut short, or has a character more or another, is refused or another hash; nothing panics.
#[test]
fn refuses_damaged_forms_of_what_people_bring_along() {
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

/// Hashes of schemes that are not taken are no passwords, either; what people choose is.
#[test]
fn tells_hashes_from_passwords() {
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
    fn takes_words_for_passwords(text in "[\\p{L}\\p{N} .,!?_-]{0,31}") {
        proptest::prop_assert!(!looks_like_hash(&text));
    }

    /// Any text is read without a panic.
    #[test]
    fn reads_any_text(text in "(\\$|\\{|b'|\\\\x|\\PC){0,60}") {
        looks_like_hash(&text);
        StoredHash::parse(&text).ok();
    }
}

/// C7
#[test]
fn takes_what_older_services_made() {
    let mut memory = Scratch::new();
    for (maker, hash, password) in hashes_of_older_services() {
        let stored = StoredHash::parse(&hash).unwrap_or_else(|why| panic!("{maker}: {why:?}"));
        assert!(stored.matches(&password, &mut memory), "{maker}");
        for other in [format!("{password} "), format!("{password}\0")] {
            // bcrypt does not see what stands behind 72 bytes.
            let cut = password.len() == 72 && other.ends_with(' ');
            assert_eq!(stored.matches(&other, &mut memory), cut, "{maker}: {other:?}");
        }
    }
}

#[test]
fn cuts_for_bcrypt_after_72_bytes_even_within_a_character() {
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
fn takes_no_password_for_user_api_that_latin_1_cannot_write() {
    let stored = StoredHash::parse(&user_api(USER_API)).unwrap();
    for password in ["p\u{101}ssword", "密码", "password\u{200b}"] {
        assert!(!stored.matches(password, &mut Scratch::new()), "{password}");
    }
}

/// C8: the bounds themselves are computed, one past them is not, and nothing that is damaged is.
#[test]
fn refuses_what_is_too_dear_before_anything_is_computed() {
    let argon2 =
        |m: &str, t: &str, p: &str| format!("$argon2id$v=19$m={m},t={t},p={p}${}${}", "A".repeat(22), "A".repeat(43));
    let bcrypt = |cost: &str| format!("$2b${cost}${}", "a".repeat(53));
    let scrypt = |costs: &str| format!("scrypt:{costs}$salt${}", "0".repeat(128));
    let passlib = |rounds: &str| format!("$pbkdf2-sha256${rounds}${}${}", "A".repeat(22), "A".repeat(43));
    let werkzeug = |method: &str, bytes: usize| format!("pbkdf2:{method}$salt${}", "00".repeat(bytes));
    let firebase = |costs: &str| FIREBASE_HASH.replace("ln=14,r=8,p=1", costs);
    let verdict = |text: &str| StoredHash::parse(text).err();
    for good in [
        firebase("ln=17,r=16,p=1"),
        "$6$rounds=1000000$salt$3RQCCMzdODjnQ.OZQRUhFuGSL5MZusig.PH9yL8EIvPMl6vTio4AyO2kXvZTUwxF87LbEZqaC0Sxvn1JZYhDJ0"
            .to_owned(),
        "$P$FkAsuUO.SB5g2rg2iWegSQpkjKeZPA1".to_owned(),
        argon2("262144", "10", "16"),
        bcrypt("04"),
        bcrypt("14"),
        scrypt("131072:16:1"),
        scrypt("131072:8:2"),
        scrypt("2:1:1"),
        passlib("1"),
        passlib("10000000"),
        werkzeug("sha1:2500000", 64),
        "$pbkdf2-sha1-hexsalt$i=10000000$x$bf2a17b8d14ad59802f4e4af190ca4ca".to_owned(),
    ] {
        assert_eq!(verdict(&good), None, "{good}");
    }
    for dear in [
        argon2("262145", "1", "1"),
        argon2("4294967295", "1", "1"),
        argon2("16", "11", "1"),
        argon2("16", "4294967295", "1"),
        argon2("1024", "1", "17"),
        bcrypt("15"),
        bcrypt("31"),
        bcrypt("99"),
        scrypt("262144:8:1"),
        scrypt("131072:17:1"),
        scrypt("131072:16:2"),
        scrypt("2:16:4294967295"),
        scrypt("18446744073709551616:8:1"),
        passlib("10000001"),
        passlib("99999999999999999999999999"),
        passlib("i=10000001"),
        "$6$rounds=1000001$salt$3RQCCMzdODjnQ.OZQRUhFuGSL5MZusig.PH9yL8EIvPMl6vTio4AyO2kXvZTUwxF87LbEZqaC0Sxvn1JZYhDJ0"
            .to_owned(),
        "$5$rounds=99999999999$salt$WFzBFUYmjQU3vw.89rZJfSOVrZlyeNqh2IEG/X5eHiC".to_owned(),
        "$P$GkAsuUO.SB5g2rg2iWegSQpkjKeZPA1".to_owned(),
        "$scrypt$ln=18,r=8,p=1$Z6zV+t87Z8y5d25tLSWk9A$fxBNn+JEIl3eKUdobOnuaXstjsRxrHEFxBF79t7wxZ8".to_owned(),
        "$scrypt$ln=262144,r=8,p=1$Z6zV+t87Z8y5d25tLSWk9A$fxBNn+JEIl3eKUdobOnuaXstjsRxrHEFxBF79t7wxZ8".to_owned(),
        firebase("ln=18,r=8,p=1"),
        firebase("ln=31,r=8,p=1"),
        firebase("ln=17,r=17,p=1"),
        firebase("ln=14,r=8,p=4294967295"),
        format!("scrypt$262144$salt$8$1${}", "A".repeat(86)),
        format!("$wp$2y$15${}", "a".repeat(53)),
        format!("bcrypt_sha256$$2b$15${}", "a".repeat(53)),
        format!("$bcrypt-sha256$v=2,t=2b,r=15${}${}", "a".repeat(22), "a".repeat(31)),
        argon2("262145", "1", "1").replace("argon2id", "argon2i"),
        argon2("262145", "1", "1").replace("v=19$", ""),
        werkzeug("sha1:2500001", 64),
    ] {
        assert_eq!(verdict(&dear), Some(UnusableHash::TooExpensive), "{dear}");
    }
    for long in [
        format!("$argon2id$v=19$m=16,t=1,p=1${}${}", "A".repeat(1_000_000), "A".repeat(43)),
        format!("scrypt:2:1:1${}${}", "x".repeat(1_000_000), "0".repeat(64)),
        "x".repeat(256),
    ] {
        assert_eq!(verdict(&long), Some(UnusableHash::TooLong), "{long:.40}");
    }
}

/// C8: a row that somebody damaged is a wrong password.
#[test]
fn refuses_what_is_damaged_or_of_no_known_scheme() {
    for text in [
        "$2b$12$short",
        "$2b$3$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "$2b$03$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "$2b$+4$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "$2b$04$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=",
        "$2b$04$ääääääääääääääääääääääääääääääää",
        "scrypt:0:8:1$salt$00000000000000000000000000000000",
        "scrypt:1:8:1$salt$00000000000000000000000000000000",
        "scrypt:3:8:1$salt$00000000000000000000000000000000",
        "scrypt:2:0:1$salt$00000000000000000000000000000000",
        "scrypt:2:1:0$salt$00000000000000000000000000000000",
        "scrypt:2:1$salt$00000000000000000000000000000000",
        "scrypt:2:1:1$salt$0000000000000000000000000000000",
        "scrypt:2:1:1$salt$+0+0+0+0+0+0+0+0+0+0+0+0+0+0+0+0",
        "scrypt:2:1:1$salt$00",
        "scrypt:2:1:1$salt$",
        "pbkdf2:sha256:0$salt$00000000000000000000000000000000",
        "pbkdf2:sha256:-1$salt$00000000000000000000000000000000",
        "pbkdf2:sha256:$salt$00000000000000000000000000000000",
        "pbkdf2_sha256$1000$salt$AAAA",
        "$pbkdf2-sha256$1000$a+b$qOZbKy7oEJ9FlloQ/6CXrrxYV/UPZG2mx.pSfGRdMGQ",
        "$pbkdf2-sha1-hexsalt$1000$x$bf2a17b8d14ad59802f4e4af190ca4ca",
        "$argon2id$v=17$m=16,t=1,p=1$fFK69zxjEDQ$zb7705CzwkUv+zRSUY9Yyg",
        "bcrypt_sha256$2b$04$BsiQqVTJuVVCU5C3IXbKoet5pVddy0NtrUU/K8WrsjlprX9Id2Ola",
        "bcrypt_sha256$",
        "$wp$",
        "$wp$2y$04$short",
        "$bcrypt-sha256$v=2,t=2b,r=4$$",
        "$bcrypt-sha256$v=1,t=2b,r=4$4g.GWR/CIuH5t7A7VBaXJu$z/RmzyTXc3ngPI113c/8kx3TkGzdgwm",
        "$pbkdf2-sha256$i=1000,l=33$gBSI6cghHLRdAjVte2TFoA$YYJahuGRMdAcNvWW6BQtUFmEm9TpXQ3dfeTvxEd23fU",
        "$pbkdf2-sha256$i=$gBSI6cghHLRdAjVte2TFoA$YYJahuGRMdAcNvWW6BQtUFmEm9TpXQ3dfeTvxEd23fU",
        "scrypt$1024$salt$8$AAAA",
        "$scrypt$ln=10,r=8$Z6zV$fxBN",
        "$scrypt$ln=0,r=8,p=1$Z6zV+t87Z8y5d25tLSWk9A$fxBNn+JEIl3eKUdobOnuaXstjsRxrHEFxBF79t7wxZ8",
        "s2:salt:00",
        "$firescrypt$ln=14,r=8,p=1$sPtDhWcd1MfdAw==$xbSo$Bw==$YE0d",
        "$firescrypt$ln=14,r=8,p=1$",
        "$6$",
        "$6$salt$short",
        "$6$rounds=999$6qg4A8OldB6pVv4h$3RQCCMzdODjnQ.OZQRUhFuGSL5MZusig.PH9yL8EIvPMl6vTio4AyO2kXvZTUwxF87LbEZqaC0Sxvn1JZYhDJ0",
        "$5$salt$WFzBFUYmjQU3vw.89rZJfSOVrZlyeNqh2IEG/X5eHi=",
        "$P$",
        "$P$B",
        "$P$4kAsuUO.SB5g2rg2iWegSQpkjKeZPA1",
        "$P$!kAsuUO.SB5g2rg2iWegSQpkjKeZPA1",
        "$P$BäääääääSB5g2rg2iWegSQpkjKeZPA1",
        "{SSHA}AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "{SSHA512}SMqTtwPkWC+tfU6zg3TXpfM7VxjdW+t9",
        "sha256$$9e825c43a4b456168e74fa335b4938e17264d2b9b3b3ff39e45c678c08d21af8",
        "sha256$salt$9e82",
        "sha1$salt$9e825c43a4b456168e74fa335b4938e17264d2b9b3b3ff39e45c678c08d21af8",
        "$argon2id$v=19$m=16,t=1,p=1$fFK69zxjEDQ",
        "$argon2id$v=19$m=16,t=1,p=1$fFK69zxjEDQ$AAAAAAAAAAAAAA",
    ] {
        assert_eq!(StoredHash::parse(text).err(), Some(UnusableHash::Malformed), "{text}");
    }
    for text in [
        "",
        "$",
        "$$$$",
        "plain",
        "$2x$04$Mba5ETsZPQ.Lu2TFRR1oeuC4DpubNp5yfR7YR45IWL.FSkEh4ww0S",
        "$argon2d$v=19$m=16,t=1,p=1$fFK69zxjEDQ$zb7705CzwkUv+zRSUY9Yyg",
        "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
        "{MD5}X03MO1qnZdYdgyfeuILPmQ==",
        "$1$salt1234$z0vP0KAKVKQJIZaCSAj4q/",
        "$y$j9T$abcdefghijklmnop$5b.bR8gV7Q2bBhYd3w8ZqE0PVbV2U3yV2m4xXYhC9e1",
        "5f4dcc3b5aa765d61d8327deb882cf99",
        "pbkdf2:md5:1000$salt$00000000000000000000000000000000",
        "md5$salt$00000000000000000000000000000000",
        "9d4d5f59fa379c2ec00cf2b9a8d3cd0c:e0940b21f03809faac22bceb04fd242d",
        "bcrypt$plain",
        "argon2$plain",
        "$pbkdf2-md5$1000$AAAA$AAAAAAAAAAAAAAAAAAAAAA",
    ] {
        assert_eq!(StoredHash::parse(text).err(), Some(UnusableHash::Unknown), "{text}");
    }
}
