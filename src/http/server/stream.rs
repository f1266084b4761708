//! A client's socket that reports progress to the timeouts, and closes so that the last response arrives.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection_limit::Permit;
use super::listener::ClientSocket;
use super::timeouts::ConnectionTimeouts;

/// Maximum bytes of an unwanted request that are discarded before the connection is reset.
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
    /// Our side is closed; counts the bytes discarded since.
    Lingering(usize),
    /// Our side is closed, and the client sends nothing more: the kernel delivers the rest of the response.
    Closed,
}

impl TimedStream {
    pub(super) fn new(socket: ClientSocket, timeouts: ConnectionTimeouts, permit: Permit) -> Self {
        Self { socket, timeouts, closing: CloseState::Open, _permit: permit }
    }

    /// Reports the result of a write to the timeouts.
    fn record_write(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            self.timeouts.lock().write_blocked();
        }
        written
    }
}

/// An aborted client gets no more data: unsent data would outlive the connection in the kernel.
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
