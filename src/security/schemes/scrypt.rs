//! scrypt (RFC 7914) in the forms of Werkzeug, Django, passlib and programs that run on Node.

use icu_normalizer::ComposingNormalizer;
use scrypt::Params;

use super::{
    UnusableHash, check_key_length, constant_time_eq, decode_base64, decode_hex, has_trailing_nul, parse_cost,
};

/// The dearest `N` that is verified at all.
const MAX_N: u32 = 1 << 17;

/// The largest block that is verified at all, in units of 128 bytes: 256 MiB of memory at the dearest `N`.
const MAX_R: u32 = 16;

/// Most work of all, `N` × `r` × `p`: twice what OWASP recommends.
const MAX_WORK: u32 = 1 << 21;

/// Bytes of the key that Node's programs derive.
const NODE_KEY_LENGTH: usize = 64;

/// Bytes of salt, in hexadecimal digits, that they use.
const NODE_SALT_LENGTHS: std::ops::RangeInclusive<usize> = 8..=64;

/// A hash and what it was made with.
#[derive(Debug)]
pub struct Scrypt {
    /// What may have made it; the text does not always say.
    variants: Vec<Variant>,
    expected: Vec<u8>,
}

#[derive(Debug)]
struct Variant {
    params: Params,
    salt: Vec<u8>,
    /// The password was normalised to NFKC before.
    is_nfkc: bool,
}

/// Reads any of the forms, if the text is one:
/// - `scrypt:32768:8:1$<salt>$<hash>` of Werkzeug, the salt as it stands, the hash in hexadecimal digits;
/// - `scrypt$16384$<salt>$8$5$<hash>` of Django, the salt as it stands, the hash in base64;
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
    build(parse_cost(n, MAX_N)?, r, p, Some(salt.into()), decode_hex(hash))
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
    // No exponent is that high, and no N worth its name so low.
    let n = if exponent < u32::BITS { 1_u32.checked_shl(exponent).unwrap_or(u32::MAX) } else { exponent };
    if n > MAX_N { Err(UnusableHash::TooExpensive) } else { build(n, r, p, decode_base64(salt), decode_base64(hash)) }
}

/// What stands in `ln=…,r=…,p=…`.
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
    let reading = Variant { params, salt: salt.ok_or(UnusableHash::Malformed)?, is_nfkc: false };
    Ok(Scrypt { variants: vec![reading], expected: check_key_length(hash)? })
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

/// The costs are not written. Better Auth and Lucia have `r` 16, Node's own default is 8; its manual's readers use the
/// digits of the salt for the salt, or the bytes behind them. Each is tried: together they cost a quarter of the bound.
fn parse_node(text: &str) -> Option<Result<Scrypt, UnusableHash>> {
    let is_lucia = text.strip_prefix("s2:");
    let text = is_lucia.unwrap_or(text);
    let (salt, key) = text.split_once(':').or_else(|| text.split_once('.').map(|(key, salt)| (salt, key)))?;
    let key = decode_hex(key).filter(|key| key.len() == NODE_KEY_LENGTH);
    let bytes = decode_hex(salt).filter(|salt| NODE_SALT_LENGTHS.contains(&salt.len()));
    // Lucia's salt is of letters and digits.
    let is_salt = bytes.is_some() || is_lucia.is_some() && salt.len() <= 64;
    let (Some(expected), true) = (key, is_salt) else {
        return is_lucia.map(|_| Err(UnusableHash::Malformed));
    };
    let reading = |r: u32, salt: Vec<u8>, is_normalised: bool| {
        checked_params(16_384, r, 1).map(|params| Variant { params, salt, is_nfkc: is_normalised })
    };
    let own = [reading(16, salt.into(), true), reading(8, salt.into(), false)];
    let raw = bytes.filter(|_| is_lucia.is_none()).map(|bytes| reading(8, bytes, false));
    let readings: Result<_, _> = own.into_iter().chain(raw).collect();
    Some(readings.map(|readings| Scrypt { variants: readings, expected }))
}

impl Scrypt {
    pub(super) fn matches(&self, password: &str) -> bool {
        if has_trailing_nul(password) {
            return false;
        }
        self.variants.iter().any(|reading| reading.matches(password, &self.expected))
    }
}

impl Variant {
    fn matches(&self, password: &str, expected: &[u8]) -> bool {
        let normalizer = self.is_nfkc.then(ComposingNormalizer::new_nfkc);
        let normalised = normalizer.map(|normalizer| normalizer.normalize(password).into_owned());
        let password = normalised.as_deref().unwrap_or(password);
        let mut output = vec![0; expected.len()];
        let computed = scrypt::scrypt(password.as_bytes(), &self.salt, &self.params, &mut output);
        computed.is_ok() && constant_time_eq(&output, expected)
    }
}
