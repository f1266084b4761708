//! An HTTP server on this machine that records its requests.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::certificate_authority::TlsListener;

/// A received request.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl ReceivedRequest {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

type Responder = dyn Fn(&ReceivedRequest) -> Response + Send + Sync;

/// The server; it ends with the test.
pub struct Receiver {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<ReceivedRequest>>>,
    _running: JoinSet<()>,
}

impl Receiver {
    /// A server that responds with 200 to everything.
    pub async fn new() -> Self {
        Self::responding_with(|_| ().into_response()).await
    }

    /// A server with this response.
    pub async fn responding_with(answer: impl Fn(&ReceivedRequest) -> Response + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::listening_at(address, listener, answer)
    }

    /// A server that responds with 200 to everything, over TLS only.
    pub async fn over_tls(acceptor: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::listening_at(address, TlsListener { listener, acceptor }, |_| ().into_response())
    }

    fn listening_at<L>(
        address: SocketAddr,
        listener: L,
        answer: impl Fn(&ReceivedRequest) -> Response + Send + Sync + 'static,
    ) -> Self
    where
        L: Listener,
        L::Addr: Debug,
    {
        let received: Arc<Mutex<Vec<ReceivedRequest>>> = Arc::default();
        let (seen, answer): (_, Arc<Responder>) = (received.clone(), Arc::new(answer));
        let router = Router::new().fallback(async move |target: Uri, headers: HeaderMap, body: Bytes| {
            let body = String::from_utf8(body.to_vec()).unwrap();
            let request = ReceivedRequest { target: target.to_string(), headers, body };
            let response = answer(&request);
            seen.lock().unwrap().push(request);
            response
        });
        let mut running = JoinSet::new();
        running.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, received, _running: running }
    }

    /// Removes and returns the requests received so far.
    pub fn take(&self) -> Vec<ReceivedRequest> {
        std::mem::take(&mut *self.received.lock().unwrap())
    }
}
