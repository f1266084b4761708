//! Whether a text that should be a password is a hash: taken for a password, it would let in whoever stole it, and
//! not its owner.

use super::{Stored, Unusable, base64, unwrapped};

/// Lengths of common digests in hexadecimal digits: MD5, SHA-1, SHA-2.
const DIGITS: [usize; 7] = [32, 40, 48, 56, 64, 96, 128];

/// Lengths of digests, and of ASP.NET's hashes, in bytes.
const BYTES: [usize; 5] = [20, 32, 49, 61, 64];

/// Shortest rest behind a scheme's mark.
const MIN_REST: usize = 16;

/// Whether `text` has the form of a hash, of a known scheme or of another.
pub fn has_form_of_hash(text: &str) -> bool {
    let text = unwrapped(text);
    match Stored::parse(&text) {
        Ok(_) | Err(Unusable::Malformed | Unusable::TooDear) => true,
        Err(Unusable::Unknown | Unusable::TooLong) => {
            is_digest(&text) || is_marked(&text) || is_salted(&text) || is_base64(&text)
        }
    }
}

fn is_hex(text: &str) -> bool {
    DIGITS.contains(&text.len()) && text.bytes().all(|one| one.is_ascii_hexdigit())
}

/// Digits alone, or as SQL writes bytes, or as MySQL's PASSWORD() does.
fn is_digest(text: &str) -> bool {
    let marks = ["\\x", "0x", "0X", "*"];
    is_hex(marks.iter().find_map(|mark| text.strip_prefix(mark)).unwrap_or(text))
}

/// `$1$…`, `{SHA}…` and the like.
fn is_marked(text: &str) -> bool {
    let behind = |open: char, close: char| text.strip_prefix(open)?.split_once(close);
    let Some((name, rest)) = behind('$', '$').or_else(|| behind('{', '}')) else { return false };
    let is_name = (1..=24).contains(&name.len()) && name.bytes().all(|one| one.is_ascii_alphanumeric() || one == b'-');
    is_name && rest.len() >= MIN_REST && rest.bytes().all(is_crypt)
}

/// Characters of crypt and PHC strings.
fn is_crypt(one: u8) -> bool {
    one.is_ascii_alphanumeric() || b"./+=$,_-:".contains(&one)
}

/// A digest beside a salt or a scheme's name: `md5$salt$digest`, `digest:salt`, `salt.digest`.
fn is_salted(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['$', ':', '.']).collect();
    parts.len() > 1 && parts.iter().any(|part| is_hex(part))
}

/// A digest in base64, with its padding: without it any word might be one.
fn is_base64(text: &str) -> bool {
    text.ends_with('=') && base64(text).is_some_and(|bytes| BYTES.contains(&bytes.len()))
        || text.len() >= 80 && base64(text).is_some_and(|bytes| BYTES.contains(&bytes.len()))
}
