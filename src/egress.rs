//! Outgoing HTTP requests, to checked addresses only (OWASP SSRF Prevention Cheat Sheet).
//!
//! A name is resolved once and the connection goes to the address that was checked, so DNS rebinding has no effect.
//! Redirects are not followed, a bounded part of the response body is read and discarded, and one time limit covers
//! everything. Common HTTP clients resolve names themselves and follow redirects, so this module opens the connection
//! and uses hyper on it.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{ServerName, TrustAnchor};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use url::{Host, Position, Url};

use crate::config::IpNetworks;
use crate::error::{Error, Result};

pub use public_address::is_public;

mod public_address;

/// Time limit of one request, from the name lookup to the end of the response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum bytes of a response head, and of the part of its body that is read.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// Maximum addresses tried per name.
const MAX_ADDRESSES: usize = 4;

type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Resolves host names; tests supply their own resolver.
pub trait Resolve: Send + Sync {
    /// The addresses of `name`, in the order to try them.
    fn resolve(&self, name: &str) -> Lookup;
}

/// The operating system's resolver.
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: &str) -> Lookup {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EgressError {
    /// The name has no address.
    NameNotFound,
    /// No address of the name is allowed, or not without TLS.
    AddressNotAllowed,
    /// No connection to the address.
    Unreachable,
    /// The certificate is for another name, or its authority is not trusted.
    Untrusted,
    /// The response is missing or not HTTP.
    InvalidResponse,
    /// The time limit was exceeded.
    TimedOut,
}

impl fmt::Display for EgressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameNotFound => "the name has no address",
            Self::AddressNotAllowed => "the address is not public, or is called without TLS: allow its network in webhooks.allowed_networks",
            Self::Unreachable => "no connection to the address",
            Self::Untrusted => {
                "TLS failed: the certificate must match the name, from an authority that is public or in webhooks.ca_file"
            }
            Self::InvalidResponse => "the response is not valid HTTP",
            Self::TimedOut => "the request timed out",
        })
    }
}

/// An HTTP client for webhook endpoints.
#[derive(Clone)]
pub struct HttpClient {
    tls: TlsConnector,
    allowed_networks: IpNetworks,
    resolver: Arc<dyn Resolve>,
}

impl HttpClient {
    /// Allows public addresses over https, and those in `allowed_networks`; trusts the authorities of Mozilla's list,
    /// and `authorities`.
    pub fn new(
        allowed_networks: IpNetworks,
        authorities: Vec<TrustAnchor<'static>>,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self> {
        let roots = RootCertStore { roots: [webpki_roots::TLS_SERVER_ROOTS, &authorities].concat() };
        let tls = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(tls)), allowed_networks, resolver })
    }

    /// Sends `body` to `url` by POST; returns the response's status.
    ///
    /// # Errors
    /// Why there is no response.
    pub async fn post(&self, url: &Url, headers: &[(&'static str, String)], body: String) -> Result<u16, EgressError> {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        // Dropped with this request, in any state.
        let mut connection = JoinSet::new();
        let response = timeout_at(deadline, self.exchange(url, headers, body, &mut connection));
        let response = response.await.unwrap_or(Err(EgressError::TimedOut))?;
        let status = response.status().as_u16();
        // Read, so that the peer does not see a lost response; the content does not matter.
        timeout_at(deadline, Limited::new(response.into_body(), MAX_RESPONSE_BYTES).collect()).await.ok();
        Ok(status)
    }

    async fn exchange(
        &self,
        url: &Url,
        headers: &[(&'static str, String)],
        body: String,
        connection: &mut JoinSet<()>,
    ) -> Result<Response<Incoming>, EgressError> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&url[Position::BeforePath..Position::AfterQuery])
            .header(HOST, &url[Position::BeforeHost..Position::AfterPort]);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|_| EgressError::InvalidResponse)?;
        let socket = self.connect(url).await?;
        if url.scheme() != "https" {
            return send(socket, request, connection).await;
        }
        let name = match url.host() {
            Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).map_err(|_| EgressError::Untrusted)?,
            Some(Host::Ipv4(address)) => ServerName::from(IpAddr::from(address)),
            Some(Host::Ipv6(address)) => ServerName::from(IpAddr::from(address)),
            None => return Err(EgressError::NameNotFound),
        };
        let stream = self.tls.connect(name, socket).await.map_err(|_| EgressError::Untrusted)?;
        send(stream, request, connection).await
    }

    /// Connects to the first reachable address among the allowed ones.
    async fn connect(&self, url: &Url) -> Result<TcpStream, EgressError> {
        let found = match url.host() {
            Some(Host::Domain(name)) => self.resolver.resolve(name).await.map_err(|_| EgressError::NameNotFound)?,
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            None => Vec::new(),
        };
        if found.is_empty() {
            return Err(EgressError::NameNotFound);
        }
        let port = url.port_or_known_default().ok_or(EgressError::NameNotFound)?;
        let can_connect = |address: &IpAddr| self.can_connect(*address, url);
        let mut error = EgressError::AddressNotAllowed;
        for address in found.into_iter().filter(can_connect).take(MAX_ADDRESSES) {
            match TcpStream::connect(SocketAddr::new(address, port)).await {
                Ok(socket) => return Ok(socket),
                Err(_) => error = EgressError::Unreachable,
            }
        }
        Err(error)
    }

    fn can_connect(&self, address: IpAddr, url: &Url) -> bool {
        self.allowed_networks.contains(address) || url.scheme() == "https" && is_public(address)
    }
}

/// Sends the request over a connection that serves no other.
async fn send<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    running: &mut JoinSet<()>,
) -> Result<Response<Incoming>, EgressError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let handshake = http1::Builder::new().max_buf_size(MAX_RESPONSE_BYTES).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(|_| EgressError::InvalidResponse)?;
    // The sender gets the connection's error, too.
    running.spawn(async move { drop(connection.await) });
    sender.send_request(request).await.map_err(|_| EgressError::InvalidResponse)
}
