//! Subscribers: a WebSocket client and a client of server-sent events.

use std::future::pending;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::tungstenite::{Error, http::HeaderValue};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::Actor;
use super::server::{Client, TEST_TIMEOUT};

/// The time to the first event of a started subscription.
const SETTLE_TIME: Duration = Duration::from_millis(700);

/// Every event with all its fields.
pub const EVENTS: &str = "subscription { accountEvents {
    __typename
    ... on SessionEnded { sessionId current reason at }
    ... on AccessChanged { roles permissions at }
    ... on ProfileChanged { user { id username displayName email roles } at }
    ... on NewSignIn { session { id current userAgent deviceName endReason } at }
} }";

/// A client of `graphql-transport-ws`.
pub struct WebSocketClient(WebSocketStream<TcpStream>);

impl WebSocketClient {
    /// Connects with these additional headers.
    ///
    /// # Errors
    /// The status and the body of the refusing response.
    pub async fn try_open(address: SocketAddr, headers: &[(&'static str, &str)]) -> Result<Self, (u16, String)> {
        let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        for (name, value) in headers {
            match *value {
                "" => drop(request.headers_mut().remove(*name)),
                value => drop(request.headers_mut().insert(*name, value.parse().unwrap())),
            }
        }
        let stream = TcpStream::connect(address).await.unwrap();
        match timeout(TEST_TIMEOUT, client_async(request, stream)).await.expect("no response to the upgrade") {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(answer)) => {
                let body = answer.body().clone().unwrap_or_default();
                Err((answer.status().as_u16(), String::from_utf8_lossy(&body).into_owned()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Connects without additional headers.
    pub async fn open(address: SocketAddr) -> Self {
        Self::try_open(address, &[]).await.unwrap()
    }

    /// Connects and authenticates with this token.
    pub async fn authenticated(address: SocketAddr, token: &str) -> Self {
        let mut socket = Self::open(address).await;
        socket.init(json!({ "authorization": format!("Bearer {token}") })).await;
        assert_eq!(socket.receive().await, json!({ "type": "connection_ack" }));
        socket
    }

    pub async fn init(&mut self, payload: Value) {
        self.send_json(&json!({ "type": "connection_init", "payload": payload })).await;
    }

    pub async fn subscribe(&mut self, id: &str, query: &str) {
        self.send_json(&json!({ "type": "subscribe", "id": id, "payload": { "query": query } })).await;
    }

    pub async fn send_json(&mut self, message: &Value) {
        self.send(&message.to_string()).await;
    }

    pub async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.ok();
    }

    /// Sends this message again and again and reads nothing, until the connection breaks.
    pub async fn flood_until_gone(mut self, text: &str) {
        let flood = async { while self.0.send(Message::text(text)).await.is_ok() {} };
        timeout(TEST_TIMEOUT, flood).await.expect("the connection stays open");
    }

    /// The close code of a socket that sends this message again and again and reads the answers.
    pub async fn close_code_of_flood(self, text: &str) -> u16 {
        let (mut sink, answers) = self.0.split();
        let flood = async {
            // Many at once: the server always has one to read.
            let many = || stream::iter((0..1_000).map(|_| Ok(Message::text(text))));
            while sink.send_all(&mut many()).await.is_ok() {}
            pending().await
        };
        let close = answers.filter_map(async |message| match message {
            Ok(Message::Close(Some(frame))) => Some(frame.code.into()),
            Ok(Message::Close(None)) | Err(_) => Some(1006),
            Ok(_) => None,
        });
        let mut close = pin!(close);
        let first = async {
            tokio::select! {
                code = close.next() => code.unwrap_or(1006),
                code = flood => code,
            }
        };
        timeout(TEST_TIMEOUT, first).await.expect("the socket stays open")
    }

    /// The next message.
    pub async fn receive(&mut self) -> Value {
        self.next_message().await.unwrap_or_else(|code| panic!("closed with {code}"))
    }

    /// The next message, or the close code; 1006 without close frame.
    pub async fn next_message(&mut self) -> Result<Value, u16> {
        loop {
            match timeout(TEST_TIMEOUT, self.0.next()).await.expect("no message arrives") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => return Err(frame.code.into()),
                Some(Ok(Message::Close(None)) | Err(_)) | None => return Err(1006),
                Some(Ok(_)) => {}
            }
        }
    }

    /// The close code, after any messages.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next_message().await {
                return code;
            }
        }
    }

    /// Whether no message arrives within `time`.
    pub async fn is_silent(&mut self, time: Duration) -> bool {
        timeout(time, self.next_message()).await.is_err()
    }
}

/// A subscriber to account events, over one of the two transports.
pub enum Subscriber {
    WebSocket(Box<WebSocketClient>),
    Sse(Client),
}

impl Subscriber {
    /// A subscriber of this user over each transport.
    pub async fn over_both(address: SocketAddr, actor: &Actor) -> [Self; 2] {
        [Self::over_websocket(address, actor).await, Self::over_sse(address, actor).await]
    }

    pub async fn over_websocket(address: SocketAddr, actor: &Actor) -> Self {
        let mut socket = WebSocketClient::authenticated(address, actor.token.as_ref().unwrap()).await;
        socket.subscribe("1", EVENTS).await;
        let mut subscriber = Self::WebSocket(Box::new(socket));
        // The protocol does not confirm a subscription: so changes are made until one is reported.
        let mut has_begun = false;
        for count in 0.. {
            let name = format!("shown {count}");
            actor.mutate_ok("updateProfile", json!({ "displayName": name }), "user { id }").await;
            let reported = async {
                while subscriber.next_event().await["user"]["displayName"] != name {
                    has_begun = true;
                }
            };
            if timeout(SETTLE_TIME, reported).await.is_ok() {
                break;
            }
            // The subscription reports this change, too, however slow the machine is.
            if has_begun {
                while subscriber.next_event().await["user"]["displayName"] != name {}
                break;
            }
        }
        subscriber
    }

    pub async fn over_sse(address: SocketAddr, actor: &Actor) -> Self {
        let mut client = Client(TcpStream::connect(address).await.unwrap());
        client.send(&sse_request(actor.token.as_ref().unwrap(), EVENTS)).await;
        let head = client.read_until("\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("text/event-stream"), "{head}");
        Self::Sse(client)
    }

    /// The next event.
    pub async fn next_event(&mut self) -> Value {
        match self {
            Self::WebSocket(socket) => {
                let message = socket.receive().await;
                assert_eq!(message["type"], "next", "{message}");
                assert!(message["payload"].get("errors").is_none(), "{message}");
                message["payload"]["data"]["accountEvents"].clone()
            }
            Self::Sse(client) => {
                let block = next_sse_block(client).await;
                let data = block.strip_prefix("event: next\ndata: ").unwrap_or_else(|| panic!("{block}"));
                let answer: Value = serde_json::from_str(data).unwrap();
                assert!(answer.get("errors").is_none(), "{answer}");
                answer["data"]["accountEvents"].clone()
            }
        }
    }

    /// The error code of the next event.
    pub async fn next_error_code(&mut self) -> Value {
        let answer = match self {
            Self::WebSocket(socket) => socket.receive().await["payload"].clone(),
            Self::Sse(client) => {
                let block = next_sse_block(client).await;
                serde_json::from_str(block.strip_prefix("event: next\ndata: ").unwrap()).unwrap()
            }
        };
        answer["errors"][0]["extensions"]["code"].clone()
    }

    /// Asserts the final end: completed, and closed with this code.
    pub async fn assert_completed(mut self, code: u16) {
        match &mut self {
            Self::WebSocket(socket) => {
                assert_eq!(socket.receive().await, json!({ "type": "complete", "id": "1" }));
                assert_eq!(socket.next_message().await, Err(code));
            }
            Self::Sse(client) => {
                assert_eq!(next_sse_block(client).await, "event: complete\ndata: null");
                assert_eq!(client.read_to_end().await, "0\r\n\r\n");
            }
        }
    }

    /// Asserts an interruption: not completed, and closed with this code.
    pub async fn assert_aborted(mut self, code: u16) {
        match &mut self {
            Self::WebSocket(socket) => assert_eq!(socket.next_message().await, Err(code)),
            Self::Sse(client) => assert_eq!(client.read_to_end().await, "0\r\n\r\n"),
        }
    }
}

/// The next event of a stream, out of its chunk; keep-alives are skipped.
async fn next_sse_block(client: &mut Client) -> String {
    loop {
        let size = client.read_until("\r\n").await;
        let chunk = client.read_until("\r\n").await;
        assert_eq!(usize::from_str_radix(size.trim_end(), 16).unwrap() + 2, chunk.len(), "{chunk}");
        let block = chunk.trim_end();
        if !block.starts_with(':') {
            return block.to_owned();
        }
    }
}

/// A request for server-sent events.
pub fn sse_request(token: &str, query: &str) -> String {
    let body = json!({ "query": query }).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
