//! How the HTTP server treats connections, and which proxies it believes.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use super::reader::Reader;
use super::{InvalidValue, invalid};

/// The HTTP server itself.
#[derive(Clone, Debug)]
pub struct Server {
    /// How long requests in flight may go on after SIGTERM.
    pub drain_timeout: Duration,
    /// Most connections at a time.
    pub max_connections: usize,
    /// Most connections at a time from one address that is no trusted proxy.
    pub max_connections_per_address: usize,
    /// Whose word about a request's origin is taken.
    pub trusted_proxies: TrustedProxies,
    /// The header in which they write it.
    pub forwarded_header: ForwardedHeader,
    /// How long a client may take for each part of an exchange.
    pub timeouts: Timeouts,
    /// Bytes that the embedded database's disk has to have left for the server to be ready; no setting.
    pub min_free_bytes: u64,
}

/// More than the largest transaction writes.
const MIN_FREE_BYTES: u64 = 8 * 1024 * 1024;

/// How long a client may take. These are no settings: nobody's installation needs others, and tests need short ones.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From a request's first byte, or a connection's begin, to the end of its header.
    pub head: Duration,
    /// From the end of the header to the end of the body.
    pub body: Duration,
    /// From the end of the header to the answer.
    pub request: Duration,
    /// From an answer to the next request.
    pub idle: Duration,
    /// From the moment the client's window is full to the moment it has taken everything.
    pub write: Duration,
    /// From the begin of a WebSocket to its `connection_init`.
    pub init: Duration,
    /// From the last sign of life on a stream to the next one that is asked for, and from there to its end.
    pub ping: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(5),
            body: Duration::from_secs(10),
            request: Duration::from_secs(15),
            // Longer than the 60 s of common proxies: who reuses connections must be the one to close them.
            idle: Duration::from_secs(75),
            write: Duration::from_secs(15),
            init: Duration::from_secs(3),
            // Shorter than the 60 s after which common proxies give up on a silent connection.
            ping: Duration::from_secs(25),
        }
    }
}

/// The header in which proxies write the client's address. A client may send the other one itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The networks of proxies that are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Whether no proxy is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the address is a trusted proxy's.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Shortest prefixes: the largest private networks there are (RFC 1918's 10.0.0.0/8, RFC 4193's fc00::/7). Whoever
/// trusts more trusts strangers.
const MIN_PREFIX_LENGTHS: (u8, u8) = (8, 7);

impl FromStr for TrustedProxies {
    type Err = &'static str;

    /// `none`, or networks and addresses with commas between them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self::default());
        }
        text.split(',').map(|entry| parse_network(entry.trim())).collect::<Result<_, _>>().map(Self)
    }
}

fn parse_network(text: &str) -> Result<IpNet, &'static str> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    let network = address.or_else(|_| text.parse::<IpNet>()).map_err(|_| "is no list of networks")?;
    let (is_wide, is_mapped) = match network {
        IpNet::V4(network) => (network.prefix_len() < MIN_PREFIX_LENGTHS.0, false),
        IpNet::V6(network) => (network.prefix_len() < MIN_PREFIX_LENGTHS.1, network.addr().to_ipv4_mapped().is_some()),
    };
    match (is_wide, is_mapped) {
        (true, _) => Err("would let strangers choose their address"),
        // Addresses are compared in their IPv4 form: such a network would match nothing.
        (_, true) => Err("has an IPv4 network in IPv6 notation"),
        _ => Ok(network),
    }
}

impl Server {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let max_connections = reader.integer("server.max_connections", 16..=1_000_000);
        let max_connections_per_address = reader.integer("server.max_connections_per_address", 1..=1_000_000);
        let trusted_proxies = reader.read("server.trusted_proxies", |text| {
            text.parse().map_err(|problem| -> InvalidValue {
                let fix =
                    "write networks with commas between them, like 10.1.0.0/16,fd00::/8, as narrow as can be; or none";
                invalid(problem, fix)
            })
        });
        let forwarded_header = reader.one_of(
            "server.forwarded_header",
            &[("x-forwarded-for", ForwardedHeader::XForwardedFor), ("forwarded", ForwardedHeader::Forwarded)],
        );
        let drain = reader.integer("server.drain_seconds", 1..=300);
        Some(Self {
            drain_timeout: Duration::from_secs(drain?),
            max_connections: max_connections?,
            max_connections_per_address: max_connections_per_address?,
            trusted_proxies: trusted_proxies?,
            forwarded_header: forwarded_header?,
            timeouts: Timeouts::default(),
            min_free_bytes: MIN_FREE_BYTES,
        })
    }
}
