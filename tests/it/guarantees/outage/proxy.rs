//! A TCP proxy that can stop, cut, lose one response, or silently lose all connections.

use std::future::pending;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the proxy treats connections and data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything is forwarded.
    Open,
    /// Connections are accepted, and nothing is forwarded in either direction.
    Silent,
    /// Every connection is closed at once.
    Cut,
}

/// A proxy in front of a server on this machine.
pub struct Proxy {
    pub port: u16,
    line: watch::Sender<Mode>,
    loses: Arc<AtomicBool>,
    present: watch::Sender<()>,
    questions: Arc<AtomicUsize>,
}

impl Proxy {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (line, seen) = watch::channel(Mode::Open);
        let loses = Arc::new(AtomicBool::new(false));
        let (present, lost) = watch::channel(());
        let questions = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&questions);
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        tokio::spawn(accept(listener, server, seen, lost, Arc::clone(&loses), counted));
        Self { port: own, line, loses, present, questions }
    }

    /// Drops the traffic of existing connections without closing them, and serves new ones, as when a machine in
    /// between is replaced.
    pub fn drop_connections(&self) {
        self.present.send_replace(());
    }

    pub fn set(&self, line: Mode) {
        self.line.send_replace(line);
    }

    /// The number of messages on request connections: all but the one that polls the counters.
    pub fn requests(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }

    /// The response to the next committed transaction or session rotation by a single statement is lost, and its
    /// connection with it.
    pub fn lose_next_commit(&self) {
        self.loses.store(true, Ordering::SeqCst);
    }

    /// Whether that has happened.
    pub fn has_lost(&self) -> bool {
        !self.loses.load(Ordering::SeqCst)
    }
}

async fn accept(
    listener: TcpListener,
    server: SocketAddr,
    line: watch::Receiver<Mode>,
    mut abandoned: watch::Receiver<()>,
    loses: Arc<AtomicBool>,
    questions: Arc<AtomicUsize>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let (mut line, loses, questions) = (line.clone(), Arc::clone(&loses), Arc::clone(&questions));
        abandoned.mark_unchanged();
        let mut abandoned = abandoned.clone();
        tokio::spawn(async move {
            line.wait_for(|line| *line != Mode::Silent).await.ok();
            if *line.borrow() == Mode::Cut {
                return;
            }
            let Ok(upstream) = TcpStream::connect(server).await else { return };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = upstream.into_split();
            let lost = Arc::new(AtomicBool::new(false));
            let mut cut = line.clone();
            let mut passing = pin!(async {
                tokio::select! {
                    () = forward_requests(from_client, to_server, line.clone(), &loses, &lost, &questions) => {}
                    () = forward_responses(from_server, to_client, line, &lost) => {}
                }
            });
            let is_abandoned = tokio::select! {
                () = &mut passing => false,
                _ = cut.wait_for(|line| *line == Mode::Cut) => false,
                Ok(()) = abandoned.changed() => true,
            };
            if is_abandoned {
                // The forwarding task holds the sockets open.
                pending::<()>().await;
            }
        });
    }
}

/// Forwards client data, and detects the commit to be lost.
async fn forward_requests(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    mut line: watch::Receiver<Mode>,
    loses: &AtomicBool,
    lost: &AtomicBool,
    questions: &AtomicUsize,
) {
    let mut bytes = [0; 16_384];
    let (mut is_prepared, mut is_watch) = (false, false);
    while let Ok(read @ 1..) = client.read(&mut bytes).await {
        line.wait_for(|line| *line != Mode::Silent).await.ok();
        let sent = &bytes[..read];
        let has = |text: &[u8]| sent.windows(text.len()).any(|word| word == text);
        // The counters are polled on a dedicated connection.
        is_watch |= has(b"FROM \"change_counter\"");
        if !is_watch {
            questions.fetch_add(1, Ordering::SeqCst);
        }
        // The statement alone, with the protocol's terminator: not READ COMMITTED. A prepared one is executed by the
        // next message.
        if (has(b"COMMIT\0") || is_prepared) && loses.swap(false, Ordering::SeqCst) {
            lost.store(true, Ordering::SeqCst);
        }
        is_prepared = has(b"UPDATE \"session\" SET \"generation\"");
        if server.write_all(sent).await.is_err() {
            return;
        }
    }
}

/// Forwards server data; the response to a lost commit proves that it happened.
async fn forward_responses(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    mut line: watch::Receiver<Mode>,
    lost: &AtomicBool,
) {
    let mut bytes = [0; 16_384];
    while let Ok(read @ 1..) = server.read(&mut bytes).await {
        line.wait_for(|line| *line != Mode::Silent).await.ok();
        if lost.load(Ordering::SeqCst) || client.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
