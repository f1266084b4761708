//! Variables of a recording: values from earlier responses, and values defined by hand.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use regex::Regex;
use serde_json::Value;

use super::Variables;
use crate::support::TestResponse;

fn name(variable: &str) -> String {
    format!("<var:{variable}>")
}

/// Sets the variables that the entry defines: `base64('…')` is computed, everything else is a description, and set by
/// hand. Tokens of the old service are foreign ones here.
pub fn define(entry: &Value, variables: &mut Variables) {
    for (variable, definition) in entry["define"].as_object().into_iter().flatten() {
        let definition = definition.as_str().unwrap();
        let literal = definition.strip_prefix("base64('").and_then(|rest| rest.strip_suffix("')"));
        if let Some(text) = literal {
            variables.insert(name(variable), STANDARD.encode(text));
        }
    }
}

/// Stores the values that the entry captures: `json.path`, `header:NAME:REGEX` or `base64decode(…)`.
pub fn store_captures(entry: &Value, answer: &TestResponse, variables: &mut Variables) {
    // In the order of the recording: a variable may be derived from another.
    let mut captures: Vec<_> = entry["capture"].as_object().into_iter().flatten().collect();
    captures.sort_by_key(|(_, source)| source.as_str().unwrap().starts_with("base64decode("));
    for (variable, source) in captures {
        let found = find(source.as_str().unwrap(), answer, variables);
        variables.insert(name(variable), found.unwrap_or_else(|| "nothing-was-captured".to_owned()));
    }
}

fn find(source: &str, answer: &TestResponse, variables: &Variables) -> Option<String> {
    if let Some(inner) = source.strip_prefix("base64decode(").and_then(|rest| rest.strip_suffix(')')) {
        let text = variables.get(inner)?.trim_end_matches('=');
        return String::from_utf8(STANDARD_NO_PAD.decode(text).ok()?).ok();
    }
    if let Some((header, pattern)) = source.strip_prefix("header:").and_then(|rest| rest.split_once(':')) {
        let value = answer.header(header)?;
        return Some(Regex::new(pattern).unwrap().captures(value)?.get(1)?.as_str().to_owned());
    }
    let body: Value = serde_json::from_str(&answer.text).ok()?;
    let pointer = format!("/{}", source.replace('.', "/"));
    body.pointer(&pointer)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderMap, StatusCode};
    use serde_json::json;

    #[test]
    fn replay_captures_members_headers_and_their_parts() {
        let mut headers = HeaderMap::new();
        headers.insert("set-cookie", "who=YS5iLmM=; Path=/".parse().unwrap());
        let text = json!({ "data": [{ "id": "x" }] }).to_string();
        let answer = TestResponse { status: StatusCode::OK, headers, text };
        let capture = json!({
            "plain": "base64decode(<var:sealed>)", "sealed": "header:set-cookie:who=([^;]+)", "id": "data.0.id", "none": "data.1.id",
        });
        let mut variables = Variables::new();
        store_captures(&json!({ "capture": capture }), &answer, &mut variables);
        define(&json!({ "define": { "made": "base64('a:b')", "other": "a JWT that has expired" } }), &mut variables);
        let expected = [
            ("<var:id>", "x"),
            ("<var:made>", "YTpi"),
            ("<var:none>", "nothing-was-captured"),
            ("<var:plain>", "a.b.c"),
            ("<var:sealed>", "YS5iLmM="),
        ];
        let found: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, expected);
    }
}
