//! The state of a connection's current exchange, and its deadlines.
//!
//! hyper's header timer also runs while a kept-alive connection is idle, so it could only enforce one limit for both;
//! it has none for slow readers. Here each phase has its own limit, and one timer enforces them all.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use hyper::body::Incoming;
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::smuggling::{FramingError, HeadRecorder};
use crate::config::Timeouts;

/// How long a client may continue to send discarded data before the connection is reset.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// Shared by the stream, which sees bytes, the service, which sees requests, and the timer; all in one task.
#[derive(Clone)]
pub(super) struct ConnectionTimeouts(Arc<Mutex<State>>);

pub(super) struct State {
    deadlines: Timeouts,
    phase: ExchangePhase,
    phase_deadline: Option<Instant>,
    /// Until when the client must take the data being sent.
    write_deadline: Option<Instant>,
    head_recorder: HeadRecorder,
}

#[derive(PartialEq, Eq)]
enum ExchangePhase {
    /// Between two requests.
    Idle,
    /// A head is being received, or the first one is awaited.
    Head,
    /// A handler runs, under the router's own deadlines; or its response is streaming.
    Busy,
    /// Another protocol than HTTP, with its own deadlines.
    Upgraded,
    /// The response that closes the connection was sent.
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
        self.0.lock()
    }
}

impl State {
    /// The deadline after which the connection is aborted. While the client does not read its response, only that
    /// deadline counts: hyper reads no further.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.write_deadline.or(self.phase_deadline)
    }

    pub(super) fn received(&mut self, bytes: &[u8]) {
        if self.phase == ExchangePhase::Upgraded {
            return;
        }
        let is_head = self.head_recorder.record(bytes);
        if is_head && self.phase == ExchangePhase::Idle {
            self.enter(ExchangePhase::Head, self.deadlines.head);
        }
    }

    /// hyper has parsed the head of a request.
    ///
    /// # Errors
    /// If another server could parse it differently.
    pub(super) fn request_started(&mut self, request: &Request<Incoming>) -> Result<(), FramingError> {
        self.phase = ExchangePhase::Busy;
        self.phase_deadline = None;
        self.head_recorder.check_head(request)
    }

    /// The response is ready; sending it has its own limit. Returns whether it must be the connection's last.
    pub(super) fn response_ready(&mut self) -> bool {
        self.wait_for_next();
        self.head_recorder.is_desynchronized()
    }

    /// From here on another protocol owns the connection.
    pub(super) fn upgraded(&mut self) {
        (self.phase, self.phase_deadline, self.head_recorder) =
            (ExchangePhase::Upgraded, None, HeadRecorder::default());
    }

    /// The client takes no more bytes for now. Reading a few later does not extend the deadline, because slow readers
    /// would use that.
    pub(super) fn write_blocked(&mut self) {
        self.write_deadline.get_or_insert_with(|| Instant::now() + self.deadlines.write);
    }

    /// The client took everything.
    pub(super) fn flushed(&mut self) {
        if self.write_deadline.take().is_some() && matches!(self.phase, ExchangePhase::Idle | ExchangePhase::Head) {
            self.wait_for_next();
        }
    }

    /// Whether no data is in flight in either direction.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase, ExchangePhase::Idle | ExchangePhase::Upgraded)
            && self.write_deadline.is_none()
            && !self.head_recorder.is_input_expected()
    }

    /// The last response is sent. Returns whether the client may still be sending: closing at once would then reset the
    /// connection and lose the response (RFC 9112 section 9.6).
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
