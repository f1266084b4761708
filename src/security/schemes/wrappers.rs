//! Wrappers that programs and databases put around a hash, and their removal.

/// Prefixes in braces before a crypt or PHC string, which names its scheme itself (RFC 2307 section 5.3; Dovecot,
/// Spring Security).
const SCHEME_PREFIXES: [&str; 8] =
    ["BCRYPT", "BLF-CRYPT", "CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "ARGON2", "ARGON2I", "ARGON2ID"];

/// Most nested wrappers: a bytea of a Python literal of a prefixed hash.
const MAX_LAYERS: usize = 4;

/// The hash within `text`: without surrounding blanks, Python's `b'…'`, PostgreSQL's `\x…` for bytes, prefixes like
/// `{BCRYPT}`, and the scheme names that Django and LDAP servers put before standard formats.
pub fn strip_wrappers(text: &str) -> String {
    let mut text = text.trim().to_owned();
    for _ in 0..MAX_LAYERS {
        match strip_layer(&text) {
            Some(inner) => text = inner,
            None => break,
        }
    }
    text
}

fn strip_layer(text: &str) -> Option<String> {
    if let Some(digits) = text.strip_prefix("\\x") {
        // Bytes that are not UTF-8 are a digest, and stay unchanged.
        return hex::decode(digits)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .filter(|text| !text.is_empty());
    }
    let quoted = |quote: char| text.strip_prefix('b')?.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(inner) = quoted('\'').or_else(|| quoted('"')) {
        return Some(inner.to_owned());
    }
    if let Some((name, rest)) = text.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        let name = name.to_ascii_uppercase();
        let of_pbkdf2 = || name.strip_prefix("PBKDF2").map(|digest| format!("$pbkdf2{}${rest}", digest.to_lowercase()));
        let is_crypt = SCHEME_PREFIXES.contains(&name.as_str()) && rest.starts_with('$');
        return if is_crypt { Some(rest.to_owned()) } else { of_pbkdf2() };
    }
    let bcrypt = text.strip_prefix("bcrypt$").filter(|rest| rest.starts_with("$2")).map(str::to_owned);
    bcrypt.or_else(|| {
        text.strip_prefix("argon2$").filter(|rest| rest.starts_with("argon2")).map(|rest| format!("${rest}"))
    })
}
