//! Strict JSON parsing for untrusted input: duplicate names in an object are refused.
//!
//! RFC 8259 section 4 leaves the meaning of duplicate names open, and parsers differ: a filter in front of this server
//! could read the first `password` and the server the last.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Parses one JSON text; ignores a leading byte order mark (RFC 8259 section 8.1). The parser bounds the nesting depth.
///
/// # Errors
/// Invalid JSON, and objects with duplicate names.
pub fn parse(text: &[u8]) -> serde_json::Result<Value> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = UniqueNames.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Builds a value from any JSON type.
#[derive(Clone, Copy)]
struct UniqueNames;

impl<'de> DeserializeSeed<'de> for UniqueNames {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueNames {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate names")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(self)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("duplicate name"));
            }
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// H2
    #[test]
    fn ambiguous_json_is_refused() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"[{"b":{"a":1,"a":1}}]"#,
            "NaN",
            "1e999",
            r#""\ud800""#,
            "\u{feff}\u{feff}{}",
            "{\u{feff}}",
            "{}\u{feff}",
            "{} {}",
            "{\"a\":\"\u{1}\"}",
            "[1,]",
            "'a'",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(parse(&[b'"', 0xff, b'"']).is_err());
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
        // One leading byte order mark is ignored, which is unambiguous (RFC 8259 section 8.1).
        assert_eq!(parse("\u{feff}{}".as_bytes()).ok(), Some(json!({})));
        assert_eq!(
            parse(br#" {"a":[1,-2,0.5,null,true,"\u0000"]} "#).ok(),
            Some(json!({ "a": [1, -2, 0.5, null, true, "\0"] }))
        );
    }

    proptest! {
        #[test]
        fn reads_what_the_library_writes(text in "[ -~]{0,60}") {
            // What serde_json accepts without duplicate names yields the same value.
            let (ours, theirs) = (parse(text.as_bytes()).ok(), serde_json::from_str::<Value>(&text).ok());
            prop_assert_eq!(ours, theirs);
        }
    }
}
