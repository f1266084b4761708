//! scrypt (RFC 7914) in the form of Werkzeug: `scrypt:32768:8:1$<salt>$<hash>`, the salt as it stands, the hash in
//! hexadecimal digits.

use scrypt::Params;

use super::{Unusable, cost, derived, ends_invisibly, equal, hex};

/// The dearest `N` that is verified at all.
const MAX_N: u32 = 1 << 17;

/// The largest block that is verified at all, in units of 128 bytes: 256 MiB of memory at the dearest `N`.
const MAX_R: u32 = 16;

/// Most work of all, `N` × `r` × `p`: twice what OWASP recommends.
const MAX_WORK: u32 = 1 << 21;

/// A hash and what it was made with.
#[derive(Debug)]
pub struct Scrypt {
    params: Params,
    salt: Vec<u8>,
    expected: Vec<u8>,
}

/// Reads what stands behind `scrypt:`.
pub(super) fn parse(text: &str) -> Result<Scrypt, Unusable> {
    let parts: Vec<&str> = text.split('$').collect();
    let [costs, salt, hash] = parts[..] else { return Err(Unusable::Malformed) };
    let costs: Vec<&str> = costs.split(':').collect();
    let [n, r, p] = costs[..] else { return Err(Unusable::Malformed) };
    let (n, r, p) = (cost(n, MAX_N)?, cost(r, MAX_R)?, cost(p, MAX_WORK)?);
    if n.saturating_mul(r).saturating_mul(p) > MAX_WORK {
        return Err(Unusable::TooDear);
    }
    if n < 2 || !n.is_power_of_two() {
        return Err(Unusable::Malformed);
    }
    let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| Unusable::Malformed)?;
    let params = Params::new(log_n, r, p).map_err(|_| Unusable::Malformed)?;
    Ok(Scrypt { params, salt: salt.into(), expected: derived(hex(hash))? })
}

impl Scrypt {
    pub(super) fn matches(&self, password: &str) -> bool {
        if ends_invisibly(password) {
            return false;
        }
        let mut output = vec![0; self.expected.len()];
        let computed = scrypt::scrypt(password.as_bytes(), &self.salt, &self.params, &mut output);
        computed.is_ok() && equal(&output, &self.expected)
    }
}
