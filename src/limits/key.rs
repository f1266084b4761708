//! Keys of rate limits and of other counters in memory.

use std::net::{IpAddr, Ipv6Addr};

use aws_lc_rs::digest::{SHA256, digest};

/// The /64 network of an IPv6 address: the smallest that a site is given (RFC 6177).
pub fn client_network(address: Ipv6Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)
}

/// The key of a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RateLimitKey(u128);

impl RateLimitKey {
    /// A client address; IPv6 by its network, because one client can choose any address in it.
    pub fn address(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(address.to_ipv6_mapped().to_bits()),
            IpAddr::V6(address) => Self(client_network(address).to_bits()),
        }
    }

    /// A user, by row id.
    pub fn user(id: i64) -> Self {
        Self(u128::from(id.unsigned_abs()))
    }

    /// Anything else, by the digest of a text.
    pub fn text(text: &str) -> Self {
        let digest = digest(&SHA256, text.as_bytes());
        Self(u128::from_be_bytes(digest.as_ref().first_chunk::<16>().copied().unwrap_or_default()))
    }

    /// A hexadecimal digest of fixed length. It is no secret: addresses and row ids can be guessed.
    pub(super) fn hex_digest(self) -> String {
        let mut digits = hex::encode(digest(&SHA256, &self.0.to_be_bytes()));
        digits.truncate(32);
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A3
    #[test]
    fn ipv6_key_is_the_64_bit_prefix_and_mapped_ipv4_is_ipv4() {
        let key = |text: &str| RateLimitKey::address(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
