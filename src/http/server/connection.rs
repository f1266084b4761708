//! One connection: hyper, the alarm that cuts it when the client takes too long, and the stop.

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
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};
use tower::ServiceExt;

use super::Unending;
use super::listener::Connection;
use super::places::Place;
use super::progress::Progress;
use super::stop::{Stage, Stop};
use super::stream::Stream;
use crate::config::Deadlines;
use crate::http::{error, headers};

/// Most headers of a request.
const MAX_HEADERS: usize = 64;

/// Most bytes of a request's head.
const MAX_HEAD: usize = 16 * 1024;

/// Most bytes that are read ahead, and most of an answer that wait to be sent before more of it is asked for.
const MAX_BUFFER: usize = 32 * 1024;

/// Serves the requests that come on `socket`. The place is held as long as the connection, also when that is handed on
/// to speak something else.
pub(super) async fn run(
    socket: Connection,
    peer: SocketAddr,
    router: Router,
    deadlines: Deadlines,
    mut stage: watch::Receiver<Stage>,
    place: Place,
) {
    socket.prepare(deadlines.write);
    let progress = Progress::new(deadlines);
    let stream = TokioIo::new(Stream::new(socket, progress.clone(), place));
    let service = {
        let (progress, stop) = (progress.clone(), Stop::new(stage.clone()));
        service_fn(move |request| answer(router.clone(), progress.clone(), peer, stop.clone(), request))
    };
    let connection = http1::Builder::new()
        // Its limit is in Progress.
        .header_read_timeout(None)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(stream, service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut alarm = pin!(Alarm { progress: &progress, sleep: Box::pin(sleep_until(Instant::now() + deadlines.head)) });
    let mut awaited = Stage::Draining;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "a connection broke");
                }
                return;
            }
            () = alarm.as_mut() => {
                tracing::debug!(%peer, "a client took too long");
                return;
            }
            _ = stage.wait_for(|stage| *stage >= awaited) => match awaited {
                Stage::Serving | Stage::Draining => {
                    connection.as_mut().graceful_shutdown();
                    awaited = Stage::Cut;
                }
                Stage::Cut => return,
            },
        }
    }
}

async fn answer(
    router: Router,
    progress: Progress,
    peer: SocketAddr,
    stop: Stop,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let begun = progress.lock().begun(&request);
    let mut response = match begun {
        Ok(()) => {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(stop);
            router.oneshot(request).await?
        }
        Err(fault) => {
            let (status, code, detail) = fault.told();
            tracing::debug!(%peer, ?fault, "a request is refused");
            let mut response = error::problem(status, code, detail);
            headers::add(response.headers_mut());
            response
        }
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        progress.lock().upgraded();
        return Ok(response);
    }
    let is_unending = response.extensions().get::<Unending>().is_some();
    let ends = progress.lock().answered(is_unending)
        || matches!(response.status(), StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT);
    if ends {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Rings when the client has taken too long. Deadlines move with every request, mostly into the future: the timer is
/// set again only when one comes nearer, or when it has run out too early.
struct Alarm<'a> {
    progress: &'a Progress,
    sleep: Pin<Box<Sleep>>,
}

impl Future for Alarm<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = self.progress.lock().deadline();
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
