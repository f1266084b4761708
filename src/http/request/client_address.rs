//! The client's address: the peer, or the address that trusted proxies forward.

use std::net::IpAddr;

use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};

use crate::config::{ForwardedHeader, IpNetworks};

#[cfg(test)]
mod tests;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address. Each proxy appends the address that called it to `Forwarded` (RFC 7239) or `X-Forwarded-For`,
/// so the entries are read from the right. Trusted proxies are skipped, and the first other address is the client. The
/// client itself wrote everything further left.
///
/// A proxy writes one of the two headers and may pass the client's version of the other one. `header` selects the one
/// that counts; the other one is ignored.
pub(in crate::http) fn resolve(
    peer: IpAddr,
    headers: &HeaderMap,
    proxies: &IpNetworks,
    header: ForwardedHeader,
) -> IpAddr {
    let peer = peer.to_canonical();
    if !proxies.contains(peer) {
        return peer;
    }
    match header {
        ForwardedHeader::Forwarded => walk(peer, headers, &FORWARDED, split_elements, parse_forwarded_for, proxies),
        ForwardedHeader::XForwardedFor => {
            walk(peer, headers, &X_FORWARDED_FOR, |value| Some(value.split(',').collect()), parse_address, proxies)
        }
    }
}

/// The right-most hop that is not a trusted proxy. A malformed entry ends the search at the hop that wrote it.
fn walk(
    peer: IpAddr,
    headers: &HeaderMap,
    name: &HeaderName,
    entries: fn(&str) -> Option<Vec<&str>>,
    parse_node: fn(&str) -> Option<IpAddr>,
    proxies: &IpNetworks,
) -> IpAddr {
    let mut last_hop = peer;
    let values: Vec<_> = headers.get_all(name).iter().collect();
    for value in values.into_iter().rev() {
        let Some(entries) = value.to_str().ok().and_then(entries) else { return last_hop };
        for entry in entries.into_iter().rev() {
            let Some(hop) = parse_node(entry.trim_matches([' ', '\t'])) else { return last_hop };
            if !proxies.contains(hop) {
                return hop;
            }
            last_hop = hop;
        }
    }
    last_hop
}

/// The elements of a `Forwarded` value; `None` if a quoted string is unterminated, because the element boundaries are
/// then unknown.
fn split_elements(value: &str) -> Option<Vec<&str>> {
    split_unquoted(value, ',')
}

/// Splits at a character outside quoted strings (RFC 9110 section 5.6.4).
fn split_unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|character| {
        if is_escaped {
            is_escaped = false;
        } else if character == '"' {
            is_quoted = !is_quoted;
        } else if character == '\\' && is_quoted {
            is_escaped = true;
        } else {
            return character == separator && !is_quoted;
        }
        false
    });
    let parts = parts.collect();
    (!is_quoted).then_some(parts)
}

/// The address in the only `for` parameter of an element (RFC 7239 section 4). `unknown` and obfuscated identifiers
/// have none.
fn parse_forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in split_unquoted(element, ';')? {
        let (name, value) = pair.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("for") {
            if found.is_some() {
                return None;
            }
            let value = value.trim();
            found = Some(value.strip_prefix('"').map_or(Some(value), |rest| rest.strip_suffix('"'))?);
        }
    }
    // Addresses contain no characters that need escaping.
    parse_address(found?)
}

/// An address, with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn parse_address(text: &str) -> Option<IpAddr> {
    let parsed = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            IpAddr::V6(address.parse().ok().filter(|_| is_port)?)
        }
        None => match text.split_once(':') {
            Some((address, port)) if !port.contains(':') => IpAddr::V4(address.parse().ok().filter(|_| is_port(port))?),
            _ => text.parse().ok()?,
        },
    };
    Some(parsed.to_canonical())
}

/// A port number, or an obfuscated port (RFC 7239 section 6.3).
fn is_port(text: &str) -> bool {
    let is_hidden = |rest: &str| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    match text.strip_prefix('_') {
        Some(rest) => is_hidden(rest),
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}
