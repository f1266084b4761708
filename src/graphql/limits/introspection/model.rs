//! The model of introspection responses: one full introspection of the schema.

use std::collections::HashMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_graphql::{ObjectType, Schema, SubscriptionType};
use serde_json::{Map, Value};

/// Selects everything that introspection can return, each type once.
pub(super) const FULL_QUERY: &str = "{ __schema {
    description queryType { ...R } mutationType { ...R } subscriptionType { ...R }
    types {
        kind name description specifiedByURL isOneOf ofType { kind } interfaces { ...R } possibleTypes { ...R }
        fields(includeDeprecated: true) {
            name description args(includeDeprecated: true) { ...V } type { ...R } isDeprecated deprecationReason
        }
        inputFields(includeDeprecated: true) { ...V }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    }
    directives { name description locations isRepeatable args(includeDeprecated: true) { ...V } }
} }
fragment V on __InputValue { name description type { ...R } defaultValue isDeprecated deprecationReason }
fragment R on __Type {
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }
}";

/// An object of the introspection response.
#[derive(Debug, Default)]
pub(super) struct IntrospectedObject {
    /// Bytes of each scalar field, and of each field that is a list of scalars.
    pub leaf_bytes: HashMap<String, usize>,
    /// Indices of the objects in each object field.
    pub children: HashMap<String, Vec<usize>>,
}

/// The full introspection response of a schema, as a graph of objects.
pub(crate) struct IntrospectionModel {
    /// All objects; the index of an object is its id.
    pub(super) objects: Vec<IntrospectedObject>,
    /// Indices of types, by name; wrapping types by [`type_key`].
    pub(super) types: HashMap<String, usize>,
    /// Index of the schema itself.
    pub(super) schema: usize,
}

impl IntrospectionModel {
    /// The model of `schema`, whose introspection must be enabled.
    pub fn from_schema<Q, M, S>(schema: &Schema<Q, M, S>) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        let described = poll_to_completion(schema.execute(FULL_QUERY)).data.into_json().unwrap_or_default();
        let mut model = Self { objects: Vec::new(), types: HashMap::new(), schema: 0 };
        let schema = described.get("__schema").and_then(Value::as_object).cloned().unwrap_or_default();
        let types = schema.get("types").and_then(Value::as_array).into_iter().flatten();
        for name in types.clone().filter_map(|ty| ty.get("name")?.as_str()) {
            let index = model.push(IntrospectedObject::default());
            model.types.insert(name.to_owned(), index);
        }
        for ty in types.filter_map(Value::as_object) {
            let converted = model.build_object(ty);
            if let Some(index) = ty.get("name").and_then(Value::as_str).and_then(|name| model.types.get(name)).copied()
            {
                model.replace(index, converted);
            }
        }
        let converted = model.build_object(&schema);
        model.schema = model.push(converted);
        model
    }

    fn replace(&mut self, index: usize, object: IntrospectedObject) {
        if let Some(reserved) = self.objects.get_mut(index) {
            *reserved = object;
        }
    }

    fn push(&mut self, object: IntrospectedObject) -> usize {
        self.objects.push(object);
        self.objects.len() - 1
    }

    /// Converts `object` with all objects below it.
    fn build_object(&mut self, object: &Map<String, Value>) -> IntrospectedObject {
        let mut converted = IntrospectedObject::default();
        for (name, value) in object {
            let objects = match value {
                Value::Array(values) => values.iter().filter_map(Value::as_object).collect(),
                Value::Object(object) => vec![object],
                _ => Vec::new(),
            };
            if objects.is_empty() {
                converted.leaf_bytes.insert(name.clone(), value.to_string().len());
            } else {
                let children = objects.into_iter().map(|object| self.index_of(object)).collect();
                converted.children.insert(name.clone(), children);
            }
        }
        converted
    }

    /// The index of `object`; a type is added once.
    fn index_of(&mut self, object: &Map<String, Value>) -> usize {
        let is_type = object.contains_key("kind");
        let key = if is_type { type_key(object) } else { String::new() };
        if let Some(index) = self.types.get(&key) {
            return *index;
        }
        let converted = self.build_object(object);
        let index = self.push(converted);
        if is_type {
            self.types.insert(key, index);
        }
        index
    }
}

/// The name of a type; `KIND(name)` for a wrapping type.
fn type_key(ty: &Map<String, Value>) -> String {
    match ty.get("ofType").and_then(Value::as_object) {
        Some(inner) => format!("{}({})", ty.get("kind").and_then(Value::as_str).unwrap_or_default(), type_key(inner)),
        None => ty.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
    }
}

/// Runs a future that never waits for I/O or another task.
pub(super) fn poll_to_completion<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}
