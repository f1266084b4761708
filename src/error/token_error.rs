//! Reasons why an access token is rejected.

/// Why an access token was rejected; with `SESSION_ENDED`, refreshing does not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Default, sea_orm::EnumIter))]
pub enum TokenError {
    /// No token.
    #[cfg_attr(test, default)]
    Missing,
    /// Not in the form of a token.
    Malformed,
    /// The signature or a claim is invalid.
    Invalid,
    /// Expired: refresh.
    Expired,
    /// Superseded by a later token: refresh.
    Replaced,
    /// The session ended, or the user is disabled or deleted: sign in.
    SessionEnded,
}

impl TokenError {
    /// The value of `extensions.reason`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Malformed | Self::Invalid => "TOKEN_INVALID",
            // Clients treat both alike: the session is active, and refreshing helps.
            Self::Expired | Self::Replaced => "TOKEN_EXPIRED",
            Self::SessionEnded => "SESSION_ENDED",
        }
    }

    /// The value of `WWW-Authenticate`; without an error code if no token was sent (RFC 6750 section 3.1).
    pub fn bearer_challenge(self) -> &'static str {
        if self == Self::Missing { "Bearer" } else { "Bearer error=\"invalid_token\"" }
    }

    pub(super) fn explanation(self) -> &'static str {
        match self {
            Self::Missing => "sign in first: no access token was sent",
            Self::Malformed => "the access token is not valid: the Authorization header is not `Bearer` and a token",
            Self::Invalid => "the access token is not valid",
            Self::Expired => "the access token has expired: refresh it",
            Self::Replaced => "the access token was replaced: refresh it",
            Self::SessionEnded => "the session has ended: sign in again",
        }
    }
}
