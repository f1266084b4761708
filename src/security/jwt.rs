//! Access and refresh tokens: JWTs, verified more strictly than the library does.
//!
//! The library reads the system clock with a minute of leeway, requires no claim, ignores `typ` and `crit` and accepts
//! tokens of any size; this module checks all of these (RFC 8725, RFC 9068).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Header, Validation};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::keys::{ALGORITHM, Keys};
use crate::error::{Error, Result, TokenError};

mod claims;

pub use claims::{AccessClaims, Claims, DeviceClaims, RefreshClaims, RevocationClaims, SessionTokenClaims, Validity};

/// Maximum size in bytes; longer tokens are rejected before decoding.
pub const MAX_BYTES: usize = 4_096;

/// Tolerated difference to another clock.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(5);

/// A token whose signature and claims are valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified<C> {
    /// It has not expired.
    Valid(C),
    /// It has expired; it still identifies the session for a logout.
    Expired(C),
}

impl<C> Verified<C> {
    /// Applies `change` to the claims.
    pub fn map<D>(self, change: impl FnOnce(C) -> D) -> Verified<D> {
        match self {
            Self::Valid(claims) => Verified::Valid(change(claims)),
            Self::Expired(claims) => Verified::Expired(change(claims)),
        }
    }
}

/// What a token must contain to be accepted.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// The accepted audiences.
    pub audiences: &'a [&'a str],
    /// The longest accepted lifetime.
    pub max_lifetime: TimeDelta,
}

/// The protected header; any other member, such as `crit` or an embedded key, is rejected.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProtectedHeader {
    typ: String,
    alg: String,
    kid: String,
}

/// Signs `claims` with the active key.
pub fn sign<C: Claims>(keys: &Keys, claims: &C) -> Result<SecretString> {
    let key = keys.active()?;
    let header = Header { typ: Some(C::TYPE.to_owned()), kid: Some(key.kid().to_owned()), ..Header::new(ALGORITHM) };
    // The library's own signing parses the private key for each token, which takes as long as the signature.
    let mut token = format!("{}.{}", encode_segment(&header)?, encode_segment(claims)?);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
    Ok(token.into())
}

/// Encodes one segment of a token (RFC 7515 section 3.1).
fn encode_segment(content: &impl Serialize) -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(content).map_err(Error::internal)?))
}

/// Verifies a token of type `C` at `now`.
///
/// # Errors
/// [`TokenError::Malformed`] if the text is no JWT, [`TokenError::Invalid`] if its header, signature or a claim is
/// invalid.
pub fn verify<C: Claims>(
    keys: &Keys,
    expected: Expected<'_>,
    token: &str,
    now: DateTime<Utc>,
) -> std::result::Result<Verified<C>, TokenError> {
    let header = protected_header(token)?;
    let key = keys.find(&header.kid).ok_or(TokenError::Invalid)?;
    if header.alg != "EdDSA" || header.typ != C::TYPE {
        return Err(TokenError::Invalid);
    }
    let mut signature_only = Validation::new(ALGORITHM);
    signature_only.required_spec_claims.clear();
    signature_only.validate_exp = false;
    signature_only.validate_aud = false;
    let claims =
        jsonwebtoken::decode::<C>(token, key.decoding_key(), &signature_only).map_err(|_| TokenError::Invalid)?.claims;
    let (issuer, audience) = claims.issuer_and_audience();
    if issuer != expected.issuer || !expected.audiences.contains(&audience) {
        return Err(TokenError::Invalid);
    }
    let Validity { issued_at, expires_at } = claims.validity();
    let latest = now + LEEWAY;
    // Saturating: a difference that wraps around would pass for a short lifetime.
    let lifetime = expires_at.saturating_sub(issued_at);
    if issued_at > latest.timestamp() || lifetime <= 0 || lifetime > expected.max_lifetime.num_seconds() {
        return Err(TokenError::Invalid);
    }
    if has_expired(expires_at, now) {
        return Ok(Verified::Expired(claims));
    }
    Ok(Verified::Valid(claims))
}

fn has_expired(expires: i64, now: DateTime<Utc>) -> bool {
    expires.saturating_add(LEEWAY.num_seconds()) <= now.timestamp()
}

/// Whether a token that was valid when it was verified is still valid at `now`, by its issue time and expiry.
pub fn is_valid_at(now: DateTime<Utc>, validity: Validity) -> bool {
    validity.issued_at <= (now + LEEWAY).timestamp() && !has_expired(validity.expires_at, now)
}

fn protected_header(token: &str) -> std::result::Result<ProtectedHeader, TokenError> {
    if token.len() > MAX_BYTES {
        return Err(TokenError::Malformed);
    }
    let mut segments = token.split('.');
    let (Some(header), Some(_), Some(_), None) = (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return Err(TokenError::Malformed);
    };
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| TokenError::Invalid)?;
    serde_json::from_slice(&header).map_err(|_| TokenError::Invalid)
}
