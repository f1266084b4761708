//! A socket that tells what happens on it, and closes so that the last answer arrives.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::listener::Connection;
use super::places::Place;
use super::progress::Progress;

/// Most bytes of an unwanted request that are still taken from a client before the connection is reset under it.
const MAX_UNWANTED: usize = 1024 * 1024;

pub(super) struct Stream {
    socket: Connection,
    progress: Progress,
    closing: Closing,
    _place: Place,
}

#[derive(Clone, Copy)]
enum Closing {
    No,
    /// Our side is closed; so many bytes were thrown away since.
    Lingering(usize),
    /// Our side is closed, and the client has nothing more to send: the system delivers what is left of the answer.
    Closed,
}

impl Stream {
    pub(super) fn new(socket: Connection, progress: Progress, place: Place) -> Self {
        Self { socket, progress, closing: Closing::No, _place: place }
    }

    /// Tells what became of a write.
    fn told(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            self.progress.lock().blocked();
        }
        written
    }
}

/// A client that is cut gets nothing more: what still waits to be sent would outlive the connection in the system.
impl Drop for Stream {
    fn drop(&mut self) {
        if matches!(self.closing, Closing::No) && !self.progress.lock().is_at_rest() {
            self.socket.forget_unsent();
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let begin = buf.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        self.progress.lock().received(buf.filled().get(begin..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.told(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.told(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// hyper flushes when its own buffer is empty, and the socket has none.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.progress.lock().flushed();
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut unwanted = match self.closing {
            Closing::Lingering(unwanted) => unwanted,
            Closing::Closed => return Poll::Ready(Ok(())),
            Closing::No => {
                ready!(Pin::new(&mut self.socket).poll_shutdown(cx))?;
                if !self.progress.lock().closing() {
                    self.closing = Closing::Closed;
                    return Poll::Ready(Ok(()));
                }
                0
            }
        };
        let mut scratch = [0; 4096];
        loop {
            self.closing = Closing::Lingering(unwanted);
            let mut buf = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buf));
            unwanted += buf.filled().len();
            if read.is_err() || buf.filled().is_empty() || unwanted > MAX_UNWANTED {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
