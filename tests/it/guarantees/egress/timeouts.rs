//! No request takes longer than 5 s, in whichever state.

use std::future::pending;
use std::ops::Range;
use std::time::Duration;

use tokio::time::{Instant, pause};

use super::*;

/// A limit of 5 s on a clock of milliseconds.
const TIMEOUT: Range<Duration> = Duration::from_secs(5)..Duration::from_millis(5_100);

/// A resolver that never responds.
struct SilentResolver;

impl Resolve for SilentResolver {
    fn resolve(&self, _: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        Box::pin(pending())
    }
}

/// Q12
#[tokio::test(start_paused = true)]
async fn egress_times_out_without_a_connection_or_response() {
    // The system accepts the connection, and no program reads it.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let lost = HttpClient::new(networks("127.0.0.1"), Vec::new(), Arc::new(SilentResolver)).unwrap();
    for (outgoing, url) in [
        (client("127.0.0.1"), format!("http://{address}/")),
        (client("127.0.0.1"), format!("https://{address}/")),
        (lost, "https://crm.example.org/".to_owned()),
    ] {
        let begun = Instant::now();
        assert_eq!(post(&outgoing, &url).await, Err(EgressError::TimedOut), "{url}");
        assert!(TIMEOUT.contains(&begun.elapsed()), "{url}: {:?}", begun.elapsed());
    }
}

/// A server that writes this and then stalls; the clock advances from then on, and the connection stays.
async fn stopping_after(begin: &'static str) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let holding = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(begin.as_bytes()).await.unwrap();
        pause();
        socket.read_to_end(&mut Vec::new()).await.ok();
    });
    (url, holding)
}

/// Q12: a partial status line is no response.
#[tokio::test]
async fn egress_times_out_while_reading_the_status() {
    let (url, holding) = stopping_after("HTTP/1.1 200 OK\r\ncontent-len").await;
    let begun = Instant::now();
    assert_eq!(post(&client("127.0.0.1"), &url).await, Err(EgressError::TimedOut));
    assert!(TIMEOUT.contains(&begun.elapsed()), "{:?}", begun.elapsed());
    holding.await.unwrap();
}

/// Q12: a complete status counts, and the wait for the rest is limited.
#[tokio::test]
async fn egress_accepts_a_status_without_the_whole_body() {
    let (url, holding) = stopping_after("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await;
    let begun = Instant::now();
    assert_eq!(post(&client("127.0.0.1"), &url).await, Ok(200));
    assert!(TIMEOUT.contains(&begun.elapsed()), "{:?}", begun.elapsed());
    holding.await.unwrap();
}
