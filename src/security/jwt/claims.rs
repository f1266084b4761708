//! The types of tokens and their claims.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The claims of an access token (RFC 9068 section 2.2), all required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessClaims {
    /// The issuer.
    pub iss: String,
    /// The audience.
    pub aud: String,
    /// The user's public id.
    pub sub: String,
    /// The session's public id.
    pub sid: String,
    /// The session's generation.
    #[serde(rename = "gen")]
    pub generation: i32,
    /// The token id, derived from session and generation, so that it can be revoked without having been stored.
    pub jti: String,
    /// Issue time, in seconds since 1970.
    pub iat: i64,
    /// Expiry, in seconds since 1970.
    pub exp: i64,
    /// The user's name at the time of issue.
    pub username: String,
    /// The user's roles at the time of issue; this server checks the current ones instead.
    pub roles: Vec<String>,
}

/// The claims of a refresh token, all required and all taken from the session's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefreshClaims {
    /// The issuer.
    pub iss: String,
    /// The audience: this server alone, by an audience of the token's type.
    pub aud: String,
    /// The user's public id.
    pub sub: String,
    /// The session's public id.
    pub sid: String,
    /// The session's generation.
    #[serde(rename = "gen")]
    pub generation: i32,
    /// Issue time, in seconds since 1970.
    pub iat: i64,
    /// Expiry, in seconds since 1970.
    pub exp: i64,
}

/// The claims of a session token, which lives as long as its session would without a refresh, for legacy callers
/// without refresh; all required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionTokenClaims {
    /// The issuer.
    pub iss: String,
    /// The audience: this server alone, because no other verifier knows when the session ends.
    pub aud: String,
    /// The user's public id.
    pub sub: String,
    /// The session's public id.
    pub sid: String,
    /// Issue time, in seconds since 1970.
    pub iat: i64,
    /// Expiry, in seconds since 1970.
    pub exp: i64,
}

/// The claims of a device token: a device, and the account that has logged in on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceClaims {
    /// The issuer.
    pub iss: String,
    /// The audience: this server alone, by an audience of the token's type.
    pub aud: String,
    /// The user's public id.
    pub sub: String,
    /// The device id, a UUID.
    pub dev: String,
    /// When the password was set, in milliseconds since 1970: a new password invalidates the token. Tokens of earlier
    /// versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pwd: Option<i64>,
    /// Issue time, in seconds since 1970.
    pub iat: i64,
    /// Expiry, in seconds since 1970.
    pub exp: i64,
}

/// The claims of the revocation list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationClaims {
    /// The issuer.
    pub iss: String,
    /// The audience: that of access tokens.
    pub aud: String,
    /// Issue time, in seconds since 1970.
    pub iat: i64,
    /// Expiry, in seconds since 1970.
    pub exp: i64,
    /// Ended sessions.
    pub sessions: Vec<String>,
    /// Individually revoked access tokens.
    pub tokens: Vec<String>,
    /// Users, and the second until which tokens issued to them are revoked.
    pub users: BTreeMap<String, i64>,
    /// Active sessions, and the lowest generation whose access tokens are valid.
    pub generations: BTreeMap<String, i32>,
}

/// A type of token: its `typ` and the claims that all types share.
pub trait Claims: Serialize + DeserializeOwned {
    /// The `typ` header, which distinguishes token types (RFC 8725 section 3.11).
    const TYPE: &'static str;
    /// Issuer and audience.
    fn issuer_and_audience(&self) -> (&str, &str);
    /// Issue time and expiry.
    fn validity(&self) -> Validity;
}

/// When a token was issued and when it expires, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The claim `iat`.
    pub issued_at: i64,
    /// The claim `exp`.
    pub expires_at: i64,
}

impl Claims for AccessClaims {
    const TYPE: &'static str = "at+jwt";
    fn issuer_and_audience(&self) -> (&str, &str) {
        (&self.iss, &self.aud)
    }
    fn validity(&self) -> Validity {
        Validity { issued_at: self.iat, expires_at: self.exp }
    }
}

impl Claims for RefreshClaims {
    const TYPE: &'static str = "rt+jwt";
    fn issuer_and_audience(&self) -> (&str, &str) {
        (&self.iss, &self.aud)
    }
    fn validity(&self) -> Validity {
        Validity { issued_at: self.iat, expires_at: self.exp }
    }
}

impl Claims for SessionTokenClaims {
    const TYPE: &'static str = "st+jwt";
    fn issuer_and_audience(&self) -> (&str, &str) {
        (&self.iss, &self.aud)
    }
    fn validity(&self) -> Validity {
        Validity { issued_at: self.iat, expires_at: self.exp }
    }
}

impl Claims for DeviceClaims {
    const TYPE: &'static str = "dt+jwt";
    fn issuer_and_audience(&self) -> (&str, &str) {
        (&self.iss, &self.aud)
    }
    fn validity(&self) -> Validity {
        Validity { issued_at: self.iat, expires_at: self.exp }
    }
}

impl Claims for RevocationClaims {
    const TYPE: &'static str = "revocations+jwt";
    fn issuer_and_audience(&self) -> (&str, &str) {
        (&self.iss, &self.aud)
    }
    fn validity(&self) -> Validity {
        Validity { issued_at: self.iat, expires_at: self.exp }
    }
}
