//! Null propagation and field order in responses (GraphQL sections 6.4.4 and 7.2.2): a failed field is null, a null in
//! a non-null field propagates to its parent, and fields have the order of the query.
//!
//! async-graphql omits failed fields, keeps the parents of failed non-null fields, and returns fields in the order in
//! which they were resolved.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, ExecutableDocument, FieldDefinition, OperationType, Selection, SelectionSet, Type, TypeKind,
    TypeSystemDefinition,
};
use async_graphql::{Name, PathSegment, Positioned, Response, Value};

use super::document::operation::select_operation;
use super::document::selections::PLACEHOLDER;

/// The type of each field, by type name and field name.
#[derive(Debug)]
pub struct FieldTypes(HashMap<String, HashMap<String, Type>>);

impl FieldTypes {
    /// The types of the fields in `sdl`; empty if it cannot be parsed.
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

    /// Completes the response to the operation `name` of `document`, or to its only one.
    pub fn propagate_nulls(&self, document: &ExecutableDocument, name: Option<&str>, response: &mut Response) {
        let Some(operation) = select_operation(document, name) else { return };
        if response.errors.iter().any(|error| error.path.is_empty()) {
            // A request error: nothing was executed.
            return;
        }
        let root = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let failed_paths = response.errors.iter().map(|error| path_text(&error.path)).collect();
        let data = match std::mem::take(&mut response.data) {
            Value::Object(fields) => fields,
            _ => IndexMap::new(),
        };
        let propagation = NullPropagation { types: self, document, failed_paths };
        let completed = propagation.complete_object(root, &[&operation.selection_set.node], data, &mut String::new());
        response.data = completed.unwrap_or_default();
    }
}

struct NullPropagation<'a> {
    types: &'a FieldTypes,
    document: &'a ExecutableDocument,
    /// The paths of errors, as in [`path_text`].
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

/// Appends a segment and returns the previous length of the path.
fn push_segment(path: &mut String, step: impl std::fmt::Display) -> usize {
    let before = path.len();
    // Writing to a String cannot fail.
    write!(path, "/{step}").ok();
    before
}

/// A selected field: its type, if the schema has it, and its merged selection sets.
struct SelectedField<'a> {
    ty: Option<&'a Type>,
    selection_sets: Vec<&'a SelectionSet>,
}

impl<'a> NullPropagation<'a> {
    /// The completed object; `None` if null propagates to it.
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
        for (key, SelectedField { ty, selection_sets }) in selected {
            let parent_length = push_segment(path, &key);
            let value = match fields.shift_remove(&key) {
                Some(value) => Some(self.complete_value(ty, &selection_sets, value, path)),
                None if self.failed_paths.contains(path.as_str()) => Some(None),
                // Excluded by @skip or @include, or of another type condition.
                None => None,
            };
            path.truncate(parent_length);
            match value {
                Some(None) if ty.is_some_and(|ty| !ty.nullable) => return None,
                Some(value) => drop(completed.insert(key, value.unwrap_or_default())),
                None => {}
            }
        }
        Some(Value::Object(completed))
    }

    /// The completed value; `None` if it is null.
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
                    let parent_length = push_segment(path, index);
                    let value = self.complete_value(Some(item), selection_sets, value, path);
                    path.truncate(parent_length);
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
            // async-graphql returns null for an object of which every field has failed.
            (Some(BaseType::Named(name)), Value::Null) if self.has_failure_below(path) => {
                self.complete_object(name, selection_sets, IndexMap::new(), path)
            }
            (_, Value::Null) => None,
            (_, value) => Some(strip_placeholders(value)),
        }
    }

    fn has_failure_below(&self, path: &str) -> bool {
        let prefix = format!("{path}/");
        self.failed_paths.range(prefix.clone()..).next().is_some_and(|failed| failed.starts_with(&prefix))
    }

    /// Collects the fields in query order and merges those with the same response key (GraphQL section 6.3.2).
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
                    let entry = selected.entry(key).or_insert_with(|| SelectedField { ty, selection_sets: Vec::new() });
                    entry.selection_sets.push(&field.selection_set.node);
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

/// Removes placeholders from introspection objects, whose types the SDL does not list.
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
mod tests;
