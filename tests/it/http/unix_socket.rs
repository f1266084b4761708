//! A Unix socket, for a proxy on the same machine.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use accountd::config::ListenAddress;
use accountd::http::server::{Listener, serve};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::oneshot;

use crate::support::{PASSWORD, TestApp};

/// A directory that is deleted with the test.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempdir().unwrap())
    }

    fn socket(&self) -> PathBuf {
        self.0.path().join("socket")
    }
}

async fn listen(path: &Path) -> std::io::Result<Listener> {
    Listener::bind(&format!("unix:{}", path.display()).parse::<ListenAddress>().unwrap()).await
}

async fn graphql(path: &Path, headers: &str, query: &str) -> Value {
    let body = json!({ "query": query }).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    let mut socket = UnixStream::connect(path).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
}

/// Its peer is this machine, which may be configured as trusted proxy.
#[tokio::test]
async fn unix_socket_serves_proxied_requests() {
    for (trusted, seen) in [("127.0.0.1/32", "203.0.113.9"), ("none", "127.0.0.1")] {
        let home = Home::new();
        let app = TestApp::with(&[("ACCOUNTD_SERVER__TRUSTED_PROXIES", trusted)]).await;
        let listener = listen(&home.socket()).await.unwrap();
        let mode = std::fs::metadata(home.socket()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        let (stop, stopped) = oneshot::channel::<()>();
        let (router, settings) = (app.router.clone(), app.app.config.server.clone());
        let running = tokio::spawn(async move {
            serve(listener, router, &settings, async { drop(stopped.await) }, std::future::pending()).await;
        });
        let register = format!(
            "mutation {{ register(input: {{ username: \"ann\", password: \"{PASSWORD}\" }}) {{
                session {{ ip }} tokens {{ accessToken }} errors {{ code }} }} }}"
        );
        let made = graphql(&home.socket(), "X-Forwarded-For: 203.0.113.9\r\n", &register).await;
        assert_eq!(made["data"]["register"]["session"]["ip"], seen, "{made}");
        let token = made["data"]["register"]["tokens"]["accessToken"].as_str().unwrap();
        let me = graphql(&home.socket(), &format!("Authorization: Bearer {token}\r\n"), "{ me { username } }").await;
        assert_eq!(me["data"]["me"]["username"], "ann", "{me}");
        stop.send(()).unwrap();
        running.await.unwrap();
        assert!(!home.socket().exists(), "it is deleted with the server");
    }
}

#[tokio::test]
async fn unix_socket_replaces_only_a_stale_socket() {
    let home = Home::new();
    // A killed process leaves its socket.
    drop(UnixListener::bind(home.socket()).unwrap());
    let first = listen(&home.socket()).await.unwrap();
    let second = listen(&home.socket()).await.err().unwrap();
    assert_eq!(second.kind(), std::io::ErrorKind::AddrInUse, "{second}");
    // Another process has replaced it: that one is kept.
    std::fs::remove_file(home.socket()).unwrap();
    let later = listen(&home.socket()).await.unwrap();
    drop(first);
    assert!(home.socket().exists());
    drop(later);
    assert!(!home.socket().exists());
    std::fs::write(home.socket(), "important").unwrap();
    let refused = listen(&home.socket()).await.err().unwrap();
    assert_eq!(refused.kind(), std::io::ErrorKind::AlreadyExists, "{refused}");
    assert_eq!(std::fs::read_to_string(home.socket()).unwrap(), "important");
}
