//! scrypt (RFC 7914) in the formats of Werkzeug, Django, passlib and Node programs.

use icu_normalizer::ComposingNormalizer;
use scrypt::Params;

use super::{UnusableHash, check_key_length, constant_time_eq, decode_base64, has_trailing_nul, parse_cost};

/// The highest `N` that is verified.
const MAX_N: u32 = 1 << 17;

/// The largest block that is verified, in units of 128 bytes: 256 MiB of memory at the highest `N`.
const MAX_R: u32 = 16;

/// The highest product `N` × `r` × `p`: twice what OWASP recommends.
const MAX_WORK: u32 = 1 << 21;

/// Length in bytes of the key that Node programs derive.
const NODE_KEY_LENGTH: usize = 64;

/// Lengths in bytes of their salt, written in hexadecimal digits.
const NODE_SALT_LENGTHS: std::ops::RangeInclusive<usize> = 8..=64;

/// A parsed hash and its parameters.
#[derive(Debug)]
pub struct Scrypt {
    /// The parameters that may apply; the text does not always say.
    variants: Vec<Variant>,
    expected: Vec<u8>,
}

#[derive(Debug)]
struct Variant {
    params: Params,
    salt: Vec<u8>,
    /// The password was normalized to NFKC first.
    is_nfkc: bool,
}

/// Parses any of the formats, if the text is of one:
/// - `scrypt:32768:8:1$<salt>$<hash>` of Werkzeug, the salt verbatim, the hash in hexadecimal digits;
/// - `scrypt$16384$<salt>$8$5$<hash>` of Django, the salt verbatim, the hash in base64;
/// - `$scrypt$ln=16,r=8,p=1$<salt>$<hash>` of passlib and of Kratos, which writes N for `ln`, both in base64;
/// - `s2:<salt>:<key>` of Lucia, `<salt>:<key>` of Better Auth and other programs on Node, and `<key>.<salt>` of some,
///   both in hexadecimal digits.
pub(super) fn parse(text: &str) -> Option<Result<Scrypt, UnusableHash>> {
    if let Some(rest) = text.strip_prefix("scrypt:") {
        Some(parse_werkzeug(rest))
    } else if let Some(rest) = text.strip_prefix("scrypt$") {
        Some(parse_django(rest))
    } else if let Some(rest) = text.strip_prefix("$scrypt$") {
        Some(parse_phc(rest))
    } else {
        parse_node(text)
    }
}

fn parse_werkzeug(text: &str) -> Result<Scrypt, UnusableHash> {
    let parts: Vec<&str> = text.split('$').collect();
    let [costs, salt, hash] = parts[..] else { return Err(UnusableHash::Malformed) };
    let costs: Vec<&str> = costs.split(':').collect();
    let [n, r, p] = costs[..] else { return Err(UnusableHash::Malformed) };
    build(parse_cost(n, MAX_N)?, r, p, Some(salt.into()), hex::decode(hash).ok())
}

fn parse_django(text: &str) -> Result<Scrypt, UnusableHash> {
    let parts: Vec<&str> = text.split('$').collect();
    let [n, salt, r, p, hash] = parts[..] else { return Err(UnusableHash::Malformed) };
    build(parse_cost(n, MAX_N)?, r, p, Some(salt.into()), decode_base64(hash))
}

fn parse_phc(text: &str) -> Result<Scrypt, UnusableHash> {
    let parts: Vec<&str> = text.split('$').collect();
    let [costs, salt, hash] = parts[..] else { return Err(UnusableHash::Malformed) };
    let [n, r, p] = parse_named_costs(costs)?;
    let exponent = parse_cost(n, MAX_N)?;
    // Exponents are below 32, and accepted values of N are not.
    let n = if exponent < u32::BITS { 1_u32.checked_shl(exponent).unwrap_or(u32::MAX) } else { exponent };
    if n > MAX_N { Err(UnusableHash::TooExpensive) } else { build(n, r, p, decode_base64(salt), decode_base64(hash)) }
}

/// The values in `ln=…,r=…,p=…`.
pub(super) fn parse_named_costs(costs: &str) -> Result<[&str; 3], UnusableHash> {
    let costs: Vec<&str> = costs.split(',').collect();
    let [n, r, p] = costs[..] else { return Err(UnusableHash::Malformed) };
    match (n.strip_prefix("ln="), r.strip_prefix("r="), p.strip_prefix("p=")) {
        (Some(n), Some(r), Some(p)) => Ok([n, r, p]),
        _ => Err(UnusableHash::Malformed),
    }
}

fn build(n: u32, r: &str, p: &str, salt: Option<Vec<u8>>, hash: Option<Vec<u8>>) -> Result<Scrypt, UnusableHash> {
    let params = checked_params(n, parse_cost(r, MAX_R)?, parse_cost(p, MAX_WORK)?)?;
    let variant = Variant { params, salt: salt.ok_or(UnusableHash::Malformed)?, is_nfkc: false };
    Ok(Scrypt { variants: vec![variant], expected: check_key_length(hash)? })
}

pub(super) fn checked_params(n: u32, r: u32, p: u32) -> Result<Params, UnusableHash> {
    if n > MAX_N || r > MAX_R || n.saturating_mul(r).saturating_mul(p) > MAX_WORK {
        return Err(UnusableHash::TooExpensive);
    }
    if n < 2 || !n.is_power_of_two() {
        return Err(UnusableHash::Malformed);
    }
    let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| UnusableHash::Malformed)?;
    Params::new(log_n, r, p).map_err(|_| UnusableHash::Malformed)
}

/// The costs are not in the text. Better Auth and Lucia use `r` 16, Node's default is 8. Programs written after Node's
/// manual use the digits of the salt as the salt, or the bytes that they encode. Each is tried: together they cost a
/// quarter of the limit.
fn parse_node(text: &str) -> Option<Result<Scrypt, UnusableHash>> {
    let lucia = text.strip_prefix("s2:");
    let text = lucia.unwrap_or(text);
    let (salt, key) = text.split_once(':').or_else(|| text.split_once('.').map(|(key, salt)| (salt, key)))?;
    let key = hex::decode(key).ok().filter(|key| key.len() == NODE_KEY_LENGTH);
    let bytes = hex::decode(salt).ok().filter(|salt| NODE_SALT_LENGTHS.contains(&salt.len()));
    // Lucia's salt consists of letters and digits.
    let is_salt = bytes.is_some() || lucia.is_some() && salt.len() <= 64;
    let (Some(expected), true) = (key, is_salt) else {
        return lucia.map(|_| Err(UnusableHash::Malformed));
    };
    let variant = |r: u32, salt: Vec<u8>, is_nfkc: bool| {
        checked_params(16_384, r, 1).map(|params| Variant { params, salt, is_nfkc })
    };
    let own = [variant(16, salt.into(), true), variant(8, salt.into(), false)];
    let raw = bytes.filter(|_| lucia.is_none()).map(|bytes| variant(8, bytes, false));
    let variants: Result<_, _> = own.into_iter().chain(raw).collect();
    Some(variants.map(|variants| Scrypt { variants, expected }))
}

impl Scrypt {
    pub(super) fn matches(&self, password: &str) -> bool {
        if has_trailing_nul(password) {
            return false;
        }
        self.variants.iter().any(|variant| variant.matches(password, &self.expected))
    }
}

impl Variant {
    fn matches(&self, password: &str, expected: &[u8]) -> bool {
        let normalizer = self.is_nfkc.then(ComposingNormalizer::new_nfkc);
        let normalized = normalizer.map(|normalizer| normalizer.normalize(password).into_owned());
        let password = normalized.as_deref().unwrap_or(password);
        let mut output = vec![0; expected.len()];
        let computed = scrypt::scrypt(password.as_bytes(), &self.salt, &self.params, &mut output);
        computed.is_ok() && constant_time_eq(&output, expected)
    }
}
