//! Whether a text that should be a password is a hash: taken for a password, it would let in whoever stole it, and
//! not its owner.

use super::{StoredHash, UnusableHash, decode_base64, strip_wrappers};

/// Lengths of common digests in hexadecimal digits: MD5, SHA-1, SHA-2.
const HEX_LENGTHS: [usize; 7] = [32, 40, 48, 56, 64, 96, 128];

/// Lengths of digests, and of ASP.NET's hashes, in bytes.
const DIGEST_LENGTHS: [usize; 5] = [20, 32, 49, 61, 64];

/// Shortest rest behind a scheme's mark.
const MIN_BODY_LENGTH: usize = 16;

/// Whether `text` has the form of a hash, of a known scheme or of another.
pub fn looks_like_hash(text: &str) -> bool {
    let text = strip_wrappers(text);
    match StoredHash::parse(&text) {
        Ok(_) | Err(UnusableHash::Malformed | UnusableHash::TooExpensive) => true,
        Err(UnusableHash::Unknown | UnusableHash::TooLong) => {
            is_prefixed_hex_digest(&text)
                || has_scheme_prefix(&text)
                || has_salted_digest(&text)
                || is_base64_digest(&text)
        }
    }
}

fn is_hex_digest(text: &str) -> bool {
    HEX_LENGTHS.contains(&text.len()) && text.bytes().all(|one| one.is_ascii_hexdigit())
}

/// Digits alone, or as SQL writes bytes, or as MySQL's PASSWORD() does.
fn is_prefixed_hex_digest(text: &str) -> bool {
    let marks = ["\\x", "0x", "0X", "*"];
    is_hex_digest(marks.iter().find_map(|mark| text.strip_prefix(mark)).unwrap_or(text))
}

/// `$1$…`, `{SHA}…` and the like.
fn has_scheme_prefix(text: &str) -> bool {
    let behind = |open: char, close: char| text.strip_prefix(open)?.split_once(close);
    let Some((name, rest)) = behind('$', '$').or_else(|| behind('{', '}')) else { return false };
    let is_name = (1..=24).contains(&name.len()) && name.bytes().all(|one| one.is_ascii_alphanumeric() || one == b'-');
    is_name && rest.len() >= MIN_BODY_LENGTH && rest.bytes().all(is_crypt_character)
}

/// Characters of crypt and PHC strings.
fn is_crypt_character(one: u8) -> bool {
    one.is_ascii_alphanumeric() || b"./+=$,_-:".contains(&one)
}

/// A digest beside a salt or a scheme's name: `md5$salt$digest`, `digest:salt`, `salt.digest`.
fn has_salted_digest(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['$', ':', '.']).collect();
    parts.len() > 1 && parts.iter().any(|part| is_hex_digest(part))
}

/// A digest in base64, with its padding: without it any word might be one.
fn is_base64_digest(text: &str) -> bool {
    text.ends_with('=') && decode_base64(text).is_some_and(|bytes| DIGEST_LENGTHS.contains(&bytes.len()))
        || text.len() >= 80 && decode_base64(text).is_some_and(|bytes| DIGEST_LENGTHS.contains(&bytes.len()))
}
