//! HTTP server settings: connection limits, timeouts and trusted proxies.

use std::time::Duration;

use ipnet::IpNet;

use super::ip_networks::IpNetworks;
use super::problem::invalid;
use super::reader::Reader;

/// HTTP server settings.
#[derive(Clone, Debug)]
pub struct Server {
    /// Time limit for in-flight requests after SIGTERM.
    pub drain_timeout: Duration,
    /// Maximum concurrent connections.
    pub max_connections: usize,
    /// Maximum concurrent connections per address that is not a trusted proxy.
    pub max_connections_per_address: usize,
    /// Proxies whose forwarding headers are trusted.
    pub trusted_proxies: IpNetworks,
    /// The header with the client's address.
    pub forwarded_header: ForwardedHeader,
    /// Time limits of a client.
    pub timeouts: Timeouts,
    /// Free bytes on the embedded database's disk below which the server is not ready; not a setting.
    pub min_free_bytes: u64,
    /// Whether responses carry `Strict-Transport-Security`.
    pub has_hsts: bool,
}

/// More than the largest transaction writes.
const MIN_FREE_BYTES: u64 = 8 * 1024 * 1024;

/// Time limits of a client. Not settings: installations need no others, and tests need shorter ones.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the first byte of a request, or the start of a connection, to the end of the header.
    pub head: Duration,
    /// From the end of the header to the end of the body.
    pub body: Duration,
    /// From the end of the header to the response.
    pub request: Duration,
    /// From a response to the next request.
    pub idle: Duration,
    /// From a full client window until the client has received everything.
    pub write: Duration,
    /// From the start of a WebSocket to its `connection_init`.
    pub init: Duration,
    /// From the last activity on a stream to the ping, and from the ping to the end of the stream.
    pub ping: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(5),
            body: Duration::from_secs(10),
            request: Duration::from_secs(15),
            // Longer than the 60 s of common proxies: the side that reuses connections must close them.
            idle: Duration::from_secs(75),
            write: Duration::from_secs(15),
            init: Duration::from_secs(3),
            // Shorter than the 60 s after which common proxies close an idle connection.
            ping: Duration::from_secs(25),
        }
    }
}

/// The header with the client's address. A client may send the other one itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Shortest prefixes for IPv4 and IPv6: the largest private networks (RFC 1918's 10.0.0.0/8, RFC 4193's fc00::/7). A
/// wider network would trust unknown clients.
const MIN_PREFIX_LENGTHS: (u8, u8) = (8, 7);

/// Parses networks of proxies that are narrow enough to trust.
fn parse_trusted(text: &str) -> Result<IpNetworks, &'static str> {
    let networks: IpNetworks = text.parse()?;
    networks.iter().try_for_each(check_trustworthy)?;
    Ok(networks)
}

fn check_trustworthy(network: &IpNet) -> Result<(), &'static str> {
    let (is_wide, is_mapped) = match network {
        IpNet::V4(network) => (network.prefix_len() < MIN_PREFIX_LENGTHS.0, false),
        IpNet::V6(network) => (network.prefix_len() < MIN_PREFIX_LENGTHS.1, network.addr().to_ipv4_mapped().is_some()),
    };
    match (is_wide, is_mapped) {
        (true, _) => Err("would let clients choose their own address"),
        // Addresses are compared in their IPv4 form, so such a network would match nothing.
        (_, true) => Err("has an IPv4 network in IPv6 notation"),
        _ => Ok(()),
    }
}

impl Server {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let max_connections = reader.integer("server.max_connections", 16..=1_000_000);
        let max_connections_per_address = reader.integer("server.max_connections_per_address", 1..=1_000_000);
        let trusted_proxies = reader.read("server.trusted_proxies", |text| {
            let fix = "use comma-separated networks, like 10.1.0.0/16,fd00::/8, as narrow as possible; or none";
            parse_trusted(text).map_err(|problem| invalid(problem, fix))
        });
        let forwarded_header = reader.one_of(
            "server.forwarded_header",
            &[("x-forwarded-for", ForwardedHeader::XForwardedFor), ("forwarded", ForwardedHeader::Forwarded)],
        );
        let has_hsts = reader.bool("server.hsts");
        let drain = reader.integer("server.drain_seconds", 1..=300);
        Some(Self {
            drain_timeout: Duration::from_secs(drain?),
            max_connections: max_connections?,
            max_connections_per_address: max_connections_per_address?,
            trusted_proxies: trusted_proxies?,
            forwarded_header: forwarded_header?,
            timeouts: Timeouts::default(),
            min_free_bytes: MIN_FREE_BYTES,
            has_hsts: has_hsts?,
        })
    }
}
