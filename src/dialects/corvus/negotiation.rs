//! Content negotiation: responses are JSON, and vary by `Accept`.

use axum::extract::Request;
use axum::http::header::VARY;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::dialects::http_error::HttpError;
use crate::headers::accept::media_ranges;

/// Answers 406 to clients that do not accept JSON; adds `Vary: Accept` to every response.
pub(super) async fn negotiate(request: Request, next: Next) -> Response {
    let mut response = if accepts_json(request.headers()) {
        next.run(request).await
    } else {
        HttpError::new(StatusCode::NOT_ACCEPTABLE, "send Accept: application/json").into_response()
    };
    response.headers_mut().append(VARY, HeaderValue::from_static("Accept"));
    response
}

/// Whether the most specific range that contains JSON has a non-zero weight (RFC 9110 section 12.5.1). A missing or
/// empty header accepts anything; Java clients send `*` for `*/*`.
fn accepts_json(headers: &HeaderMap) -> bool {
    let ranges = media_ranges(headers);
    let of = |name: &str| ranges.iter().find(|range| range.name == name).map(|range| range.weight);
    let weight = of("application/json").or(of("application/*")).or(of("*/*")).or(of("*"));
    ranges.is_empty() || weight.is_some_and(|weight| weight > 0.0)
}

#[cfg(test)]
mod tests {
    use axum::http::header::ACCEPT;

    use super::*;

    #[test]
    fn json_is_served_to_clients_that_accept_it() {
        let takes = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(ACCEPT, value.parse().unwrap());
            }
            accepts_json(&headers)
        };
        assert!(takes(&[]) && takes(&[""]) && takes(&["*"]));
        for value in ["*/*", "application/*", "Application/JSON; charset=utf-8", "text/html, */*;q=0.1"] {
            assert!(takes(&[value]), "{value}");
        }
        assert!(takes(&["text/html", "application/json"]));
        for value in ["text/html", "application/json;q=0, */*", "application/jsonx", "*/*;q=none"] {
            assert!(!takes(&[value]), "{value}");
        }
    }
}
