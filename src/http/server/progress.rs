//! How far a connection has come in the current exchange, and until when it has to come further.
//!
//! hyper's own timer for headers runs while a kept connection is idle, too, so that it could only hold one limit for
//! both; for slow readers it has none. Here every part has its own limit, and one alarm watches them all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Request;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::framing::{Fault, Heads};
use crate::config::Deadlines;

/// How long a client may go on sending what nobody reads any more, before the connection is reset under it.
const LINGER: Duration = Duration::from_secs(2);

/// Shared by the stream, which sees bytes, the service, which sees requests, and the alarm; all in one task.
#[derive(Clone)]
pub(super) struct Progress(Arc<Mutex<State>>);

pub(super) struct State {
    deadlines: Deadlines,
    phase: Phase,
    until: Option<Instant>,
    /// Until when the client must have taken what is being sent to it.
    taken_until: Option<Instant>,
    heads: Heads,
}

#[derive(PartialEq, Eq)]
enum Phase {
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

impl Progress {
    pub(super) fn new(deadlines: Deadlines) -> Self {
        let until = Some(Instant::now() + deadlines.head);
        let heads = Heads::default();
        Self(Arc::new(Mutex::new(State { deadlines, phase: Phase::Head, until, taken_until: None, heads })))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// When the connection has to be cut if nothing changes before. While the client does not take its answer, nothing
    /// else is asked of it: hyper reads no further.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.taken_until.or(self.until)
    }

    /// Bytes came in.
    pub(super) fn received(&mut self, bytes: &[u8]) {
        if self.phase == Phase::Upgraded {
            return;
        }
        let is_head = self.heads.record(bytes);
        if is_head && self.phase == Phase::Idle {
            self.enter(Phase::Head, self.deadlines.head);
        }
    }

    /// hyper has read the head of a request.
    ///
    /// # Errors
    /// If another server could read it in another way.
    pub(super) fn begun(&mut self, request: &Request<Incoming>) -> Result<(), Fault> {
        self.phase = Phase::Busy;
        self.until = None;
        self.heads.take(request)
    }

    /// The answer is made; sending it has a limit of its own. Tells whether it has to be the connection's last.
    pub(super) fn answered(&mut self, is_unending: bool) -> bool {
        if is_unending {
            return true;
        }
        self.wait_for_next();
        self.heads.is_lost()
    }

    /// From here on the connection is somebody else's.
    pub(super) fn upgraded(&mut self) {
        (self.phase, self.until, self.heads) = (Phase::Upgraded, None, Heads::default());
    }

    /// The client takes no more bytes for now. Taking a few later does not move the limit: that is how slow readers stay.
    pub(super) fn blocked(&mut self) {
        self.taken_until.get_or_insert_with(|| Instant::now() + self.deadlines.write);
    }

    /// The client took everything.
    pub(super) fn flushed(&mut self) {
        if self.taken_until.take().is_some() && matches!(self.phase, Phase::Idle | Phase::Head) {
            self.wait_for_next();
        }
    }

    /// Whether nothing is on its way in either direction.
    pub(super) fn is_at_rest(&self) -> bool {
        matches!(self.phase, Phase::Idle | Phase::Upgraded) && self.taken_until.is_none() && !self.heads.expects_more()
    }

    /// The last answer is sent. Tells whether the client may still be sending: closing at once would then reset the
    /// connection, and the client would lose the answer (RFC 9112 section 9.6).
    pub(super) fn closing(&mut self) -> bool {
        let is_at_rest = self.is_at_rest();
        self.enter(Phase::Closing, LINGER);
        !is_at_rest
    }

    fn wait_for_next(&mut self) {
        if self.heads.has_next() {
            self.enter(Phase::Head, self.deadlines.head);
        } else {
            self.enter(Phase::Idle, self.deadlines.idle);
        }
    }

    fn enter(&mut self, phase: Phase, limit: Duration) {
        self.phase = phase;
        self.until = Some(Instant::now() + limit);
    }
}
