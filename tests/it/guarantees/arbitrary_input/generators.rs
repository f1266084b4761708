//! Generators: known problematic texts, numbers and JSON, in the shape of the schema's inputs.

use std::sync::LazyLock;

use async_graphql::parser::types::{BaseType, Type};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::support::PASSWORD;
use crate::support::schema_inputs::{SchemaInputs, schema_inputs};

/// The inputs of the schema.
pub static SCHEMA: LazyLock<SchemaInputs> = LazyLock::new(schema_inputs);

/// Known problematic text.
pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        2 => "[\\x00-\\x1f\\x7f\u{80}-\u{9f}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{feff}]{0,20}",
        2 => "[%_\\\\'\"`;{}$()\\[\\]<>&|*-]{0,30}",
        2 => "(usr|ses|rol|USR|)_[0-7][0-9a-hjkmnp-tv-z]{25}",
        2 => "[a-zA-Z0-9._-]{1,70}",
        1 => "[a-z]{1,8}@[a-z]{1,8}\\.[a-z]{2,6}",
        1 => "-?[0-9]{1,30}(:[nt]-?[0-9]{1,30})?".prop_map(|cursor| encoded(&cursor)),
        1 => "[0-9]{1,3}:t\\PC{0,10}".prop_map(|cursor| encoded(&cursor)),
        1 => "[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,20}",
        1 => (any::<char>(), 0..3_000_usize).prop_map(|(one, times)| one.to_string().repeat(times)),
        2 => prop::sample::select(vec![
            "", "\0", "a\0b", "root", "ROOT", "admin", "ann", "\u{130}", "ß", "ﷺ", "\u{1f468}\u{200d}\u{1f469}", "İ",
            PASSWORD, "' OR '1'='1", "null", "undefined", "__proto__", "${7*7}", "../../x", "\u{fffe}", "\u{10ffff}",
        ]).prop_map(str::to_owned),
    ]
}

fn encoded(cursor: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(cursor)
}

/// Numbers at the boundaries of every type.
fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(vec![
            0,
            1,
            -1,
            2,
            100,
            101,
            2_147_483_647,
            2_147_483_648,
            -2_147_483_648,
            i64::MAX,
            i64::MIN
        ])
        .prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
    ]
}

pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), number(), text().prop_map(Value::from)];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..5).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// A value of the shape of `of`; every text in it is arbitrary.
fn matching_type(of: &str, schema: &SchemaInputs) -> BoxedStrategy<Value> {
    if let Some(values) = schema.enums.get(of) {
        return prop::sample::select(values.clone()).prop_map(Value::from).boxed();
    }
    if let Some(members) = schema.objects.get(of) {
        let members: Vec<_> = members
            .iter()
            .map(|(name, of_type)| {
                let (name, value) = (name.clone(), wrapped(of_type, schema));
                // Few at a time: one error stops the validation of other inputs.
                let given = prop::bool::weighted(if of_type.nullable { 0.3 } else { 1.0 });
                (given, value).prop_map(move |(given, value)| given.then(|| (name.clone(), value)))
            })
            .collect();
        return members.prop_map(|members| Value::Object(members.into_iter().flatten().collect())).boxed();
    }
    match of {
        "Boolean" => any::<bool>().prop_map(Value::from).boxed(),
        "Int" | "Float" => number().boxed(),
        "ID" => prop_oneof![4 => text().prop_map(Value::from), 1 => number()].boxed(),
        _ => text().prop_map(Value::from).boxed(),
    }
}

fn wrapped(of_type: &Type, schema: &SchemaInputs) -> BoxedStrategy<Value> {
    match &of_type.base {
        BaseType::Named(name) => matching_type(name, schema),
        BaseType::List(inner) => prop::collection::vec(wrapped(inner, schema), 0..4).prop_map(Value::from).boxed(),
    }
}

/// An operation that calls one root field with all its arguments as variables.
pub fn operation(field: &str) -> String {
    let (kind, name) = field.split_once('.').unwrap();
    let arguments = &SCHEMA.root_fields[field];
    let declared: Vec<_> = arguments.iter().map(|(name, of_type)| format!("${name}: {of_type}")).collect();
    let passed: Vec<_> = arguments.iter().map(|(name, _)| format!("{name}: ${name}")).collect();
    let in_brackets = |list: &[String]| if list.is_empty() { String::new() } else { format!("({})", list.join(", ")) };
    let selection = if SCHEMA.with_selection.iter().any(|with| with == field) { "{ __typename }" } else { "" };
    let kind = kind.to_lowercase();
    format!("{kind} {} {{ {name}{} {selection} }}", in_brackets(&declared), in_brackets(&passed))
}

/// A root field and matching variables.
pub fn matching_operation() -> impl Strategy<Value = (String, Value)> {
    let fields: Vec<String> = SCHEMA.root_fields.keys().cloned().collect();
    prop::sample::select(fields).prop_flat_map(|field| {
        let arguments: Vec<_> = SCHEMA.root_fields[&field]
            .iter()
            .map(|(name, of_type)| {
                let (name, value) = (name.clone(), wrapped(of_type, &SCHEMA));
                let given = prop::bool::weighted(if of_type.nullable { 0.3 } else { 1.0 });
                let value = (given, value).prop_map(|(given, value)| if given { value } else { Value::Null });
                value.prop_map(move |value| (name.clone(), value))
            })
            .collect();
        (Just(operation(&field)), arguments.prop_map(|arguments| Value::Object(arguments.into_iter().collect())))
    })
}
