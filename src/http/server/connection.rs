//! One connection: hyper, the timer that aborts a slow client, and shutdown.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, Sleep, sleep_until};
use tower::ServiceExt;

use super::Streaming;
use super::connection_limit::Permit;
use super::listener::ClientSocket;
use super::shutdown::{Phases, Shutdown};
use super::stream::TimedStream;
use super::timeouts::ConnectionTimeouts;
use crate::config::Timeouts;
use crate::http::middleware::security_headers;
use crate::http::problem_details;

/// Maximum number of headers of a request.
const MAX_HEADERS: usize = 64;

/// Maximum bytes of a request head.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Maximum bytes read ahead, and maximum bytes of a response that wait to be sent before more of it is polled.
const MAX_BUFFER_BYTES: usize = 32 * 1024;

/// Serves the requests on `socket`. The permit lives as long as the connection, also after a protocol upgrade.
pub(super) async fn run(
    socket: ClientSocket,
    peer: SocketAddr,
    router: Router,
    deadlines: Timeouts,
    phases: Phases,
    permit: Permit,
) {
    // A child of its own: connections do not contend for the lock of the server's token.
    let mut phase = phases.draining.child_token();
    let mut is_draining = false;
    socket.configure(deadlines.write);
    let timeouts = ConnectionTimeouts::new(deadlines);
    let stream = TokioIo::new(TimedStream::new(socket, timeouts.clone(), permit));
    let service = {
        let (timeouts, shutdown) = (timeouts.clone(), Shutdown::new(phase.clone()));
        service_fn(move |request| handle(router.clone(), timeouts.clone(), peer, shutdown.clone(), request))
    };
    let connection = http1::Builder::new()
        // `ConnectionTimeouts` enforces its own limit.
        .header_read_timeout(None)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(MAX_BUFFER_BYTES)
        .serve_connection(stream, service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut timer =
        pin!(DeadlineTimer { timeouts: &timeouts, sleep: Box::pin(sleep_until(Instant::now() + deadlines.head)) });
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "connection error");
                }
                return;
            }
            () = timer.as_mut() => {
                tracing::debug!(%peer, "client timed out");
                return;
            }
            () = phase.cancelled() => {
                if is_draining {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                (phase, is_draining) = (phases.aborting.clone(), true);
            }
        }
    }
}

async fn handle(
    router: Router,
    timeouts: ConnectionTimeouts,
    peer: SocketAddr,
    shutdown: Shutdown,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let checked = timeouts.lock().request_started(&request);
    let mut response = match checked {
        Ok(()) => {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(shutdown);
            router.oneshot(request).await?
        }
        Err(fault) => {
            let (status, code, detail) = fault.problem();
            tracing::debug!(%peer, ?fault, "request refused");
            let mut response = problem_details::problem(status, code, detail);
            security_headers::add_missing(response.headers_mut());
            response
        }
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        timeouts.lock().upgraded();
        return Ok(response);
    }
    let is_streaming = response.extensions().get::<Streaming>().is_some();
    let is_last = is_streaming
        || timeouts.lock().response_ready()
        || matches!(response.status(), StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT);
    if is_last {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Completes when the client has exceeded a deadline. Deadlines change with every request, mostly to a later time: the
/// timer is reset only when one becomes earlier, or when it expires early.
struct DeadlineTimer<'a> {
    timeouts: &'a ConnectionTimeouts,
    sleep: Pin<Box<Sleep>>,
}

impl Future for DeadlineTimer<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = self.timeouts.lock().deadline();
            if let Some(deadline) = deadline.filter(|deadline| *deadline < self.sleep.deadline()) {
                self.sleep.as_mut().reset(deadline);
            }
            ready!(self.sleep.as_mut().poll(cx));
            match deadline {
                Some(deadline) if deadline <= Instant::now() => return Poll::Ready(()),
                Some(deadline) => self.sleep.as_mut().reset(deadline),
                None => return Poll::Pending,
            }
        }
    }
}
