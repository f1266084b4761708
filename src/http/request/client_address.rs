//! Where a request came from: the peer, or what trusted proxies say about it.

use std::net::IpAddr;

use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};

use crate::config::{ForwardedHeader, TrustedProxies};

#[cfg(test)]
mod tests;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address. Each proxy adds the address it was called from to the end of `Forwarded` (RFC 7239) or
/// `X-Forwarded-For`, so the entries are walked from the right: a trusted proxy's own address is passed over, the
/// first other one is the client, and whatever stands left of it was written by the client itself.
///
/// A proxy writes one of the two headers and may let the client's own version of the other one pass: the settings say
/// which one counts, and the other one is ignored.
pub(in crate::http) fn resolve(
    peer: IpAddr,
    headers: &HeaderMap,
    proxies: &TrustedProxies,
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

/// The right-most hop that is no trusted proxy. An entry that cannot be read ends the walk at the hop that wrote it.
fn walk(
    peer: IpAddr,
    headers: &HeaderMap,
    name: &HeaderName,
    entries: fn(&str) -> Option<Vec<&str>>,
    parse_node: fn(&str) -> Option<IpAddr>,
    proxies: &TrustedProxies,
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

/// The elements of a `Forwarded` value; `None` if a quotation has no end, because then nobody knows where they part.
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

/// The address in the one `for` of an element (RFC 7239 section 4). `unknown` and hidden names have none.
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
    // An address holds nothing that would have to be escaped.
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

/// A port, or a hidden one (RFC 7239 section 6.3).
fn is_port(text: &str) -> bool {
    let is_hidden = |rest: &str| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    match text.strip_prefix('_') {
        Some(rest) => is_hidden(rest),
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}
