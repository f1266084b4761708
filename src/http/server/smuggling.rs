//! Refuses requests that this server and a proxy before it could read in two ways (request smuggling).
//!
//! hyper refuses most of them. Of a request that has both a length and a coding, though, it obeys the coding, as RFC 9112
//! section 6.3 allows, and hides the length; of equal lengths it hides all but one. So the bytes of every head are kept
//! until hyper has read it, and looked at once more.

use axum::http::header::{HOST, TRANSFER_ENCODING};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Request, StatusCode, Uri, Version};
use hyper::body::{Body, Incoming};
use memchr::{memchr, memchr_iter};

/// Most bytes of a request's target (RFC 9110 section 4.1 recommends 8,000 at least).
const MAX_TARGET_BYTES: usize = 8 * 1024;

/// Most bytes that are kept. hyper refuses longer heads, and reads less than this ahead.
const MAX_RECORDED_BYTES: usize = 128 * 1024;

/// Larger buffers are given back when their head is done with.
const RETAINED_CAPACITY: usize = 4 * 1024;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FramingError {
    /// Its length is told twice, in two ways, or by an unknown coding.
    Length,
    /// There is no host, or more than one, or none that could be.
    Host,
    /// The target is too long.
    Target,
}

impl FramingError {
    /// How to say it.
    pub(super) fn problem(self) -> (StatusCode, &'static str, &'static str) {
        let (bad, too_long) = (StatusCode::BAD_REQUEST, StatusCode::URI_TOO_LONG);
        match self {
            Self::Length => (bad, "BAD_REQUEST", "tell the body's length once: by Content-Length or by chunks"),
            Self::Host => (bad, "BAD_REQUEST", "name the host once, in the Host header"),
            Self::Target => (too_long, "URI_TOO_LONG", "the address is longer than 8 KiB: send the query by POST"),
        }
    }
}

/// The bytes of a connection from the head on that hyper has not yet read.
#[derive(Default)]
pub(super) struct HeadRecorder {
    bytes: Vec<u8>,
    /// Bytes of the current body that are still to come, before the next head.
    body_left: u64,
    /// The next head cannot be found any more: the connection ends with the current request.
    is_desynchronized: bool,
}

impl HeadRecorder {
    /// Keeps what belongs to heads. Tells whether there was any.
    pub(super) fn record(&mut self, bytes: &[u8]) -> bool {
        if self.is_desynchronized {
            return false;
        }
        let body = bytes.len().min(usize::try_from(self.body_left).unwrap_or(usize::MAX));
        self.body_left -= body as u64;
        let bytes = bytes.get(body..).unwrap_or_default();
        self.bytes.extend_from_slice(if self.bytes.is_empty() { without_empty_lines(bytes) } else { bytes });
        self.is_desynchronized = self.bytes.len() > MAX_RECORDED_BYTES;
        !self.bytes.is_empty()
    }

    /// Checks the head that hyper has just read, and goes on to the next.
    ///
    /// # Errors
    /// If another server could read it in another way.
    pub(super) fn check_head(&mut self, request: &Request<Incoming>) -> Result<(), FramingError> {
        let length = request.body().size_hint().exact();
        let head = std::mem::take(&mut self.bytes);
        let fault =
            self.consume(head, length).or_else(|| find_error(request.version(), request.uri(), request.headers()));
        // The end of a body of unknown length is not looked for, nor is that of one that was refused.
        self.is_desynchronized |= length.is_none() || fault.is_some();
        fault.map_or(Ok(()), Err)
    }

    /// Takes head and body off the bytes.
    fn consume(&mut self, mut bytes: Vec<u8>, length: Option<u64>) -> Option<FramingError> {
        let Some(end) = head_end(&bytes).filter(|_| !self.is_desynchronized) else { return Some(FramingError::Length) };
        let is_ambiguous = has_ambiguous_length(bytes.get(..end).unwrap_or_default());
        bytes.drain(..end);
        if let Some(length) = length {
            let received = bytes.len().min(usize::try_from(length).unwrap_or(usize::MAX));
            bytes.drain(..received);
            self.body_left = length - received as u64;
            let empty_lines = bytes.len() - without_empty_lines(&bytes).len();
            bytes.drain(..empty_lines);
            bytes.shrink_to(RETAINED_CAPACITY);
            self.bytes = bytes;
        }
        is_ambiguous.then_some(FramingError::Length)
    }

    /// Whether the connection ends with the current request.
    pub(super) fn is_desynchronized(&self) -> bool {
        self.is_desynchronized
    }

    /// Whether some of the next head is here.
    pub(super) fn has_next_head(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// Whether the client may be sending still.
    pub(super) fn is_input_expected(&self) -> bool {
        self.is_desynchronized || self.body_left > 0 || self.has_next_head()
    }
}

/// Servers ignore empty lines before a request (RFC 9112 section 2.2).
fn without_empty_lines(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    bytes.get(first..).unwrap_or_default()
}

/// Behind the empty line that ends the head. Lines end with or without CR, as in hyper.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let mut line = 0;
    for newline in memchr_iter(b'\n', bytes) {
        if matches!(bytes.get(line..newline), Some(b"" | b"\r")) {
            return Some(newline + 1);
        }
        line = newline + 1;
    }
    None
}

/// Whether a valid head tells the body's length in more than one header.
fn has_ambiguous_length(head: &[u8]) -> bool {
    let fields = memchr_iter(b'\n', head).filter_map(|end| head.get(end + 1..));
    let names = fields.filter_map(|field| field.get(..memchr(b':', field)?));
    let is_length =
        |name: &&[u8]| name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"transfer-encoding");
    names.filter(is_length).count() > 1
}

/// What hyper takes although RFC 9112 does not.
fn find_error(version: Version, target: &Uri, headers: &HeaderMap) -> Option<FramingError> {
    let coding = headers.get(TRANSFER_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return Some(FramingError::Length);
    }
    let length = |part: Option<&str>| part.map_or(0, str::len);
    if target.path().len() + length(target.query()) + length(target.authority().map(Authority::as_str))
        > MAX_TARGET_BYTES
    {
        return Some(FramingError::Target);
    }
    (!has_valid_host(version, target, headers)).then_some(FramingError::Host)
}

/// One Host header with a name in it (RFC 9112 section 3.2), which a target with a host of its own does not contradict.
fn has_valid_host(version: Version, target: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => {
            let Ok(host) = Authority::try_from(host.as_bytes()) else { return false };
            !host.host().is_empty()
                && !host.as_str().contains('@')
                && target.authority().is_none_or(|authority| *authority == host)
        }
        (Some(_), Some(_)) => false,
    }
}
