//! Content negotiation of GraphQL over HTTP (the GraphQL-over-HTTP working draft; RFC 9110 section 12.5.1).

use axum::http::{HeaderMap, HeaderValue, Method};

use crate::app::App;
use crate::headers::accept::{self, MediaRange, media_ranges};
use crate::headers::content_type::ContentType;
use crate::http::pages::playground;

/// The two media types of a GraphQL response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResponseMedia {
    /// `application/json`: the status is 200 for every well-formed GraphQL response.
    Json,
    /// `application/graphql-response+json`: the status reflects the result.
    GraphQl,
}

impl ResponseMedia {
    /// The value of `Content-Type`.
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphQl => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// The media type that the client prefers, or `None` if it accepts neither. Legacy clients that accept anything get
    /// plain JSON. An empty header states no preference (RFC 9110 section 12.5.1), and Java's `HttpURLConnection`
    /// writes `*` for `*/*`.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let ranges = media_ranges(headers);
        if ranges.is_empty() {
            return Some(Self::Json);
        }
        let mut best: Option<(Self, f32)> = None;
        for MediaRange { name, weight } in ranges {
            let media = match name.as_str() {
                "application/graphql-response+json" => Self::GraphQl,
                "application/json" | "application/*" | "*/*" | "*" => Self::Json,
                _ => continue,
            };
            if weight > 0.0 && best.is_none_or(|(_, other)| weight > other) {
                best = Some((media, weight));
            }
        }
        best.map(|(media, _)| media)
    }
}

/// How to respond to a request.
pub(super) struct ResponseMode {
    /// The media type of GraphQL responses.
    pub media: ResponseMedia,
    /// Whether the client accepts server-sent events, and whether it accepts only them.
    pub sse: SseMode,
    method: Method,
    /// Whether schema introspection is allowed for this request.
    pub can_introspect: bool,
}

/// Whether the client accepts server-sent events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SseMode {
    Refused,
    Accepted,
    /// It accepts nothing else.
    Required,
}

impl ResponseMode {
    /// Negotiates by the headers; `None` if the client accepts nothing that the server offers.
    pub fn negotiate(app: &App, headers: &HeaderMap, method: Method) -> Option<Self> {
        let (media, sse) = match (ResponseMedia::accepted(headers), accepts_event_stream(headers)) {
            (Some(media), false) => (media, SseMode::Refused),
            (Some(media), true) => (media, SseMode::Accepted),
            // Clients of event streams read the status of a rejection first.
            (None, true) => (ResponseMedia::GraphQl, SseMode::Required),
            (None, false) => return None,
        };
        Some(Self { media, sse, method, can_introspect: playground::is_open_to(app, headers) })
    }

    /// Mutations run by POST only.
    pub fn can_mutate(&self) -> bool {
        self.method == Method::POST
    }
}

/// Whether the client accepts server-sent events; only the exact media type counts, not a wildcard.
pub(super) fn accepts_event_stream(headers: &HeaderMap) -> bool {
    accept::names(headers, "text/event-stream")
}

/// Whether the body is declared as JSON in UTF-8. Pages of other origins can send forms, plain text and untyped bodies
/// without a preflight (OWASP CSRF Prevention Cheat Sheet).
pub(super) fn is_json_request(headers: &HeaderMap) -> bool {
    ContentType::read_unambiguous(headers).is_some_and(|content_type| {
        matches!(content_type.media_type.as_str(), "application/json" | "application/graphql-response+json")
            && content_type.is_utf8()
    })
}

#[cfg(test)]
mod tests {
    use axum::http::header::{ACCEPT, CONTENT_TYPE};

    use super::*;

    fn accepted(value: &str) -> Option<ResponseMedia> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, value.parse().unwrap());
        ResponseMedia::accepted(&headers)
    }

    #[test]
    fn highest_quality_media_type_is_chosen() {
        assert_eq!(ResponseMedia::accepted(&HeaderMap::new()), Some(ResponseMedia::Json));
        assert_eq!(accepted("*/*"), Some(ResponseMedia::Json));
        assert_eq!(accepted("application/graphql-response+json,application/json;q=0.9"), Some(ResponseMedia::GraphQl));
        assert_eq!(accepted("application/json, application/graphql-response+json;q=0.5"), Some(ResponseMedia::Json));
        assert_eq!(
            accepted("application/graphql-response+json; charset=utf-8, */*;q=0.1"),
            Some(ResponseMedia::GraphQl)
        );
        assert_eq!(accepted("text/html"), None);
        assert_eq!(
            (accepted(""), accepted(" , "), accepted("*")),
            (Some(ResponseMedia::Json), Some(ResponseMedia::Json), Some(ResponseMedia::Json))
        );
        // Java's `HttpURLConnection` sends this.
        assert_eq!(accepted("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"), Some(ResponseMedia::Json));
        assert_eq!(accepted("application/json;q=0"), None);
    }

    #[test]
    fn event_stream_needs_its_own_media_range() {
        let accepts = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, value.parse().unwrap());
            accepts_event_stream(&headers)
        };
        assert!(accepts("text/event-stream") && accepts("application/json, Text/Event-Stream;q=0.5"));
        assert!(
            !accepts("*/*")
                && !accepts("text/*")
                && !accepts("text/event-stream;q=0")
                && !accepts_event_stream(&HeaderMap::new())
        );
    }

    #[test]
    fn only_json_in_utf8_is_accepted() {
        let is = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
            is_json_request(&headers)
        };
        assert!(is("application/json"));
        assert!(is("Application/JSON; charset=UTF-8"));
        assert!(is("application/json;charset=utf8") && is("application/json; charset=\"UTF8\""));
        assert!(!is("application/json; charset=utf-16"));
        assert!(!is("text/plain"));
        assert!(!is("application/x-www-form-urlencoded"));
        assert!(!is("multipart/form-data; boundary=x"));
        assert!(!is_json_request(&HeaderMap::new()));
    }
}
