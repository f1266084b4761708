//! Delivery at least once, although the delivering node dies, or a receiver takes too long.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{advance, pause, resume};

use super::*;

/// A node that dies between claim and response.
#[tokio::test]
async fn webhook_is_redelivered_after_its_node_is_lost() {
    let receiver = Receiver::new().await;
    let app = with_endpoint(&receiver).await;
    app.user("ann").await;
    let db = app.app.db.writer();
    let message = webhook_delivery::Entity::find().one(db).await.unwrap().unwrap();
    let lost_at = app.clock.current() + TimeDelta::minutes(1);
    assert!(accountd::store::webhook_deliveries::update_claimed(db, &message, lost_at).await.unwrap().is_some());
    assert_eq!(send_due(&app.app).await.unwrap(), 0);
    app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(send_due(&app.app).await.unwrap(), 1);
    assert_eq!((receiver.take().len(), queued_count(&app).await), (1, 0));
}

/// The raw request; its body is JSON.
async fn read_request(socket: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"}") {
        assert!(socket.read_buf(&mut request).await.unwrap() > 0, "half a request");
    }
    String::from_utf8(request).unwrap()
}

fn id(request: &str) -> &str {
    request.lines().find_map(|line| line.strip_prefix("webhook-id: ")).unwrap()
}

/// A node that dies after a delivery, before recording it.
#[tokio::test]
async fn webhook_is_redelivered_if_its_node_dies_before_recording() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("crm=http://{}/", listener.local_addr().unwrap());
    let app = with_endpoints(&endpoint, &format!("crm={SECRET}")).await;
    app.user("ann").await;
    let sending = || {
        let node = app.app.clone();
        tokio::spawn(async move { send_due(&node).await.unwrap() })
    };
    let dying = sending();
    let (mut socket, _) = listener.accept().await.unwrap();
    let first = read_request(&mut socket).await;
    // The status says accepted, and the body is incomplete.
    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n").await.unwrap();
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    assert_eq!(queued_count(&app).await, 1, "it is not recorded");

    app.clock.advance(TimeDelta::minutes(1));
    let living = sending();
    let (mut socket, _) = listener.accept().await.unwrap();
    let again = read_request(&mut socket).await;
    socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    assert_eq!((living.await.unwrap(), queued_count(&app).await), (1, 0));
    assert_eq!(id(&first), id(&again), "it is the same message");
}

/// Five seconds, on a manual clock.
#[tokio::test]
async fn webhook_is_redelivered_after_a_response_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("crm=http://{}/", listener.local_addr().unwrap());
    let app = with_endpoints(&endpoint, &format!("crm={SECRET}")).await;
    app.user("ann").await;
    let slow = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        read_request(&mut socket).await;
        pause();
        advance(Duration::from_secs(5)).await;
        // The database needs real time.
        resume();
        // Until the sender closes.
        socket.read_to_end(&mut Vec::new()).await.ok();
    });
    assert_eq!(send_due(&app.app).await.unwrap(), 1);
    slow.await.unwrap();
    let left = webhook_delivery::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
    assert_eq!((left.attempts, left.failure.as_deref()), (1, Some("the request timed out")));
    assert_eq!(left.due_at.utc(), app.clock.current() + TimeDelta::seconds(5));
}

/// Q12: a redirect to an unchecked address is a failed delivery.
#[tokio::test]
async fn webhook_redirect_is_not_followed_but_retried() {
    let inside = Receiver::new().await;
    let target = format!("http://{}/secret", inside.address);
    let redirecting = Receiver::responding_with(move |_| {
        (StatusCode::PERMANENT_REDIRECT, [("location", target.clone())]).into_response()
    });
    let redirecting = redirecting.await;
    let app = with_endpoint(&redirecting).await;
    app.user("ann").await;
    assert_eq!(send_due(&app.app).await.unwrap(), 1);
    app.clock.advance(TimeDelta::seconds(5));
    assert_eq!(send_due(&app.app).await.unwrap(), 1);
    let left = webhook_delivery::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
    assert_eq!((left.attempts, left.failure.as_deref()), (2, Some("response status 308")));
    assert_eq!((redirecting.take().len(), inside.take().len()), (2, 0));
}
