//! Detection of hashes in password fields: a hash imported as a password would admit a thief of the hash and not the
//! user.

use super::{StoredHash, UnusableHash, decode_base64, strip_wrappers};

/// Lengths of common digests in hexadecimal digits: MD5, SHA-1, SHA-2.
const HEX_LENGTHS: [usize; 7] = [32, 40, 48, 56, 64, 96, 128];

/// Lengths of digests, and of ASP.NET's hashes, in bytes.
const DIGEST_LENGTHS: [usize; 5] = [20, 32, 49, 61, 64];

/// Shortest text after a scheme's prefix.
const MIN_BODY_LENGTH: usize = 16;

/// Whether `text` has the form of a hash, of a supported scheme or of another.
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
    HEX_LENGTHS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Plain digits, or a byte literal of SQL, or the form of MySQL's PASSWORD().
fn is_prefixed_hex_digest(text: &str) -> bool {
    let prefixes = ["\\x", "0x", "0X", "*"];
    is_hex_digest(prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text))
}

/// `$1$…`, `{SHA}…` and similar.
fn has_scheme_prefix(text: &str) -> bool {
    let split_after = |open: char, close: char| text.strip_prefix(open)?.split_once(close);
    let Some((name, rest)) = split_after('$', '$').or_else(|| split_after('{', '}')) else { return false };
    let is_name =
        (1..=24).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_name && rest.len() >= MIN_BODY_LENGTH && rest.bytes().all(is_crypt_character)
}

/// Characters of crypt and PHC strings.
fn is_crypt_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"./+=$,_-:".contains(&byte)
}

/// A digest beside a salt or a scheme's name: `md5$salt$digest`, `digest:salt`, `salt.digest`.
fn has_salted_digest(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['$', ':', '.']).collect();
    parts.len() > 1 && parts.iter().any(|part| is_hex_digest(part))
}

/// A digest in base64 with its padding: without it, any word might be one.
fn is_base64_digest(text: &str) -> bool {
    text.ends_with('=') && decode_base64(text).is_some_and(|bytes| DIGEST_LENGTHS.contains(&bytes.len()))
        || text.len() >= 80 && decode_base64(text).is_some_and(|bytes| DIGEST_LENGTHS.contains(&bytes.len()))
}
