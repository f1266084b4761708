//! Promise A11: no client chooses its own address.

use axum::http::HeaderValue;
use proptest::prelude::*;

use super::*;

const PROXIES: &str = "10.0.0.0/8,fd00::/8";

/// Selects the header that is sent; `x-forwarded-for` if neither is.
fn at(peer: &str, headers: &[(&'static str, &str)]) -> String {
    let is_forwarded = headers.iter().any(|(name, _)| *name == "forwarded");
    at_by(if is_forwarded { ForwardedHeader::Forwarded } else { ForwardedHeader::XForwardedFor }, peer, headers)
}

fn at_by(header: ForwardedHeader, peer: &str, headers: &[(&'static str, &str)]) -> String {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    resolve(peer.parse().unwrap(), &map, &PROXIES.parse().unwrap(), header).to_string()
}

#[test]
fn only_trusted_proxies_are_believed() {
    for headers in
        [[("x-forwarded-for", "198.51.100.1")], [("forwarded", "for=198.51.100.1")], [("x-real-ip", "198.51.100.1")]]
    {
        assert_eq!(at("192.0.2.1", &headers), "192.0.2.1");
    }
    assert_eq!(at("10.0.0.1", &[]), "10.0.0.1");
    assert_eq!(at("10.0.0.1", &[("x-real-ip", "198.51.100.1")]), "10.0.0.1");
    assert_eq!(at("::ffff:10.0.0.1", &[("x-forwarded-for", "198.51.100.1")]), "198.51.100.1");
    assert_eq!(at("::ffff:192.0.2.1", &[("x-forwarded-for", "198.51.100.1")]), "192.0.2.1");
}

#[test]
fn x_forwarded_for_is_read_from_the_right() {
    for (value, expected) in [
        ("198.51.100.1", "198.51.100.1"),
        ("203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1,10.0.0.9,198.51.100.1", "198.51.100.1"),
        ("203.0.113.9, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("203.0.113.9, 198.51.100.1 ,\t10.0.0.3, 10.0.0.2", "198.51.100.1"),
        ("198.51.100.1:4711", "198.51.100.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        // All hops are trusted: the left-most one counts.
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        // A malformed entry ends the search.
        ("", "10.0.0.1"),
        ("unknown", "10.0.0.1"),
        ("198.51.100.1, unknown", "10.0.0.1"),
        ("198.51.100.1, , 10.0.0.2", "10.0.0.2"),
        ("198.51.100.1, _hidden, 10.0.0.2", "10.0.0.2"),
        ("198.51.100.1, localhost", "10.0.0.1"),
        ("198.51.100.1, 198.51.100.256", "10.0.0.1"),
        ("198.51.100.1, 0x7f.1", "10.0.0.1"),
        ("198.51.100.1, 198.51.100.1:", "10.0.0.1"),
        ("198.51.100.1, 198.51.100.1:x", "10.0.0.1"),
        ("198.51.100.1, 198.51.100.1:123456", "10.0.0.1"),
        ("198.51.100.1, [2001:db8::1", "10.0.0.1"),
        ("198.51.100.1, [2001:db8::1]x", "10.0.0.1"),
        ("198.51.100.1, [198.51.100.1]", "10.0.0.1"),
        ("198.51.100.1, fe80::1%eth0", "10.0.0.1"),
        ("198.51.100.1, \"203.0.113.9\"", "10.0.0.1"),
        ("198.51.100.1, ü", "10.0.0.1"),
    ] {
        assert_eq!(at("10.0.0.1", &[("x-forwarded-for", value)]), expected, "{value:?}");
    }
}

#[test]
fn forwarded_is_read_from_the_right() {
    for (value, expected) in [
        ("for=198.51.100.1", "198.51.100.1"),
        ("For=198.51.100.1;proto=https;by=203.0.113.43", "198.51.100.1"),
        ("proto=https; for=\"198.51.100.1:4711\"", "198.51.100.1"),
        ("for=\"[2001:db8::1]:4711\"", "2001:db8::1"),
        ("for=\"[2001:db8::1]:_port\"", "2001:db8::1"),
        ("for=203.0.113.9, for=198.51.100.1", "198.51.100.1"),
        ("for=203.0.113.9, for=198.51.100.1;host=\"a,b;for=1.2.3.4\", for=10.0.0.2", "198.51.100.1"),
        ("for=198.51.100.1;host=\"a\\\", for=203.0.113.9\"", "198.51.100.1"),
        ("for=10.0.0.3,for=\"[fd00::2]\"", "10.0.0.3"),
        // A malformed entry ends the search.
        ("for=198.51.100.1, for=unknown", "10.0.0.1"),
        ("for=198.51.100.1, for=_secret", "10.0.0.1"),
        ("for=198.51.100.1, for=_secret, for=10.0.0.2", "10.0.0.2"),
        ("for=198.51.100.1, proto=https", "10.0.0.1"),
        ("for=198.51.100.1, for=203.0.113.9;for=203.0.113.8", "10.0.0.1"),
        ("for=198.51.100.1, for=\"203.0.113.9", "10.0.0.1"),
        ("for=198.51.100.1, for", "10.0.0.1"),
        ("198.51.100.1", "10.0.0.1"),
        ("", "10.0.0.1"),
    ] {
        assert_eq!(at("10.0.0.1", &[("forwarded", value)]), expected, "{value:?}");
    }
}

#[test]
fn repeated_headers_form_one_list() {
    let name = "x-forwarded-for";
    assert_eq!(at("10.0.0.1", &[(name, "203.0.113.9"), (name, "198.51.100.1, 10.0.0.2")]), "198.51.100.1");
    assert_eq!(at("10.0.0.1", &[(name, "198.51.100.1"), (name, "10.0.0.3, 10.0.0.2")]), "198.51.100.1");
    assert_eq!(at("10.0.0.1", &[(name, "198.51.100.1"), (name, "unknown-host")]), "10.0.0.1");
    let name = "forwarded";
    assert_eq!(at("10.0.0.1", &[(name, "for=203.0.113.9"), (name, "for=198.51.100.1")]), "198.51.100.1");
    // A quoted string does not extend into the next header.
    assert_eq!(at("10.0.0.1", &[(name, "for=203.0.113.9;x=\""), (name, "for=10.0.0.2;x=\"\"")]), "10.0.0.2");
}

#[test]
fn the_header_that_the_proxy_does_not_write_is_ignored() {
    use ForwardedHeader::{Forwarded, XForwardedFor};
    let both =
        |header, forwarded, legacy| at_by(header, "10.0.0.1", &[("forwarded", forwarded), ("x-forwarded-for", legacy)]);
    for own in ["for=203.0.113.9", "for=10.0.0.7", "for=unknown", "", "for=198.51.100.1"] {
        assert_eq!(both(XForwardedFor, own, "198.51.100.1"), "198.51.100.1", "{own}");
    }
    for own in ["203.0.113.9", "10.0.0.7", "unknown", "", "198.51.100.1"] {
        assert_eq!(both(Forwarded, "for=198.51.100.1", own), "198.51.100.1", "{own}");
    }
    assert_eq!(at_by(XForwardedFor, "10.0.0.1", &[("forwarded", "for=203.0.113.9")]), "10.0.0.1");
    assert_eq!(at_by(Forwarded, "10.0.0.1", &[("x-forwarded-for", "203.0.113.9")]), "10.0.0.1");
}

#[test]
fn spoofed_entries_are_ignored() {
    let spoofed = (0..1_000).map(|number| format!("10.{}.{}.1", number / 250, number % 250));
    let chain = spoofed.chain(["198.51.100.1".to_owned(), "10.0.0.2".to_owned()]).collect::<Vec<_>>().join(", ");
    assert_eq!(at("10.0.0.1", &[("x-forwarded-for", &chain)]), "198.51.100.1");
    let headers: Vec<_> = chain.split(", ").map(|value| ("x-forwarded-for", value)).collect();
    assert_eq!(at("10.0.0.1", &headers), "198.51.100.1");
}

proptest! {
    /// The entries that proxies append decide, whatever the client writes.
    #[test]
    fn what_stands_left_never_matters(spoofed in "[ -~]{0,60}") {
        prop_assert_eq!(at("10.0.0.1", &[("x-forwarded-for", &format!("{spoofed},198.51.100.1, 10.0.0.2"))]), "198.51.100.1");
        let headers = [("forwarded", spoofed.as_str()), ("forwarded", "for=198.51.100.1, for=10.0.0.2")];
        prop_assert_eq!(at("10.0.0.1", &headers), "198.51.100.1");
    }
}
