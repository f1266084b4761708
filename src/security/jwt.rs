//! Access and refresh tokens: JWTs of our own making, verified more strictly than the library does by itself.
//!
//! The library reads the system clock with a minute of leeway, asks for no claim, ignores `typ` and `crit` and takes
//! tokens of any size; here every one of these is decided (RFC 8725, RFC 9068).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Header, Validation};
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::keys::{ALGORITHM, Keys};
use crate::error::{Error, Result, TokenError};

/// Longer tokens are refused before anything is decoded.
pub const MAX_BYTES: usize = 4_096;

/// How far another clock may be ahead or behind.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(5);

/// The claims of an access token (RFC 9068 section 2.2), every one required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessClaims {
    /// Who issued it.
    pub iss: String,
    /// For whom it is meant.
    pub aud: String,
    /// The user's public id.
    pub sub: String,
    /// The session's public id.
    pub sid: String,
    /// The session's generation it belongs to.
    #[serde(rename = "gen")]
    pub generation: i32,
    /// Its name, made of session and generation, so that it can be revoked without having been stored.
    pub jti: String,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Good until, in seconds since 1970.
    pub exp: i64,
    /// The user's name at the time of issue.
    pub username: String,
    /// The user's roles at the time of issue; this server looks at the live ones.
    pub roles: Vec<String>,
}

/// The claims of a refresh token, every one required and every one taken from the session's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshClaims {
    /// Who issued it.
    pub iss: String,
    /// For whom it is meant: this server alone, by an audience of its kind.
    pub aud: String,
    /// The user's public id.
    pub sub: String,
    /// The session's public id.
    pub sid: String,
    /// The session's generation it belongs to.
    #[serde(rename = "gen")]
    pub generation: i32,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Good until, in seconds since 1970.
    pub exp: i64,
}

/// The claims of a token that lasts as long as its session would without a refresh, for older callers that know of no
/// refresh; every one required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionTokenClaims {
    /// Who issued it.
    pub iss: String,
    /// For whom it is meant: this server alone, because nobody else can tell when its session ends.
    pub aud: String,
    /// The user's public id.
    pub sub: String,
    /// The session's public id.
    pub sid: String,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Good until, in seconds since 1970.
    pub exp: i64,
}

/// The claims of a device token: the account that somebody has signed in to on a device, and the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceClaims {
    /// Who issued it.
    pub iss: String,
    /// For whom it is meant: this server alone, by an audience of its kind.
    pub aud: String,
    /// The user's public id.
    pub sub: String,
    /// The device: a UUID.
    pub dev: String,
    /// When the password was set, in milliseconds since 1970: with a new password the token is void. Tokens of earlier
    /// versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pwd: Option<i64>,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Good until, in seconds since 1970.
    pub exp: i64,
}

/// The claims of the list of what was revoked lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationClaims {
    /// Who issued it.
    pub iss: String,
    /// For whom it is meant: the audience of access tokens.
    pub aud: String,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Good until, in seconds since 1970.
    pub exp: i64,
    /// Sessions that were ended.
    pub sessions: Vec<String>,
    /// Access tokens that were taken back alone.
    pub tokens: Vec<String>,
    /// Users, with the second until which what was issued to them is not to be believed.
    pub users: BTreeMap<String, i64>,
    /// Sessions that live, with the lowest generation whose access tokens are valid.
    pub generations: BTreeMap<String, i32>,
}

/// A kind of token: its `typ` and what all kinds have in common.
pub trait Claims: Serialize + DeserializeOwned {
    /// The `typ` header that keeps one kind from being taken for another (RFC 8725 section 3.11).
    const TYPE: &'static str;
    /// Issuer and audience.
    fn issuer_and_audience(&self) -> (&str, &str);
    /// Issued at and good until, in seconds since 1970.
    fn issued_and_expires(&self) -> (i64, i64);
}

impl Claims for AccessClaims {
    const TYPE: &'static str = "at+jwt";
    fn issuer_and_audience(&self) -> (&str, &str) {
        (&self.iss, &self.aud)
    }
    fn issued_and_expires(&self) -> (i64, i64) {
        (self.iat, self.exp)
    }
}

impl Claims for RefreshClaims {
    const TYPE: &'static str = "rt+jwt";
    fn issuer_and_audience(&self) -> (&str, &str) {
        (&self.iss, &self.aud)
    }
    fn issued_and_expires(&self) -> (i64, i64) {
        (self.iat, self.exp)
    }
}

impl Claims for SessionTokenClaims {
    const TYPE: &'static str = "st+jwt";
    fn issuer_and_audience(&self) -> (&str, &str) {
        (&self.iss, &self.aud)
    }
    fn issued_and_expires(&self) -> (i64, i64) {
        (self.iat, self.exp)
    }
}

impl Claims for DeviceClaims {
    const TYPE: &'static str = "dt+jwt";
    fn issuer_and_audience(&self) -> (&str, &str) {
        (&self.iss, &self.aud)
    }
    fn issued_and_expires(&self) -> (i64, i64) {
        (self.iat, self.exp)
    }
}

impl Claims for RevocationClaims {
    const TYPE: &'static str = "revocations+jwt";
    fn issuer_and_audience(&self) -> (&str, &str) {
        (&self.iss, &self.aud)
    }
    fn issued_and_expires(&self) -> (i64, i64) {
        (self.iat, self.exp)
    }
}

/// A token whose signature and claims hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified<C> {
    /// It is good now.
    Valid(C),
    /// It was good; it still tells which session a logout means.
    Expired(C),
}

impl<C> Verified<C> {
    /// The same with `change` made to the claims.
    pub fn map<D>(self, change: impl FnOnce(C) -> D) -> Verified<D> {
        match self {
            Self::Valid(claims) => Verified::Valid(change(claims)),
            Self::Expired(claims) => Verified::Expired(change(claims)),
        }
    }
}

/// What a token must say to be taken.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// The audiences, one of which it is meant for.
    pub audiences: &'a [&'a str],
    /// The longest life a token may claim.
    pub max_lifetime: TimeDelta,
}

/// The protected header; any other member, `crit` and embedded keys among them, is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProtectedHeader {
    typ: String,
    alg: String,
    kid: String,
}

/// Signs `claims` with the active key.
///
/// # Errors
/// Internal ones only.
pub fn sign<C: Claims>(keys: &Keys, claims: &C) -> Result<SecretString> {
    let key = keys.active()?;
    let header = Header { typ: Some(C::TYPE.to_owned()), kid: Some(key.kid().to_owned()), ..Header::new(ALGORITHM) };
    // The library's own signing reads the private key anew each time, which takes as long as the signature.
    let mut token = format!("{}.{}", encode_segment(&header)?, encode_segment(claims)?);
    let signature = key.sign(token.as_bytes());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
    Ok(token.into())
}

/// One part of a token (RFC 7515 section 3.1).
fn encode_segment(content: &impl Serialize) -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(content).map_err(Error::internal)?))
}

/// Verifies a token of the kind `C` as of `now`.
///
/// # Errors
/// [`TokenFault::Malformed`] if it is no such token at all, [`TokenFault::Invalid`] if something in it does not hold.
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
    let (issued, expires) = claims.issued_and_expires();
    let latest = now + LEEWAY;
    // Saturating: a difference that wraps around would pass for a short life.
    let lifetime = expires.saturating_sub(issued);
    if issued > latest.timestamp() || lifetime <= 0 || lifetime > expected.max_lifetime.num_seconds() {
        return Err(TokenError::Invalid);
    }
    if has_expired(expires, now) {
        return Ok(Verified::Expired(claims));
    }
    Ok(Verified::Valid(claims))
}

fn has_expired(expires: i64, now: DateTime<Utc>) -> bool {
    expires.saturating_add(LEEWAY.num_seconds()) <= now.timestamp()
}

/// Whether a token that was verified before, and was good then, is good at `now` as far as its times go.
pub fn is_valid_at(now: DateTime<Utc>, (issued, expires): (i64, i64)) -> bool {
    issued <= (now + LEEWAY).timestamp() && !has_expired(expires, now)
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
