//! The context of a request: client address, user agent, cookies and site.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::auth_cookies::{AuthCookies, FetchSite};
use crate::error::{Error, Result};

/// Where a request came from; recorded with sessions and audit events.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The client address, if known.
    pub address: Option<IpAddr>,
    /// The `User-Agent`, truncated to the column's length.
    pub user_agent: Option<String>,
    /// The request id in logs and responses.
    pub request_id: String,
    /// The received cookies; empty on routes that ignore cookies.
    pub cookies: AuthCookies,
    /// The site that sent the request.
    pub fetch_site: FetchSite,
    /// Whether it arrived by plain HTTP on a loopback address, where cookies cannot be `Secure`.
    pub is_plain_loopback: bool,
    /// Whether the request has verified a password; shared by all of its operations.
    credential_check: Arc<AtomicBool>,
}

impl RequestContext {
    /// The context of a new request.
    pub fn new(address: Option<IpAddr>, user_agent: Option<String>, request_id: String) -> Self {
        let (cookies, fetch_site) = (AuthCookies::default(), FetchSite::Unknown);
        Self {
            address,
            user_agent,
            request_id,
            cookies,
            fetch_site,
            is_plain_loopback: false,
            credential_check: Arc::default(),
        }
    }

    /// The context of a command, which no request sent.
    pub(in crate::account) fn for_command_line() -> Self {
        Self::new(None, None, "command line".to_owned())
    }

    /// Rejects requests that the browser sent for an untrusted site. Programs, which state no site, pass.
    ///
    /// # Errors
    /// [`Error::CrossSite`].
    pub fn reject_untrusted_site(&self) -> Result<()> {
        if self.fetch_site == FetchSite::Cross { Err(Error::CrossSite) } else { Ok(()) }
    }

    /// Rejects requests that no trusted site is proven to have sent; so also those of programs.
    ///
    /// # Errors
    /// [`Error::CrossSite`].
    pub fn require_trusted_site(&self) -> Result<()> {
        if self.fetch_site.is_trusted() { Ok(()) } else { Err(Error::CrossSite) }
    }

    /// Takes the request's one credential check: aliases and batches cannot bypass the limits (promise A4).
    pub(in crate::account) fn take_credential_check(&self) -> Result<()> {
        if self.credential_check.swap(true, Ordering::Relaxed) {
            Err(Error::OneCredentialCheckPerRequest)
        } else {
            Ok(())
        }
    }
}
