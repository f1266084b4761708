//! The `Cookie` header (RFC 6265 section 4.2).

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// The value of the first cookie with this name that is not empty.
pub fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, value)| *found == name && !value.is_empty()).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_cookie_with_a_value_is_found() {
        let mut headers = HeaderMap::new();
        for value in ["a=; ab=1", "a=2;a=3"] {
            headers.append(COOKIE, value.parse().unwrap());
        }
        assert_eq!((find(&headers, "a"), find(&headers, "ab"), find(&headers, "b")), (Some("2"), Some("1"), None));
    }
}
