//! Authentication cookies that a request sent, and whether they count.

use entity::session::Transport;
use secrecy::SecretString;

use crate::error::{Error, Result};

/// The site that sent a request, as reported by the browser. Programs and old browsers report nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FetchSite {
    /// A trusted origin on the server's own site.
    Same,
    /// A trusted origin on another site: its browser drops every cookie that the server sets.
    TrustedCross,
    /// No page, or not reported.
    #[default]
    Unknown,
    /// An untrusted origin.
    Cross,
}

/// The session cookies of a request. Browsers attach cookies to requests from any page, so they count only for trusted
/// origins (OWASP CSRF Prevention Cheat Sheet).
#[derive(Debug, Clone, Default)]
pub struct AuthCookies {
    /// The site that sent the request.
    fetch_site: FetchSite,
    /// Whether the request has authentication cookies, valid or not.
    is_present: bool,
    refresh_token: Option<SecretString>,
}

impl FetchSite {
    /// Whether received cookies count.
    pub fn is_trusted(self) -> bool {
        matches!(self, Self::Same | Self::TrustedCross)
    }

    /// Refuses to set cookies for an untrusted site, or for one whose browser would drop them.
    ///
    /// # Errors
    /// [`Error::CrossSite`], [`Error::ThirdPartyCookies`].
    pub fn require_settable_cookies(self) -> Result<()> {
        match self {
            Self::Same => Ok(()),
            Self::TrustedCross => Err(Error::ThirdPartyCookies),
            Self::Unknown | Self::Cross => Err(Error::CrossSite),
        }
    }
}

impl AuthCookies {
    /// The cookies of a request: its site, whether there are any, and the refresh token among them.
    pub fn new(fetch_site: FetchSite, is_present: bool, refresh_token: Option<SecretString>) -> Self {
        Self { fetch_site, is_present, refresh_token }
    }

    /// Refuses a transport whose cookies the response must or could not set: the site is untrusted, or its browser
    /// would drop them.
    ///
    /// # Errors
    /// As [`FetchSite::require_settable_cookies`].
    pub(in crate::account) fn require_settable(&self, transport: Transport) -> Result<()> {
        if transport == Transport::Body { Ok(()) } else { self.fetch_site.require_settable_cookies() }
    }

    /// Refuses cookies that do not count, because an untrusted site sent them.
    ///
    /// # Errors
    /// [`Error::CrossSite`].
    pub(in crate::account) fn reject_unusable(&self) -> Result<()> {
        if self.fetch_site.is_trusted() || !self.is_present { Ok(()) } else { Err(Error::CrossSite) }
    }

    /// Whether there are cookies, from a trusted site.
    pub(in crate::account) fn is_usable(&self) -> bool {
        self.fetch_site.is_trusted() && self.is_present
    }

    /// The refresh token, if cookies count.
    pub(in crate::account) fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_ref().filter(|_| self.fetch_site.is_trusted())
    }
}
