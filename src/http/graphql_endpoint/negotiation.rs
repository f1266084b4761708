//! Content negotiation of GraphQL over HTTP (the GraphQL-over-HTTP working draft; RFC 9110 section 12.5.1).

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method};

use crate::app::App;
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
        let mut best: Option<(Self, f32)> = None;
        let mut has_range = false;
        for range in
            headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','))
        {
            if range.trim().is_empty() {
                continue;
            }
            has_range = true;
            let mut parts = range.split(';').map(str::trim);
            let media = match parts.next().map(str::to_ascii_lowercase).as_deref() {
                Some("application/graphql-response+json") => Self::GraphQl,
                Some("application/json" | "application/*" | "*/*" | "*") => Self::Json,
                _ => continue,
            };
            let quality = parts
                .find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")))
                .map_or(1.0, |text| text.parse().unwrap_or(0.0));
            if quality > 0.0 && best.is_none_or(|(_, other)| quality > other) {
                best = Some((media, quality));
            }
        }
        if has_range { best.map(|(media, _)| media) } else { Some(Self::Json) }
    }
}

/// How to respond to a request.
pub(super) struct ResponseMode {
    /// The media type of GraphQL responses.
    pub media: ResponseMedia,
    /// Whether the client accepts server-sent events, and nothing else.
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
    let ranges =
        headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    ranges.into_iter().any(|range| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        parts.next().as_deref() == Some("text/event-stream")
            && !parts.any(|part| part.strip_prefix("q=").is_some_and(|text| text.parse() == Ok(0.0)))
    })
}

/// Whether the body is declared as JSON in UTF-8. Pages of other origins can send forms, plain text and untyped bodies
/// without a preflight (OWASP CSRF Prevention Cheat Sheet).
pub(super) fn is_json_request(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(text) = value.to_str() else { return false };
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let is_json = matches!(parts.next().as_deref(), Some("application/json" | "application/graphql-response+json"));
    is_json
        && parts.all(|part| {
            part.strip_prefix("charset=").is_none_or(|name| matches!(name.trim_matches('"'), "utf-8" | "utf8"))
        })
}

#[cfg(test)]
mod tests {
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
