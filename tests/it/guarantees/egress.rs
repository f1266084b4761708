//! Egress: requests go only to checked addresses, with a time limit.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use accountd::config::{Config, Flags, IpNetworks};
use accountd::egress::{EgressError, HttpClient, Resolve, SystemResolver, is_public};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

use crate::support::receiver::Receiver;

mod timeouts;
mod tls;

/// A resolver that first returns one list and later another, as in a rebinding attack.
#[derive(Default)]
struct ChangingResolver {
    first: Vec<IpAddr>,
    later: Vec<IpAddr>,
    asked: AtomicUsize,
}

impl Resolve for ChangingResolver {
    fn resolve(&self, _: &str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        let is_first = self.asked.fetch_add(1, Ordering::Relaxed) == 0;
        let found = if is_first { self.first.clone() } else { self.later.clone() };
        Box::pin(async move { Ok(found) })
    }
}

fn addresses<const N: usize>(texts: [&str; N]) -> Vec<IpAddr> {
    texts.map(|text| text.parse().unwrap()).to_vec()
}

fn networks(text: &str) -> IpNetworks {
    let settings = [("ACCOUNTD_WEBHOOKS__ALLOWED_NETWORKS".to_owned(), text.to_owned())];
    Config::load(Flags::default(), settings).unwrap().webhooks.allowed_networks
}

/// A client for public addresses and those in these networks.
fn client(allowed: &str) -> HttpClient {
    HttpClient::new(networks(allowed), Vec::new(), Arc::new(SystemResolver)).unwrap()
}

async fn post(outgoing: &HttpClient, url: &str) -> Result<u16, EgressError> {
    outgoing.post(&Url::parse(url).unwrap(), &[], "{}".to_owned()).await
}

/// Q12
#[test]
fn non_public_addresses_are_recognized() {
    for address in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!is_public(address.parse().unwrap()), "{address}");
    }
    for address in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "128.0.0.1",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:1.1.1.1",
        "2001:4860:4860::8888",
        "2606:4700:4700::1111",
        "2a00::1",
    ] {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}

/// Q12: in every notation, literal or resolved.
#[tokio::test]
async fn non_public_addresses_are_refused_in_every_notation() {
    let receiver = Receiver::new().await;
    let closed = client("none");
    let port = receiver.address.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[fe80::1]",
        "[fd00::1]",
        "169.254.169.254",
        "10.0.0.1",
        "100.64.0.1",
        "198.18.0.1",
        "192.88.99.1",
        "localhost",
        "LOCALHOST",
        "%6cocalhost",
        "127.0.0.1.",
        "１２７.0.0.1",
    ] {
        for scheme in ["http", "https"] {
            let answer = post(&closed, &format!("{scheme}://{host}:{port}/")).await;
            assert_eq!(answer, Err(EgressError::AddressNotAllowed), "{scheme}://{host}");
        }
    }
    let lying = ChangingResolver { first: addresses(["127.0.0.1", "::1"]), ..ChangingResolver::default() };
    let lying = HttpClient::new(networks("none"), Vec::new(), Arc::new(lying)).unwrap();
    assert_eq!(post(&lying, &format!("https://crm.example.org:{port}/")).await, Err(EgressError::AddressNotAllowed));
    assert_eq!(receiver.take().len(), 0, "no connection was made");
}

/// Q12: plain http only where configured.
#[tokio::test]
async fn egress_to_public_address_requires_tls() {
    let public = ChangingResolver { first: addresses(["1.1.1.1"]), ..ChangingResolver::default() };
    let outgoing = HttpClient::new(networks("none"), Vec::new(), Arc::new(public)).unwrap();
    assert_eq!(post(&outgoing, "http://crm.example.org/").await, Err(EgressError::AddressNotAllowed));
}

/// Q12: a name is resolved once, and the checked address is the one connected.
#[tokio::test]
async fn egress_connects_to_the_checked_address() {
    let receiver = Receiver::new().await;
    let first = addresses(["10.0.0.1", "127.0.0.1"]);
    let rebinding =
        Arc::new(ChangingResolver { first, later: addresses(["127.0.0.2"]), ..ChangingResolver::default() });
    let outgoing = HttpClient::new(networks("127.0.0.1"), Vec::new(), rebinding.clone()).unwrap();
    let url = format!("http://crm.example.org:{}/hook?a=b", receiver.address.port());
    assert_eq!(post(&outgoing, &url).await, Ok(200));
    assert_eq!(rebinding.asked.load(Ordering::Relaxed), 1);
    let [request] = &receiver.take()[..] else { panic!("one request") };
    assert_eq!((request.target.as_str(), request.body.as_str()), ("/hook?a=b", "{}"));
    assert_eq!(request.header("host"), format!("crm.example.org:{}", receiver.address.port()));
    // By now the name resolves to a forbidden address.
    assert_eq!(post(&outgoing, &url).await, Err(EgressError::AddressNotAllowed));
}

/// Q12
#[tokio::test]
async fn egress_follows_no_redirect() {
    let inside = Receiver::new().await;
    let target = format!("http://{}/secret", inside.address);
    let redirecting = Receiver::responding_with(move |_| {
        (StatusCode::TEMPORARY_REDIRECT, [("location", target.clone())]).into_response()
    });
    let redirecting = redirecting.await;
    assert_eq!(post(&client("127.0.0.1"), &format!("http://{}/", redirecting.address)).await, Ok(307));
    assert_eq!(inside.take().len(), 0);
}

/// A server that writes `begin` and then `more` until the client stops reading or 256 MiB; returns the amount taken.
async fn flooding(begin: &'static str, more: &'static str) -> (String, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let writing = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        assert!(socket.read(&mut [0; 4_096]).await.unwrap() > 0);
        socket.write_all(begin.as_bytes()).await.unwrap();
        let (chunk, mut taken) = (more.repeat(8_192), 0);
        while taken < 256 << 20 && socket.write_all(chunk.as_bytes()).await.is_ok() {
            taken += chunk.len();
        }
        taken
    });
    (url, writing)
}

/// Q12: the system's buffers hold some megabytes; the client did not read them.
#[tokio::test]
async fn egress_reads_a_bounded_response() {
    let outgoing = client("127.0.0.1");
    let (url, writing) = flooding("HTTP/1.1 200 OK\r\n\r\n", "0123456789").await;
    assert_eq!(post(&outgoing, &url).await, Ok(200));
    assert!(writing.await.unwrap() < 256 << 20, "the body was read without limit");
    let (url, writing) = flooding("HTTP/1.1 200 OK\r\n", "a: b\r\n").await;
    assert_eq!(post(&outgoing, &url).await, Err(EgressError::InvalidResponse));
    assert!(writing.await.unwrap() < 256 << 20, "the head was read without limit");
}

#[tokio::test]
async fn egress_reports_a_refused_connection() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(post(&client("127.0.0.1"), &format!("http://{unused}/")).await, Err(EgressError::Unreachable));
}
