//! Classifies a request by the site of the page that sent it (Fetch Metadata, `Origin`).

use std::net::{IpAddr, Ipv6Addr};

use axum::http::header::{AsHeaderName, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::account::caller::auth_cookies::FetchSite;
use crate::config::Cors;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// The headers and the target that identify the sending page and the server.
pub(in crate::http) struct RequestOrigin<'a> {
    headers: &'a HeaderMap,
    /// Host and port as the client sent them.
    authority: &'a str,
}

impl<'a> RequestOrigin<'a> {
    /// Reads the authority from the target, else from `Host`.
    pub fn new(uri: &'a Uri, headers: &'a HeaderMap) -> Self {
        let host = || single_value(headers, HOST).and_then(|host| host.to_str().ok());
        Self {
            headers,
            authority: uri.authority().map(|authority| authority.as_str()).or_else(host).unwrap_or_default(),
        }
    }

    /// Whether a trusted page sent the request: one of the server's own origin or of an allowed one. Scripts cannot set
    /// the two headers that state it. A program that sets them itself only sends its own cookies; programs usually send
    /// neither.
    pub fn is_trusted(&self, cors: &Cors) -> bool {
        let site = single_value(self.headers, SEC_FETCH_SITE);
        let origin = single_value(self.headers, ORIGIN).map(HeaderValue::as_bytes);
        site.is_some_and(|site| site == "same-origin")
            || origin.is_some_and(|origin| cors.allows_origin(origin) || self.is_own_origin(origin))
    }

    /// The site of the sending page. An address typed into the browser has no page.
    pub fn fetch_site(&self, cors: &Cors) -> FetchSite {
        let has_no_origin = !self.headers.contains_key(ORIGIN)
            && self.headers.get_all(SEC_FETCH_SITE).iter().all(|site| site == "none");
        match self.is_trusted(cors) {
            true if self.is_cross_site() => FetchSite::TrustedCross,
            true => FetchSite::Same,
            false if has_no_origin => FetchSite::Unknown,
            false => FetchSite::Cross,
        }
    }

    /// Whether the page belongs to another site than the server (RFC 6265bis section 5.2): the browser does not store
    /// `SameSite=Lax` cookies from responses to such a page. Browsers state it in `Sec-Fetch-Site`; for older ones the
    /// host names decide.
    fn is_cross_site(&self) -> bool {
        if let Some(site) = single_value(self.headers, SEC_FETCH_SITE) {
            return site == "cross-site";
        }
        let origin = single_value(self.headers, ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
        let Some(page) = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")) else {
            // Pages of native applications, whose own code may send requests and store cookies.
            return false;
        };
        let (page, server) = (host(page), host(self.authority));
        // A proxy may have replaced `Host` by an internal name of the server.
        let is_renamed = !is_loopback(&page) && (is_loopback(&server) || !server.contains('.') || is_address(&server));
        !is_renamed && !is_same_site(&page, &server)
    }

    /// Whether `origin` is the server's own: https at the requested authority, because cookies elsewhere are `Secure`;
    /// on a loopback host http, too.
    fn is_own_origin(&self, origin: &[u8]) -> bool {
        let Ok(origin) = std::str::from_utf8(origin) else { return false };
        let (authority, default_port) = match origin.split_once("://") {
            Some(("https", authority)) => (authority, ":443"),
            Some(("http", authority)) if is_loopback(authority) => (authority, ":80"),
            _ => return false,
        };
        let own_authority = self.authority.strip_suffix(default_port).unwrap_or(self.authority);
        !authority.is_empty() && own_authority.eq_ignore_ascii_case(authority)
    }

    /// Whether the browser uses plain http on a loopback host, where cookies have neither `Secure` nor the prefix. A
    /// proxy may have replaced `Host`, so any sign of https from it or the browser takes precedence; forging one only
    /// makes the cookies safer.
    pub fn is_plain_loopback(&self) -> bool {
        let contains = |name: HeaderName, text: &str| {
            let values = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            values.into_iter().any(|value| value.to_ascii_lowercase().contains(text))
        };
        let is_remote_page = single_value(self.headers, ORIGIN).is_some_and(|origin| {
            !origin.to_str().ok().and_then(|origin| origin.strip_prefix("http://")).is_some_and(is_loopback)
        });
        is_loopback(self.authority)
            && !is_remote_page
            && !contains(X_FORWARDED_PROTO, "https")
            && !contains(FORWARDED, "proto=https")
            && !contains(FORWARDED, "proto=\"https")
    }
}

/// The header's value, if there is exactly one.
fn single_value(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

/// The host without its port, in lower case.
fn host(authority: &str) -> String {
    let port = authority.rfind(':').filter(|_| !authority.ends_with(']'));
    port.and_then(|colon| authority.get(..colon)).unwrap_or(authority).to_ascii_lowercase()
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<IpAddr>().is_ok()
}

/// Whether the hosts may belong to one site. Without the public suffix list, two names with the same last two labels
/// may.
fn is_same_site(left: &str, right: &str) -> bool {
    let last_labels = |host: &str| host.rsplit('.').take(2).map(str::to_owned).collect::<Vec<_>>();
    left == right
        || (!is_address(left) && !is_address(right) && left.contains('.') && last_labels(left) == last_labels(right))
}

/// Whether browsers treat a host, with or without a port, as loopback (Secure Contexts section 3.1).
fn is_loopback(authority: &str) -> bool {
    let host = host(authority);
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
