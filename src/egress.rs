//! Outgoing requests: the server calls others, and only at addresses that it looked at (OWASP SSRF Prevention Cheat Sheet).
//!
//! A name is resolved once and the address that was found is the one that is dialled, so that nothing can change in
//! between. Redirects are not followed, an answer's body is read up to a bound and thrown away, and all of it together
//! has a time limit. Common HTTP clients resolve by themselves and follow redirects; here hyper speaks over a connection
//! that this module has made.

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

/// How long one request may take, from the name's lookup to the end of the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Most bytes of an answer's head, and most that are read of its body.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// Most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;

type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses of a name; tests bring one of their own.
pub trait Resolve: Send + Sync {
    /// The addresses of `name`, in the order in which they are to be tried.
    fn resolve(&self, name: &str) -> Lookup;
}

/// The machine's resolver.
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

/// Why a request came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EgressError {
    /// The name has no address.
    NameNotFound,
    /// No address of the name may be called, or not without encryption.
    AddressNotAllowed,
    /// Nobody listens there.
    Unreachable,
    /// The certificate is not the name's, or nobody trusts it.
    Untrusted,
    /// Something that is no answer came back, or nothing.
    InvalidResponse,
    /// It took too long.
    TimedOut,
}

impl fmt::Display for EgressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NameNotFound => "the name has no address",
            Self::AddressNotAllowed => "the address is not public, or the network it is in not allowed",
            Self::Unreachable => "nobody answers at the address",
            Self::Untrusted => {
                "no encrypted connection came about: its certificate has to be of that name, and of an authority that is \
                known or in webhooks.ca_file"
            }
            Self::InvalidResponse => "what came back is no answer",
            Self::TimedOut => "it took too long",
        })
    }
}

/// What calls others.
#[derive(Clone)]
pub struct HttpClient {
    tls: TlsConnector,
    allowed_networks: IpNetworks,
    resolver: Arc<dyn Resolve>,
}

impl HttpClient {
    /// It calls public addresses, and those of the networks that are `allowed`; it believes certificates of the
    /// authorities that everybody knows, and those of `authorities`.
    ///
    /// # Errors
    /// Internal ones only.
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

    /// Sends `body` to `url` by POST; tells the answer's status.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn post(&self, url: &Url, headers: &[(&'static str, String)], body: String) -> Result<u16, EgressError> {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        // It goes with this request, in whatever state it is.
        let mut connection = JoinSet::new();
        let response = timeout_at(deadline, self.exchange(url, headers, body, &mut connection));
        let response = response.await.unwrap_or(Err(EgressError::TimedOut))?;
        let status = response.status().as_u16();
        // Taken, so that the other side is not told that its answer was lost; what it says does not matter.
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

    /// A connection to the first address that answers, among those that may be called.
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
        let can_connect = |address: &IpAddr| self.can_connect(*address, url.scheme() == "https");
        let mut error = EgressError::AddressNotAllowed;
        for address in found.into_iter().filter(can_connect).take(MAX_ADDRESSES) {
            match TcpStream::connect(SocketAddr::new(address, port)).await {
                Ok(socket) => return Ok(socket),
                Err(_) => error = EgressError::Unreachable,
            }
        }
        Err(error)
    }

    fn can_connect(&self, address: IpAddr, is_encrypted: bool) -> bool {
        self.allowed_networks.contains(address) || is_encrypted && is_public(address)
    }
}

/// Sends the request over a connection that serves for nothing else.
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
    // What breaks it the sender is told, too.
    running.spawn(async move { drop(connection.await) });
    sender.send_request(request).await.map_err(|_| EgressError::InvalidResponse)
}
