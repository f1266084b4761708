//! A certificate authority of the test's own, and listeners with its certificates.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::{NamedTempFile, TempPath};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::{ServerConfig, crypto};
use tokio_rustls::server::TlsStream;

/// Signs certificates; its file is deleted on drop.
pub struct CertificateAuthority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub file: TempPath,
}

impl CertificateAuthority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = NamedTempFile::with_suffix(".pem").unwrap().into_temp_path();
        std::fs::write(&file, issuer.pem()).unwrap();
        Self { issuer, file }
    }

    pub fn path(&self) -> &str {
        self.file.to_str().unwrap()
    }

    /// A TLS acceptor with a certificate for this name or address.
    pub fn acceptor_for(&self, name: &str) -> TlsAcceptor {
        self.acceptor_with(CertificateParams::new([name.to_owned()]).unwrap())
    }

    /// The same with the given certificate parameters.
    pub fn acceptor_with(&self, params: CertificateParams) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Accepts TLS connections, and drops those whose handshake fails.
pub(super) struct TlsListener {
    pub listener: TcpListener,
    pub acceptor: TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (socket, address) = self.listener.accept().await.unwrap();
            if let Ok(stream) = self.acceptor.accept(socket).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
