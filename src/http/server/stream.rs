//! A socket that tells what happens on it, and closes so that the last answer arrives.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection_limit::Permit;
use super::listener::ClientSocket;
use super::timeouts::ConnectionTimeouts;

/// Most bytes of an unwanted request that are still taken from a client before the connection is reset under it.
const MAX_DISCARDED_BYTES: usize = 1024 * 1024;

pub(super) struct TimedStream {
    socket: ClientSocket,
    timeouts: ConnectionTimeouts,
    closing: CloseState,
    _permit: Permit,
}

#[derive(Clone, Copy)]
enum CloseState {
    Open,
    /// Our side is closed; so many bytes were thrown away since.
    Lingering(usize),
    /// Our side is closed, and the client has nothing more to send: the system delivers what is left of the answer.
    Closed,
}

impl TimedStream {
    pub(super) fn new(socket: ClientSocket, timeouts: ConnectionTimeouts, permit: Permit) -> Self {
        Self { socket, timeouts, closing: CloseState::Open, _permit: permit }
    }

    /// Tells what became of a write.
    fn record_write(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            self.timeouts.lock().write_blocked();
        }
        written
    }
}

/// A client that is cut gets nothing more: what still waits to be sent would outlive the connection in the system.
impl Drop for TimedStream {
    fn drop(&mut self) {
        if matches!(self.closing, CloseState::Open) && !self.timeouts.lock().is_idle() {
            self.socket.discard_unsent();
        }
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let start = buf.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        self.timeouts.lock().received(buf.filled().get(start..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.record_write(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.record_write(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// hyper flushes when its own buffer is empty, and the socket has none.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.timeouts.lock().flushed();
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut discarded = match self.closing {
            CloseState::Lingering(discarded) => discarded,
            CloseState::Closed => return Poll::Ready(Ok(())),
            CloseState::Open => {
                ready!(Pin::new(&mut self.socket).poll_shutdown(cx))?;
                if !self.timeouts.lock().start_closing() {
                    self.closing = CloseState::Closed;
                    return Poll::Ready(Ok(()));
                }
                0
            }
        };
        let mut scratch = [0; 4096];
        loop {
            self.closing = CloseState::Lingering(discarded);
            let mut buf = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buf));
            discarded += buf.filled().len();
            if read.is_err() || buf.filled().is_empty() || discarded > MAX_DISCARDED_BYTES {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
