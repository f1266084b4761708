//! CORS settings: origins whose pages may use the server from a browser.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::problem::{InvalidValue, invalid};
use super::reader::Reader;

/// Settings for browsers.
#[derive(Clone, Debug)]
pub struct Cors {
    /// Origins, besides the server's own, whose pages may read responses and use cookies.
    pub origins: Vec<Origin>,
    /// Headers that these pages may send besides those that the server reads, in lower case.
    pub allowed_headers: Vec<String>,
}

/// Scheme, host and port, exactly as browsers send them in `Origin` (RFC 6454 section 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Cors {
    pub(super) fn read(reader: &mut Reader) -> Option<Cors> {
        let origins = reader.read("cors.origins", |text| match text {
            "none" => Ok(Vec::new()),
            list => list.split(',').map(|origin| Origin::parse_entry(origin.trim())).collect(),
        });
        let allowed_headers = reader.read("cors.allowed_headers", parse_header_names);
        Some(Cors { origins: origins?, allowed_headers: allowed_headers? })
    }

    /// Whether pages of `origin` are allowed; compared byte by byte, without normalization.
    pub fn allows_origin(&self, origin: &[u8]) -> bool {
        self.origins.iter().any(|allowed| allowed.0.as_bytes() == origin)
    }
}

/// Maximum number of allowed headers.
const MAX_HEADERS: usize = 100;

/// `none`, or comma-separated header names.
fn parse_header_names(text: &str) -> Result<Vec<String>, InvalidValue> {
    let fix = "use comma-separated header names, like traceparent,sentry-trace; or none";
    if text == "none" {
        return Ok(Vec::new());
    }
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
    // RFC 9110 section 5.6.2; with credentials, `*` is not a wildcard (Fetch Standard section 3.2.3).
    let is_name = |name: &String| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    match names.len() <= MAX_HEADERS && names.iter().all(is_name) {
        true => Ok(names),
        false => Err(invalid("has an invalid header name, or too many names", fix)),
    }
}

/// Schemes of pages packaged with an application: the host identifies the application, and there is no port.
const APP_SCHEMES: [&str; 7] =
    ["app", "capacitor", "chrome-extension", "ionic", "moz-extension", "safari-web-extension", "tauri"];

/// Characters of an invalid entry that an error shows.
const MAX_SHOWN: usize = 100;

impl Origin {
    /// Parses one of several entries; the error names it.
    fn parse_entry(text: &str) -> Result<Origin, InvalidValue> {
        Self::parse(text).map_err(|refused| {
            let shown: String = text.chars().take(MAX_SHOWN).collect();
            InvalidValue { problem: format!("{}: {shown:?}", refused.problem), ..refused }
        })
    }

    fn parse(text: &str) -> Result<Origin, InvalidValue> {
        let wanted = "use origins as browsers send them, like https://app.example.com or http://localhost:5173, \
            or like capacitor://localhost for the pages of an application";
        match text {
            "*" => {
                let problem = "would let every page on the web act in the name of its viewer";
                return Err(invalid(problem, "name the origins of your own pages"));
            }
            "null" => {
                let problem = "is the origin of any sandboxed page";
                return Err(invalid(problem, "serve the page from its own origin, and name that"));
            }
            _ => {}
        }
        if text.contains("://") && text.ends_with('/') && !text.ends_with("//") {
            return Err(invalid("ends with a slash, which browsers do not send", "remove the slash"));
        }
        let (authority, default_port) = match text.split_once("://") {
            Some(("https", authority)) => (authority, "443"),
            Some(("http", authority)) => (authority, "80"),
            Some((scheme, host)) if APP_SCHEMES.contains(&scheme) && is_host(host) => {
                return Ok(Origin(text.to_owned()));
            }
            _ => return Err(invalid("has an origin without http:// or https://", wanted)),
        };
        let colon = authority.rfind(':').filter(|_| !authority.ends_with(']'));
        let (host, port) = colon.and_then(|colon| authority.split_at_checked(colon)).unwrap_or((authority, ""));
        if authority.bytes().any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii()) {
            return Err(invalid("has letters that browsers send in lower case or as xn--", wanted));
        }
        if !is_host(host) {
            return Err(invalid("is not scheme, host and optional port, or has an invalid host", wanted));
        }
        match port.strip_prefix(':') {
            None => {}
            Some(port) if port == default_port => {
                return Err(invalid("names the default port, which browsers omit", "remove :443 or :80"));
            }
            Some(port) if port.starts_with(['0', '+']) || port.parse::<u16>().is_err() => {
                return Err(invalid("has an invalid port", wanted));
            }
            Some(_) => {}
        }
        Ok(Origin(text.to_owned()))
    }
}

/// Whether browsers serialize a host like this (URL Standard, host serializing).
fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address);
    }
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let is_name = !host.is_empty() && host.split('.').all(|label| !label.is_empty() && label.bytes().all(is_letter));
    let ends_in_number = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    is_name && (!ends_in_number || host.parse::<Ipv4Addr>().is_ok())
}
