//! Normalizes selections before execution (GraphQL section 6.3.2): `@skip` and `@include` are applied, root fields with
//! the same key are merged, and no selection set is empty.
//!
//! async-graphql 7.2 ignores variable defaults in `@skip` and `@include`, executes repeated root fields repeatedly,
//! mutations included, and returns `null` for objects without selected fields.

use std::collections::HashMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::indexmap::map::Entry;
use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType,
    Selection, SelectionSet,
};
use async_graphql::{Name, Pos, Positioned, Value, Variables};

/// Response key of placeholder fields, which are removed from responses. Names that start with `__` are reserved, so
/// clients cannot use it.
pub(in crate::graphql) const PLACEHOLDER: &str = "__accountd";

/// Whether the document contains `@skip` or `@include`.
pub(super) fn is_conditional(document: &ExecutableDocument) -> bool {
    fn set_has_condition(set: &SelectionSet) -> bool {
        set.items.iter().any(|item| {
            item.node.directives().iter().any(|directive| required_value(&directive.node).is_some())
                || match &item.node {
                    Selection::Field(field) => set_has_condition(&field.node.selection_set.node),
                    Selection::InlineFragment(inline) => set_has_condition(&inline.node.selection_set.node),
                    Selection::FragmentSpread(_) => false,
                }
        })
    }
    document.operations.iter().any(|(_, operation)| set_has_condition(&operation.node.selection_set.node))
        || document.fragments.values().any(|fragment| set_has_condition(&fragment.node.selection_set.node))
}

/// Normalizes a valid document; `variables` decide its conditions.
pub(in crate::graphql) fn normalize(document: &mut ExecutableDocument, variables: &Variables) {
    for fragment in document.fragments.values_mut() {
        apply_conditions(&mut fragment.node.selection_set.node, variables);
    }
    let fragments = &document.fragments;
    let operations: Vec<&mut OperationDefinition> = match &mut document.operations {
        DocumentOperations::Single(only) => vec![&mut only.node],
        DocumentOperations::Multiple(named) => named.values_mut().map(|one| &mut one.node).collect(),
    };
    for operation in operations {
        let set = &mut operation.selection_set.node;
        apply_conditions(set, variables);
        let mut fields = IndexMap::new();
        collect_root_fields(std::mem::take(set), fragments, &mut Vec::new(), &mut fields);
        let item = |field: Positioned<Field>| {
            let position = field.pos;
            Positioned::new(Selection::Field(field), position)
        };
        set.items = fields.into_values().map(item).collect();
        // A subscription without a root field is refused.
        if operation.ty != OperationType::Subscription {
            ensure_field(set);
        }
    }
}

/// Applies `@skip` and `@include`, and puts a placeholder into selection sets that become empty.
fn apply_conditions(set: &mut SelectionSet, variables: &Variables) {
    set.items.retain_mut(|item| {
        let directives = item.node.directives_mut();
        let is_included = directives.iter().all(|directive| is_met(&directive.node, variables));
        directives.retain(|directive| required_value(&directive.node).is_none());
        is_included
    });
    for item in &mut set.items {
        match &mut item.node {
            Selection::Field(field) => {
                let selections = &mut field.node.selection_set.node;
                // In a valid document only leaf fields have no selection set.
                if !selections.items.is_empty() {
                    apply_conditions(selections, variables);
                    ensure_field(selections);
                }
            }
            Selection::InlineFragment(inline) => apply_conditions(&mut inline.node.selection_set.node, variables),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Adds a placeholder to a set without fields: its fragments may not apply to the object's type.
fn ensure_field(set: &mut SelectionSet) {
    if !set.items.iter().any(|item| matches!(item.node, Selection::Field(_))) {
        set.items.push(placeholder(set.items.first().map_or_else(Pos::default, |first| first.pos)));
    }
}

fn placeholder(position: Pos) -> Positioned<Selection> {
    let name = |name: &str| Positioned::new(Name::new(name), position);
    let field = Field {
        alias: Some(name(PLACEHOLDER)),
        name: name("__typename"),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::default(),
    };
    Positioned::new(Selection::Field(Positioned::new(field, position)), position)
}

/// Collects root fields in document order and merges the selections of fields with the same key. All fragments apply,
/// because the root has one type.
fn collect_root_fields(
    set: SelectionSet,
    fragments: &HashMap<Name, Positioned<FragmentDefinition>>,
    visited: &mut Vec<Name>,
    fields: &mut IndexMap<Name, Positioned<Field>>,
) {
    for item in set.items {
        match item.node {
            Selection::Field(field) => {
                let key = field.node.response_key().node.clone();
                match fields.entry(key) {
                    Entry::Vacant(entry) => drop(entry.insert(field)),
                    Entry::Occupied(mut entry) => {
                        let more = field.node.selection_set.node.items;
                        entry.get_mut().node.selection_set.node.items.extend(more);
                    }
                }
            }
            Selection::InlineFragment(inline) => {
                collect_root_fields(inline.node.selection_set.node, fragments, visited, fields)
            }
            Selection::FragmentSpread(one) => {
                let name = one.node.fragment_name.node;
                // A repeated spread adds nothing.
                if visited.contains(&name) {
                    continue;
                }
                if let Some(fragment) = fragments.get(&name) {
                    visited.push(name);
                    collect_root_fields(fragment.node.selection_set.node.clone(), fragments, visited, fields);
                }
            }
        }
    }
}

/// The value of `if` that includes the selection; `None` for other directives.
fn required_value(directive: &Directive) -> Option<bool> {
    match directive.name.node.as_str() {
        "include" => Some(true),
        "skip" => Some(false),
        _ => None,
    }
}

fn is_met(directive: &Directive, variables: &Variables) -> bool {
    let Some(required) = required_value(directive) else { return true };
    let written = directive.arguments.iter().find(|(name, _)| name.node == "if").map(|(_, value)| value.node.clone());
    let value = written.and_then(|value| value.into_const_with(|name| variables.get(&name).cloned().ok_or(())).ok());
    value == Some(Value::Boolean(required))
}
