//! Error responses of an embedding application's routes.

use axum::body::Body;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response};

use crate::error::Error;
use crate::http::middleware::security_headers;
use crate::http::problem_details::{problem, status_of};

/// The response to an error of a use case on an embedding application's route, by the table of errors.
pub(super) fn rejection(error: &Error, request_id: &str) -> Response<Body> {
    error.log(request_id);
    let kind = error.kind();
    let mut response = problem(status_of(kind), kind.code(), &error.to_string());
    if let Some(challenge) = kind.bearer_challenge() {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    if let Some(seconds) = error.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    security_headers::add_missing(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::samples::{assert_statuses, one_error_of_each_kind};
    use crate::error::{Refusal, RefusalCode};

    #[test]
    fn embedding_route_responds_by_the_table() {
        assert_statuses(|error| rejection(&error, "").status().as_u16(), &[]);
        for error in one_error_of_each_kind() {
            let response = rejection(&error, "");
            let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(header(WWW_AUTHENTICATE).as_deref(), error.kind().bearer_challenge(), "{error}");
            assert_eq!(header(RETRY_AFTER), error.retry_after().map(|seconds| seconds.to_string()), "{error}");
        }
    }

    #[test]
    fn exceeded_limit_is_429_with_the_true_seconds() {
        let refusal = Refusal { retry_after: Some(42), ..Refusal::new(RefusalCode::TooManyAttempts, "wait") };
        let answers = [(refusal.into(), 429, "42"), (Error::ServerBusy { retry_after: 7 }, 503, "7")];
        for (error, status, seconds) in answers {
            let response = rejection(&error, "");
            let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            assert_eq!((response.status().as_u16(), retry_after), (status, Some(seconds)), "{error}");
        }
    }
}
