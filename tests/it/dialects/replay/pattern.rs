//! Recorded values, whose placeholders match any value of a kind.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chrono::{DateTime, NaiveDateTime};
use regex::Regex;
use serde_json::Value;
use uuid::Uuid;

/// A placeholder, and the predicate of its kind.
type Kind = (&'static str, fn(&str) -> bool);

const KINDS: [Kind; 10] = [
    ("<jwt>", is_jwt),
    ("<b64(jwt)>", |text| decoded(text).is_some_and(|text| is_jwt(&text))),
    ("<iso8601>", |text| DateTime::parse_from_rfc3339(text).is_ok() || text.parse::<NaiveDateTime>().is_ok()),
    ("<http-date>", |text| NaiveDateTime::parse_from_str(text, "%a, %d %b %Y %H:%M:%S GMT").is_ok()),
    ("<uuid>", |text| Uuid::parse_str(text).is_ok()),
    ("<uuid1>", |text| Uuid::parse_str(text).is_ok()),
    ("<objectid>", is_word),
    ("<global-id:User>", |text| decoded(text).is_some_and(|text| text.strip_prefix("User:").is_some_and(is_word))),
    ("<opaque>", is_word),
    ("<db path>", |text| !text.is_empty()),
];

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

fn is_jwt(text: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    text.split('.').count() == 3 && text.split('.').all(is_part)
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()?).ok()
}

/// Whether the response equals the recorded value, with placeholders matched.
pub fn matches(recorded: &Value, answered: &Value) -> bool {
    match (recorded, answered) {
        (Value::Object(recorded), Value::Object(answered)) => {
            recorded.len() == answered.len()
                && recorded.iter().all(|(name, value)| answered.get(name).is_some_and(|other| matches(value, other)))
        }
        (Value::Array(recorded), Value::Array(answered)) => {
            recorded.len() == answered.len()
                && recorded.iter().zip(answered).all(|(value, other)| matches(value, other))
        }
        (Value::String(recorded), answered) if recorded == "<int>" => answered.is_i64(),
        (Value::String(recorded), Value::String(answered)) => matches_text(recorded, answered),
        (recorded, answered) => recorded == answered,
    }
}

/// Whether a text equals the recorded one, with placeholders matched.
pub fn matches_text(recorded: &str, answered: &str) -> bool {
    let mut pattern = regex::escape(recorded);
    let mut kinds = Vec::new();
    for (placeholder, kind) in KINDS {
        let escaped = regex::escape(placeholder);
        kinds.extend(recorded.match_indices(placeholder).map(|(index, _)| (index, kind)));
        pattern = pattern.replace(&escaped, "(.+?)");
    }
    kinds.sort_by_key(|(index, _)| *index);
    let Some(found) = Regex::new(&format!("(?s)^{pattern}$")).unwrap().captures(answered) else { return false };
    found.iter().skip(1).zip(kinds).all(|(part, (_, kind))| part.is_some_and(|part| kind(part.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn placeholder_matches_any_value_of_its_kind() {
        for (recorded, answered) in [
            (json!({ "a": "jti=<opaque> not found" }), json!({ "a": "jti=x.1 not found" })),
            (json!(["<jwt>", "<int>"]), json!(["aa.b-b.c_c", -5])),
            (
                json!("a=<b64(jwt)>; Expires=<http-date>; Path=/"),
                json!("a=YS5iLmM=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/"),
            ),
            (json!("<iso8601>"), json!("2026-03-01T12:00:00+00:00")),
            (json!("<iso8601>"), json!("2026-03-01T12:00:00.123456")),
            (json!("<uuid>"), json!("01890a5d-ac96-774b-bcce-b302099a8057")),
            (json!("<global-id:User>"), json!("VXNlcjo1")),
            (json!("<title>5 (a+b)</title>"), json!("<title>5 (a+b)</title>")),
        ] {
            assert!(matches(&recorded, &answered), "{recorded} {answered}");
        }
    }

    #[test]
    fn pattern_reports_differences() {
        for (recorded, answered) in [
            (json!({ "a": "jti=<opaque> not found" }), json!({ "a": "jti= not found" })),
            (json!({ "a": "<jwt>" }), json!({ "a": null })),
            (json!("<jwt>"), json!("a.b")),
            (json!("<jwt>"), json!("a..c")),
            (json!("<int>"), json!("5")),
            (json!("<iso8601>"), json!("yesterday")),
            (json!("<uuid>"), json!("5")),
            (json!("<b64(jwt)>"), json!("a.b.c")),
            (json!("<http-date>"), json!("2026-03-01T12:00:00Z")),
            (json!("<global-id:User>"), json!("Um9sZTo1")),
            (json!({ "a": true }), json!({ "a": "true" })),
            (json!({ "a": 1 }), json!({ "a": 1, "b": 2 })),
            (json!({ "a": 1, "b": 2 }), json!({ "a": 1 })),
            (json!([1, 2]), json!([1])),
            (json!("a.c"), json!("abc")),
        ] {
            assert!(!matches(&recorded, &answered), "{recorded} {answered}");
        }
    }
}
