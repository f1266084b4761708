//! The `Authorization` header.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};

use crate::account::caller::request_auth::Credentials;

/// The credentials in the header. Signed-out clients send an empty header, `Bearer`, `Bearer null` or `Bearer
/// undefined`: these count as no credentials. So does another scheme, such as the `Basic` of a proxy in front of a
/// staging site; a cookie beside it still counts.
pub(in crate::http) fn credentials(headers: &HeaderMap) -> Credentials {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, more) = (values.next(), values.next());
    let Some(value) = value else { return Credentials::None };
    if more.is_some() {
        return Credentials::Malformed;
    }
    if is_other_scheme(value.as_bytes()) {
        return Credentials::None;
    }
    value.to_str().map_or(Credentials::Malformed, parse)
}

/// Whether the header uses a scheme other than `Bearer` (RFC 9110 section 11.4). A single word is a token without its
/// scheme.
fn is_other_scheme(value: &[u8]) -> bool {
    let mut words = value.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    let (Some(scheme), Some(_)) = (words.next(), words.next()) else { return false };
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    scheme.iter().all(is_token) && !scheme.eq_ignore_ascii_case(b"bearer")
}

/// Parses the value of an `Authorization` header, wherever it was sent.
pub(in crate::http) fn parse(text: &str) -> Credentials {
    let mut words = text.split_ascii_whitespace();
    match (words.next(), words.next(), words.next()) {
        (None, ..) => Credentials::None,
        _ if is_other_scheme(text.as_bytes()) => Credentials::None,
        (Some(scheme), token, None) if scheme.eq_ignore_ascii_case("bearer") => match token {
            None | Some("null" | "undefined") => Credentials::None,
            Some(token) => Credentials::Bearer(token.to_owned().into()),
        },
        _ => Credentials::Malformed,
    }
}

/// Whether the query string has an access token. URLs end up in logs and histories, so it is rejected there (RFC 6750
/// section 2.3, RFC 9700 section 4.3.2).
pub(in crate::http) fn has_token_in_query(uri: &Uri) -> bool {
    uri.query().unwrap_or_default().split('&').any(|member| member.split('=').next() == Some("access_token"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn parsed(values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        match credentials(&headers) {
            Credentials::None => "none".to_owned(),
            Credentials::Bearer(token) => format!("token {}", token.expose_secret()),
            Credentials::Malformed => "malformed".to_owned(),
        }
    }

    #[test]
    fn signed_out_clients_have_no_credentials() {
        for value in ["", " ", "Bearer", "Bearer ", "bearer", "Bearer null", "Bearer undefined"] {
            assert_eq!(parsed(&[value]), "none", "{value:?}");
        }
        assert_eq!(parsed(&[]), "none");
    }

    #[test]
    fn bearer_scheme_is_read_in_any_case_and_spacing() {
        for value in ["Bearer abc", "bearer abc", "BEARER\tabc", "Bearer  abc "] {
            assert_eq!(parsed(&[value]), "token abc", "{value:?}");
        }
    }

    #[test]
    fn other_schemes_are_ignored() {
        for value in [
            "Basic YWJj",
            "basic YWJj",
            "Digest username=\"ann\", realm=\"x\", nonce=\"y\"",
            "Digest username=\"\u{fc}\"",
            "Negotiate YII=",
            "AWS4-HMAC-SHA256 Credential=a, Signature=b",
        ] {
            assert_eq!(parsed(&[value]), "none", "{value:?}");
        }
        assert_eq!(parsed(&["Basic YWJj", "Bearer abc"]), "malformed", "two headers are ambiguous");
        assert_eq!(parsed(&["B\u{e4}sic YWJj"]), "malformed");
    }

    #[test]
    fn malformed_credentials_are_refused() {
        assert_eq!(parsed(&["abc"]), "malformed");
        assert_eq!(parsed(&["Bearer a b"]), "malformed");
        assert_eq!(parsed(&["Bearer a, Bearer b"]), "malformed");
        assert_eq!(parsed(&["Bearer a", "Bearer b"]), "malformed");
        assert_eq!(parsed(&["Bearer \u{fc}"]), "malformed");
    }
}
