//! How far a connection has come in the current exchange, and until when it has to come further.
//!
//! hyper's own timer for headers runs while a kept connection is idle, too, so that it could only hold one limit for
//! both; for slow readers it has none. Here every part has its own limit, and one alarm watches them all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Request;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::smuggling::{FramingError, HeadRecorder};
use crate::config::Timeouts;

/// How long a client may go on sending what nobody reads any more, before the connection is reset under it.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// Shared by the stream, which sees bytes, the service, which sees requests, and the alarm; all in one task.
#[derive(Clone)]
pub(super) struct ConnectionTimeouts(Arc<Mutex<State>>);

pub(super) struct State {
    deadlines: Timeouts,
    phase: ExchangePhase,
    phase_deadline: Option<Instant>,
    /// Until when the client must have taken what is being sent to it.
    write_deadline: Option<Instant>,
    head_recorder: HeadRecorder,
}

#[derive(PartialEq, Eq)]
enum ExchangePhase {
    /// Between two requests.
    Idle,
    /// A header is coming in, or the first one is awaited.
    Head,
    /// A request is worked on, and the router's own deadlines hold; or its answer goes on and on.
    Busy,
    /// It speaks something else than HTTP, with deadlines of its own.
    Upgraded,
    /// The answer that closes the connection was sent.
    Closing,
}

impl ConnectionTimeouts {
    pub(super) fn new(deadlines: Timeouts) -> Self {
        let phase_deadline = Some(Instant::now() + deadlines.head);
        let head_recorder = HeadRecorder::default();
        Self(Arc::new(Mutex::new(State {
            deadlines,
            phase: ExchangePhase::Head,
            phase_deadline,
            write_deadline: None,
            head_recorder,
        })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When the connection has to be cut if nothing changes before. While the client does not take its answer, nothing
    /// else is asked of it: hyper reads no further.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.write_deadline.or(self.phase_deadline)
    }

    /// Bytes came in.
    pub(super) fn received(&mut self, bytes: &[u8]) {
        if self.phase == ExchangePhase::Upgraded {
            return;
        }
        let is_head = self.head_recorder.record(bytes);
        if is_head && self.phase == ExchangePhase::Idle {
            self.enter(ExchangePhase::Head, self.deadlines.head);
        }
    }

    /// hyper has read the head of a request.
    ///
    /// # Errors
    /// If another server could read it in another way.
    pub(super) fn request_started(&mut self, request: &Request<Incoming>) -> Result<(), FramingError> {
        self.phase = ExchangePhase::Busy;
        self.phase_deadline = None;
        self.head_recorder.check_head(request)
    }

    /// The answer is made; sending it has a limit of its own. Tells whether it has to be the connection's last.
    pub(super) fn response_ready(&mut self, is_streaming: bool) -> bool {
        if is_streaming {
            return true;
        }
        self.wait_for_next();
        self.head_recorder.is_desynchronized()
    }

    /// From here on the connection is somebody else's.
    pub(super) fn upgraded(&mut self) {
        (self.phase, self.phase_deadline, self.head_recorder) =
            (ExchangePhase::Upgraded, None, HeadRecorder::default());
    }

    /// The client takes no more bytes for now. Taking a few later does not move the limit: that is how slow readers stay.
    pub(super) fn write_blocked(&mut self) {
        self.write_deadline.get_or_insert_with(|| Instant::now() + self.deadlines.write);
    }

    /// The client took everything.
    pub(super) fn flushed(&mut self) {
        if self.write_deadline.take().is_some() && matches!(self.phase, ExchangePhase::Idle | ExchangePhase::Head) {
            self.wait_for_next();
        }
    }

    /// Whether nothing is on its way in either direction.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase, ExchangePhase::Idle | ExchangePhase::Upgraded)
            && self.write_deadline.is_none()
            && !self.head_recorder.is_input_expected()
    }

    /// The last answer is sent. Tells whether the client may still be sending: closing at once would then reset the
    /// connection, and the client would lose the answer (RFC 9112 section 9.6).
    pub(super) fn start_closing(&mut self) -> bool {
        let is_idle = self.is_idle();
        self.enter(ExchangePhase::Closing, LINGER_TIMEOUT);
        !is_idle
    }

    fn wait_for_next(&mut self) {
        if self.head_recorder.has_next_head() {
            self.enter(ExchangePhase::Head, self.deadlines.head);
        } else {
            self.enter(ExchangePhase::Idle, self.deadlines.idle);
        }
    }

    fn enter(&mut self, phase: ExchangePhase, limit: Duration) {
        self.phase = phase;
        self.phase_deadline = Some(Instant::now() + limit);
    }
}
