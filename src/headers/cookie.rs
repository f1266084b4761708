//! The `Cookie` header (RFC 6265 section 4.2).

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// The value of the first cookie with this name whose value is ASCII and not empty. Other cookies may have any bytes.
pub fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let values = pairs.filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    values.filter(|value| value.is_ascii()).filter_map(|value| str::from_utf8(value).ok()).find(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn first_cookie_with_a_value_is_found() {
        let mut headers = HeaderMap::new();
        for value in ["a=; ab=1", "a=2;a=3"] {
            headers.append(COOKIE, value.parse().unwrap());
        }
        assert_eq!((find(&headers, "a"), find(&headers, "ab"), find(&headers, "b")), (Some("2"), Some("1"), None));
    }

    #[test]
    fn cookie_with_other_bytes_hides_no_other_cookie() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_bytes(b"theme=\xc3\xa9; b=\xff; a=1").unwrap());
        assert_eq!((find(&headers, "a"), find(&headers, "b"), find(&headers, "theme")), (Some("1"), None, None));
    }
}
