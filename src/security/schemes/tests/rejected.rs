//! Hashes above the cost limits, malformed ones and those of unsupported schemes.

use super::*;

fn argon2(m: &str, t: &str, p: &str) -> String {
    format!("$argon2id$v=19$m={m},t={t},p={p}${}${}", "A".repeat(22), "A".repeat(43))
}

fn bcrypt(cost: &str) -> String {
    format!("$2b${cost}${}", "a".repeat(53))
}

fn scrypt(costs: &str) -> String {
    format!("scrypt:{costs}$salt${}", "0".repeat(128))
}

fn passlib(rounds: &str) -> String {
    format!("$pbkdf2-sha256${rounds}${}${}", "A".repeat(22), "A".repeat(43))
}

fn werkzeug(method: &str, bytes: usize) -> String {
    format!("pbkdf2:{method}$salt${}", "00".repeat(bytes))
}

fn firebase(costs: &str) -> String {
    FIREBASE_HASH.replace("ln=14,r=8,p=1", costs)
}

/// C8
#[test]
fn hash_at_the_cost_limit_is_accepted() {
    for hash in [
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
        assert_eq!(StoredHash::parse(&hash).err(), None, "{hash}");
    }
}

/// C8
#[test]
fn hash_above_the_cost_limit_is_rejected_before_computation() {
    for hash in [
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
        assert_eq!(StoredHash::parse(&hash).err(), Some(UnusableHash::TooExpensive), "{hash}");
    }
}

#[test]
fn hash_longer_than_the_column_is_rejected() {
    for hash in [
        format!("$argon2id$v=19$m=16,t=1,p=1${}${}", "A".repeat(1_000_000), "A".repeat(43)),
        format!("scrypt:2:1:1${}${}", "x".repeat(1_000_000), "0".repeat(64)),
        "x".repeat(256),
    ] {
        assert_eq!(StoredHash::parse(&hash).err(), Some(UnusableHash::TooLong), "{hash:.40}");
    }
}

const MALFORMED: [&str; 53] = [
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
];

/// C8: a malformed row is a wrong password.
#[test]
fn malformed_hash_is_rejected() {
    for text in MALFORMED {
        assert_eq!(StoredHash::parse(text).err(), Some(UnusableHash::Malformed), "{text}");
    }
}

#[test]
fn hash_of_an_unsupported_scheme_is_rejected() {
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
