//! The `Accept` header (RFC 9110 section 12.5.1).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// A media range that the client accepts, and how much.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaRange {
    /// The media type or wildcard in lower case, without parameters.
    pub name: String,
    /// The weight from 0, not accepted, to 1. A malformed one counts as 0.
    pub weight: f32,
}

impl MediaRange {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        Self { name, weight: weight.map_or(1.0, |weight| weight.parse().unwrap_or(0.0)) }
    }
}

/// The media ranges of the header, in the client's order. None state no preference: the client accepts anything.
pub fn media_ranges(headers: &HeaderMap) -> Vec<MediaRange> {
    let texts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges = texts.flat_map(|text| text.split(',')).filter(|range| !range.trim().is_empty());
    ranges.map(MediaRange::parse).collect()
}

/// Whether the client accepts this media type by name; wildcards do not count.
pub fn names(headers: &HeaderMap, media_type: &str) -> bool {
    media_ranges(headers).iter().any(|range| range.name == media_type && range.weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_ranges_are_read_with_their_weights() {
        let mut headers = HeaderMap::new();
        assert_eq!(media_ranges(&headers), []);
        for value in ["", " , ", "Text/HTML;level=1; Q=0.5, */*;q=.2", "a/b;q=none"] {
            headers.append(ACCEPT, value.parse().unwrap());
        }
        let expected = [("text/html", 0.5), ("*/*", 0.2), ("a/b", 0.0)];
        let expected = expected.map(|(name, weight)| MediaRange { name: name.to_owned(), weight });
        assert_eq!(media_ranges(&headers), expected);
        assert!(names(&headers, "text/html") && !names(&headers, "a/b") && !names(&headers, "text/plain"));
    }
}
