//! Completes answers as the specification asks for (GraphQL sections 6.4.4 and 7.2.2): a field that failed is null, a
//! null that may not be takes its parent with it, and fields stand in the order of the query.
//!
//! The library leaves failed fields out of their object, lets the parents of failed non-null fields stand, and gives
//! the fields of an object in the order in which they were resolved.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, DocumentOperations, ExecutableDocument, FieldDefinition, OperationDefinition, OperationType, Selection,
    SelectionSet, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, PathSegment, Positioned, Response, Value};

use super::document::selections::PLACEHOLDER;

/// The types of all fields.
#[derive(Debug)]
pub struct FieldTypes(HashMap<String, HashMap<String, Type>>);

impl FieldTypes {
    /// The types of the schema that `sdl` describes; none, if it describes none.
    pub fn from_sdl(sdl: &str) -> Self {
        let definitions = parse_schema(sdl).map(|document| document.definitions).unwrap_or_default();
        let fields = |fields: Vec<Positioned<FieldDefinition>>| {
            fields.into_iter().map(|field| (field.node.name.node.to_string(), field.node.ty.node)).collect()
        };
        let types = definitions.into_iter().filter_map(|definition| {
            let TypeSystemDefinition::Type(definition) = definition else { return None };
            let name = definition.node.name.node.to_string();
            match definition.node.kind {
                TypeKind::Object(object) => Some((name, fields(object.fields))),
                TypeKind::Interface(interface) => Some((name, fields(interface.fields))),
                _ => None,
            }
        });
        Self(types.collect())
    }

    /// Completes the answer to the operation of `document` that is called `name`, or to its only one.
    pub fn propagate_nulls(&self, document: &ExecutableDocument, name: Option<&str>, response: &mut Response) {
        let Some(operation) = select_operation(document, name) else { return };
        if response.errors.iter().any(|error| error.path.is_empty()) {
            // Nothing was run.
            return;
        }
        let root = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let failed = response.errors.iter().map(|error| path_text(&error.path)).collect();
        let data = match std::mem::take(&mut response.data) {
            Value::Object(fields) => fields,
            _ => IndexMap::new(),
        };
        let completion = NullPropagation { types: self, document, failed_paths: failed };
        let completed = completion.complete_object(root, &[&operation.selection_set.node], data, &mut String::new());
        response.data = completed.unwrap_or_default();
    }
}

/// The operation of `document` that is called `name`, or its only one.
pub(crate) fn select_operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    match &document.operations {
        DocumentOperations::Single(only) => Some(&only.node).filter(|_| name.is_none()),
        DocumentOperations::Multiple(named) => match name {
            Some(name) => named.get(name).map(|one| &one.node),
            None if named.len() == 1 => named.values().next().map(|one| &one.node),
            None => None,
        },
    }
}

struct NullPropagation<'a> {
    types: &'a FieldTypes,
    document: &'a ExecutableDocument,
    /// Where errors are; see [`written`].
    failed_paths: BTreeSet<String>,
}

/// A path as text: `/users/1/email`.
fn path_text(path: &[PathSegment]) -> String {
    path.iter().fold(String::new(), |mut text, segment| {
        match segment {
            PathSegment::Field(name) => push_segment(&mut text, name),
            PathSegment::Index(index) => push_segment(&mut text, index),
        };
        text
    })
}

/// Goes one step down; tells how long the path was before.
fn push_segment(path: &mut String, step: impl std::fmt::Display) -> usize {
    let before = path.len();
    // Writing to a String does not fail.
    write!(path, "/{step}").ok();
    before
}

/// A field of an answer: its type, if the schema tells it, and all selections below it.
struct SelectedField<'a> {
    ty: Option<&'a Type>,
    selection_sets: Vec<&'a SelectionSet>,
}

impl<'a> NullPropagation<'a> {
    /// The completed object, or nothing if it must be null.
    fn complete_object(
        &self,
        type_name: &str,
        sets: &[&'a SelectionSet],
        mut fields: IndexMap<Name, Value>,
        path: &mut String,
    ) -> Option<Value> {
        let mut selected = IndexMap::new();
        for set in sets {
            self.collect_fields(type_name, set, &mut selected);
        }
        let mut completed = IndexMap::new();
        for (key, SelectedField { ty, selection_sets: below }) in selected {
            let above = push_segment(path, &key);
            let value = match fields.shift_remove(&key) {
                Some(value) => Some(self.complete_value(ty, &below, value, path)),
                None if self.failed_paths.contains(path.as_str()) => Some(None),
                // Left out by @skip or @include, or of another type.
                None => None,
            };
            path.truncate(above);
            match value {
                Some(None) if ty.is_some_and(|ty| !ty.nullable) => return None,
                Some(value) => drop(completed.insert(key, value.unwrap_or_default())),
                None => {}
            }
        }
        Some(Value::Object(completed))
    }

    /// The completed value, or nothing if it is null.
    fn complete_value(
        &self,
        ty: Option<&'a Type>,
        selection_sets: &[&'a SelectionSet],
        value: Value,
        path: &mut String,
    ) -> Option<Value> {
        match (ty.map(|ty| &ty.base), value) {
            (Some(BaseType::List(item)), Value::List(values)) => {
                let mut completed = Vec::with_capacity(values.len());
                for (index, value) in values.into_iter().enumerate() {
                    let above = push_segment(path, index);
                    let value = self.complete_value(Some(item), selection_sets, value, path);
                    path.truncate(above);
                    if value.is_none() && !item.nullable {
                        return None;
                    }
                    completed.push(value.unwrap_or_default());
                }
                Some(Value::List(completed))
            }
            (Some(BaseType::Named(name)), Value::Object(fields)) => {
                self.complete_object(name, selection_sets, fields, path)
            }
            // An object of which every field has failed arrives as null.
            (Some(BaseType::Named(name)), Value::Null) if self.has_failure_below(path) => {
                self.complete_object(name, selection_sets, IndexMap::new(), path)
            }
            (_, Value::Null) => None,
            (_, value) => Some(strip_placeholders(value)),
        }
    }

    fn has_failure_below(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.failed_paths.range(below.clone()..).next().is_some_and(|failed| failed.starts_with(&below))
    }

    /// Fields in the order of the query; those with the same key are one (GraphQL section 6.3.2).
    fn collect_fields(&self, type_name: &str, set: &'a SelectionSet, selected: &mut IndexMap<Name, SelectedField<'a>>) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    if field.response_key().node == PLACEHOLDER {
                        continue;
                    }
                    let ty = self.types.0.get(type_name).and_then(|fields| fields.get(field.name.node.as_str()));
                    let key = field.response_key().node.clone();
                    let one = selected.entry(key).or_insert_with(|| SelectedField { ty, selection_sets: Vec::new() });
                    one.selection_sets.push(&field.selection_set.node);
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref().map(|on| on.node.on.node.as_str());
                    self.collect_fields(condition.unwrap_or(type_name), &inline.node.selection_set.node, selected);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        let fragment = &fragment.node;
                        self.collect_fields(
                            &fragment.type_condition.node.on.node,
                            &fragment.selection_set.node,
                            selected,
                        );
                    }
                }
            }
        }
    }
}

/// The objects of introspection, whose types the schema does not list.
fn strip_placeholders(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.shift_remove(PLACEHOLDER);
            fields.values_mut().for_each(|field| *field = strip_placeholders(std::mem::take(field)));
        }
        Value::List(items) => items.iter_mut().for_each(|item| *item = strip_placeholders(std::mem::take(item))),
        _ => {}
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;
    use async_graphql::{ServerError, value};

    const SDL: &str = "type Query { me: User users: [User!]! node: Node maybe: [User] }
        type User implements Node { id: ID! name: String email: String friend: User boss: User! }
        interface Node { id: ID! }";

    /// What becomes of `data` and errors at these paths; indices are written as numbers.
    fn propagated(query: &str, data: Value, failed: &[&str]) -> String {
        let errors = failed.iter().map(|path| {
            let segment = |text: &str| {
                text.parse().map(PathSegment::Index).unwrap_or_else(|_| PathSegment::Field(text.to_owned()))
            };
            ServerError { path: path.split('.').map(segment).collect(), ..ServerError::new("failed", None) }
        });
        let mut response = Response::new(data);
        response.errors = errors.collect();
        FieldTypes::from_sdl(SDL).propagate_nulls(&parse_query(query).unwrap(), None, &mut response);
        serde_json::to_string(&response.data).unwrap()
    }

    #[test]
    fn fields_follow_the_order_of_the_query() {
        let data = value!({ "me": { "id": 1, "n": "ann", "name": "ann" } });
        let query = "{ me { ...f n: name } } fragment f on User { name id name }";
        assert_eq!(propagated(query, data, &[]), r#"{"me":{"name":"ann","id":1,"n":"ann"}}"#);
    }

    #[test]
    fn failed_fields_are_null_and_skipped_ones_are_absent() {
        let data = value!({ "me": { "id": 1 } });
        let query = "{ me { mail: email id name @skip(if: true) } }";
        assert_eq!(propagated(query, data, &["me.mail"]), r#"{"me":{"mail":null,"id":1}}"#);
        assert_eq!(propagated("{ me { email } }", value!({ "me": null }), &["me.email"]), r#"{"me":{"email":null}}"#);
        assert_eq!(propagated("{ me { email } }", Value::Null, &["me"]), r#"{"me":null}"#);
    }

    #[test]
    fn null_in_a_non_null_field_propagates_to_the_parent() {
        let data = value!({ "me": { "id": 1, "friend": { "id": 2 } } });
        let query = "{ me { id friend { id boss { id } } } }";
        assert_eq!(propagated(query, data, &["me.friend.boss"]), r#"{"me":{"id":1,"friend":null}}"#);
        let data = value!({ "users": [{ "id": 1 }, { "name": "x" }], "me": { "id": 1 } });
        assert_eq!(propagated("{ me { id } users { id name } }", data, &["users.1.id"]), "null");
        let data = value!({ "maybe": [{ "id": 1 }, { "name": "x" }] });
        assert_eq!(propagated("{ maybe { id } }", data, &["maybe.1.id"]), r#"{"maybe":[{"id":1},null]}"#);
    }

    #[test]
    fn interface_fields_complete_and_introspection_is_unchanged() {
        let data = value!({ "node": { "id": 1 } });
        let query = "{ node { id ... on User { email name } } }";
        assert_eq!(propagated(query, data, &["node.email"]), r#"{"node":{"id":1,"email":null}}"#);
        let data = value!({ "__schema": { "types": [{ "kind": "OBJECT", "name": "Query" }] }, "__typename": "Query" });
        let query = "{ __typename __schema { types { name kind } } }";
        let answer = r#"{"__typename":"Query","__schema":{"types":[{"kind":"OBJECT","name":"Query"}]}}"#;
        assert_eq!(propagated(query, data, &[]), answer);
    }

    #[test]
    fn response_without_execution_is_unchanged() {
        let mut response = Response::from_errors(vec![ServerError::new("no", None)]);
        FieldTypes::from_sdl(SDL).propagate_nulls(&parse_query("{ me { id } }").unwrap(), None, &mut response);
        assert_eq!(response.data, Value::Null);
    }
}
