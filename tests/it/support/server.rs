//! The service behind a real socket, with short timeouts.

use std::net::SocketAddr;
use std::time::Duration;

use accountd::config::Config;
use accountd::http::server::serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::TestApp;

pub use super::TEST_TIMEOUT;

/// Timeouts short enough for a test. A server has those that the test sets, and no other that could expire first.
pub const HEAD_TIMEOUT: Duration = Duration::from_millis(300);
pub const BODY_TIMEOUT: Duration = Duration::from_millis(500);
pub const IDLE_TIMEOUT: Duration = Duration::from_millis(800);
pub const WRITE_TIMEOUT: Duration = Duration::from_millis(700);

/// A listening server.
pub struct Server {
    pub address: SocketAddr,
    pub app: TestApp,
    stop: Option<oneshot::Sender<()>>,
    at_once: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Server {
    pub async fn new() -> Self {
        Self::with_config(|_| {}).await
    }

    /// A server whose timeouts never expire, except for those that the test sets.
    pub async fn with_config(tune: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::with_config(&[], |config| {
            let (deadlines, never) = (&mut config.server.timeouts, TEST_TIMEOUT * 2);
            (deadlines.head, deadlines.body, deadlines.idle, deadlines.write) = (never, never, never, never);
            (deadlines.init, config.server.drain_timeout) = (never, never);
            tune(config);
        })
        .await;
        Self::serving(app).await
    }

    /// This service, behind a socket.
    pub async fn serving(app: TestApp) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (at_once, cut) = oneshot::channel();
        let (router, settings) = (app.router.clone(), app.app.config.server.clone());
        let running = tokio::spawn(async move {
            let when_sent = |signal: oneshot::Receiver<()>| async move {
                if signal.await.is_err() {
                    std::future::pending().await
                }
            };
            serve(listener, router, &settings, when_sent(stopped), when_sent(cut)).await;
        });
        Self { address, app, stop: Some(stop), at_once: Some(at_once), running }
    }

    /// As SIGTERM does.
    pub fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// As a second SIGTERM does.
    pub fn stop_at_once(&mut self) {
        self.at_once.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has ended.
    pub async fn wait_for_end(self) {
        tokio::time::timeout(TEST_TIMEOUT, self.running).await.expect("the server does not end").unwrap();
    }

    pub async fn connect(&self) -> Client {
        self.connect_from("127.0.0.1").await
    }

    /// Every address of 127.0.0.0/8 is this machine.
    pub async fn connect_from(&self, address: &str) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
        Client(socket.connect(self.address).await.unwrap())
    }

    /// A client with the smallest receive window.
    pub async fn connect_with_small_window(&self) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(1).unwrap();
        Client(socket.connect(self.address).await.unwrap())
    }

    /// The whole response to `text` on a new connection.
    pub async fn exchange(&self, text: &str) -> String {
        let mut client = self.connect().await;
        client.send(text).await;
        client.read_to_end().await
    }

    /// Asserts that `me` is served.
    pub async fn assert_serves(&self) {
        let body = r#"{"query":"{ me { id } }"}"#;
        let answer = self.exchange(&post("/graphql", body)).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with(r#"{"data":{"me":null}}"#), "{answer}");
    }
}

/// A request that ends its connection.
pub fn post(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One end of a connection.
pub struct Client(pub TcpStream);

impl Client {
    /// Sends as much as the server still reads.
    pub async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.ok();
    }

    /// Everything until the connection ends, in any way.
    pub async fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        let reading = self.0.read_to_end(&mut bytes);
        let ended = tokio::time::timeout(TEST_TIMEOUT, reading).await;
        assert!(ended.is_ok(), "the connection stays open after {:?}", String::from_utf8_lossy(&bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Everything up to and including `end`.
    pub async fn read_until(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        let reading = async {
            while !bytes.ends_with(end.as_bytes()) {
                bytes.push(self.0.read_u8().await.ok()?);
            }
            Some(())
        };
        let found = tokio::time::timeout(TEST_TIMEOUT, reading).await;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(matches!(found, Ok(Some(()))), "{end:?} does not come after {text:?}");
        text
    }
}
