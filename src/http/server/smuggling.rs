//! Refuses requests that this server and a proxy in front of it could parse differently (request smuggling).
//!
//! hyper refuses most of them. Of a request with both a length and a transfer coding, though, it follows the coding and
//! hides the length, as RFC 9112 section 6.3 allows. Of equal lengths it hides all but one. So the bytes of each head
//! are recorded until hyper has parsed it, and checked again.

use axum::http::header::{HOST, TRANSFER_ENCODING};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Request, StatusCode, Uri, Version};
use hyper::body::{Body, Incoming};
use memchr::{memchr, memchr_iter};

/// Maximum bytes of a request target (RFC 9110 section 4.1 recommends at least 8,000).
const MAX_TARGET_BYTES: usize = 8 * 1024;

/// Maximum bytes recorded. hyper refuses longer heads, and reads less than this ahead.
const MAX_RECORDED_BYTES: usize = 128 * 1024;

/// Larger buffers are shrunk after their head.
const RETAINED_CAPACITY: usize = 4 * 1024;

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FramingError {
    /// The length is stated twice, in two ways, or by an unknown coding.
    Length,
    /// `Host` is missing, repeated or invalid.
    Host,
    /// The target is too long.
    Target,
}

impl FramingError {
    /// The status, the code and the detail of the response.
    pub(super) fn problem(self) -> (StatusCode, &'static str, &'static str) {
        let (bad, too_long) = (StatusCode::BAD_REQUEST, StatusCode::URI_TOO_LONG);
        match self {
            Self::Length => (bad, "BAD_REQUEST", "state the body length once: by Content-Length or by chunked coding"),
            Self::Host => (bad, "BAD_REQUEST", "send exactly one valid Host header"),
            Self::Target => (too_long, "URI_TOO_LONG", "the URL is longer than 8 KiB: send the query by POST"),
        }
    }
}

/// Records the bytes of a connection that belong to request heads, until hyper has parsed them.
#[derive(Default)]
pub(super) struct HeadRecorder {
    bytes: Vec<u8>,
    /// Bytes of the current body still to come, before the next head.
    body_left: u64,
    /// The start of the next head is unknown: the connection ends with the current request.
    is_desynchronized: bool,
}

impl HeadRecorder {
    /// Records the bytes that belong to heads. Returns whether any are recorded.
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

    /// Checks the head that hyper has just parsed, and advances to the next.
    ///
    /// # Errors
    /// If another server could parse it differently.
    pub(super) fn check_head(&mut self, request: &Request<Incoming>) -> Result<(), FramingError> {
        let length = request.body().size_hint().exact();
        let head = std::mem::take(&mut self.bytes);
        let fault =
            self.consume(head, length).or_else(|| find_error(request.version(), request.uri(), request.headers()));
        // The end of a body of unknown length is not tracked, nor the end of a refused one.
        self.is_desynchronized |= length.is_none() || fault.is_some();
        fault.map_or(Ok(()), Err)
    }

    /// Removes head and body from the recorded bytes.
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

    /// Whether the connection must end with the current request.
    pub(super) fn is_desynchronized(&self) -> bool {
        self.is_desynchronized
    }

    /// Whether part of the next head is recorded.
    pub(super) fn has_next_head(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// Whether the client may still be sending.
    pub(super) fn is_input_expected(&self) -> bool {
        self.is_desynchronized || self.body_left > 0 || self.has_next_head()
    }
}

/// Servers ignore empty lines before a request (RFC 9112 section 2.2).
fn without_empty_lines(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    bytes.get(first..).unwrap_or_default()
}

/// The index after the empty line that ends the head. As in hyper, lines end with or without CR.
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

/// Whether a valid head states the body's length in more than one header.
fn has_ambiguous_length(head: &[u8]) -> bool {
    let fields = memchr_iter(b'\n', head).filter_map(|end| head.get(end + 1..));
    let names = fields.filter_map(|field| field.get(..memchr(b':', field)?));
    let is_length =
        |name: &&[u8]| name.eq_ignore_ascii_case(b"content-length") || name.eq_ignore_ascii_case(b"transfer-encoding");
    names.filter(is_length).count() > 1
}

/// Finds what hyper accepts although RFC 9112 does not.
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

/// Exactly one Host header with a name (RFC 9112 section 3.2), which an absolute target must not contradict.
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
