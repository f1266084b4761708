//! The `Content-Type` header (RFC 9110 section 8.3).

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

/// The declared type of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// The media type in lower case; empty if the header is no text.
    pub media_type: String,
    /// The parameters in lower case, such as `charset=utf-8`.
    parameters: Vec<String>,
}

impl ContentType {
    /// Reads the first header; `None` without one.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(CONTENT_TYPE)?.to_str().unwrap_or_default().to_ascii_lowercase();
        let mut parts = text.split(';').map(|part| part.trim().to_owned());
        let media_type = parts.next().unwrap_or_default();
        Some(Self { media_type, parameters: parts.collect() })
    }

    /// The same; `None` also if the header is repeated, because a filter in front may have read the other one.
    pub fn read_unambiguous(headers: &HeaderMap) -> Option<Self> {
        let is_repeated = headers.get_all(CONTENT_TYPE).iter().nth(1).is_some();
        Self::read(headers).filter(|_| !is_repeated)
    }

    /// Whether no other charset than UTF-8 is declared.
    pub fn is_utf8(&self) -> bool {
        let mut charsets = self.parameters.iter().filter_map(|parameter| parameter.strip_prefix("charset="));
        charsets.all(|name| matches!(name.trim_matches('"'), "utf-8" | "utf8"))
    }
}

/// The media type of the first header in lower case, without parameters; empty without one.
pub fn media_type(headers: &HeaderMap) -> String {
    ContentType::read(headers).map(|content_type| content_type.media_type).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_type_and_charset_are_read() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_TYPE, value.parse().unwrap());
            }
            (media_type(&headers), ContentType::read_unambiguous(&headers).map(|content_type| content_type.is_utf8()))
        };
        assert_eq!(read(&[]), (String::new(), None));
        assert_eq!(read(&["A/B"]), ("a/b".to_owned(), Some(true)));
        assert_eq!(read(&["a/b;charset=\"UTF8\"; charset=utf-8"]), ("a/b".to_owned(), Some(true)));
        assert_eq!(read(&["a/b; charset=utf-16"]), ("a/b".to_owned(), Some(false)));
        assert_eq!(read(&["a/b", "c/d"]), ("a/b".to_owned(), None));
    }
}
