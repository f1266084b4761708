//! The listen address: TCP or a Unix socket.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Address on which the server accepts connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddress {
    /// An IP address and a port; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// A Unix socket, for a proxy on this machine.
    Unix(PathBuf),
}

impl ListenAddress {
    /// Whether only this machine can connect directly; behind a Unix socket is a proxy.
    pub(super) fn is_loopback(&self) -> bool {
        matches!(self, Self::Tcp(address) if address.ip().to_canonical().is_loopback())
    }
}

impl FromStr for ListenAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path.starts_with('/') && !path.ends_with('/') {
                true => Ok(Self::Unix(PathBuf::from(path))),
                false => Err("has no absolute path after unix:"),
            };
        }
        let port = text.strip_prefix("localhost:").map(str::parse::<u16>);
        match port {
            // RFC 6761 section 6.3: `localhost` is always the loopback address.
            Some(Ok(port)) => Ok(Self::Tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))),
            Some(Err(_)) => Err("has no port after localhost"),
            None => text.parse().map(Self::Tcp).map_err(|_| "is not an address and a port"),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
