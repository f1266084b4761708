//! Converts apollo-compiler's syntax tree to async-graphql's.
//!
//! async-graphql's own parser recurses without a limit and parses strings differently; it never receives the text of a
//! request.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use apollo_compiler::ast;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name as ParsedName, Node};
use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, FragmentSpread, InlineFragment,
    OperationDefinition, OperationType, Selection, SelectionSet, TypeCondition, VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned, ServerError};
use async_graphql_value::Value;

use super::position::Positions;

pub(super) mod type_reference;
mod value;

use type_reference::{convert_type, type_tokens};

/// The result of a conversion.
#[derive(Debug)]
pub(super) struct Converted {
    /// The operations and fragments; `None` if there is no operation.
    pub document: Option<ExecutableDocument>,
    /// The errors that prevent execution.
    pub errors: Vec<ServerError>,
    /// Number of tokens that were converted.
    pub token_count: usize,
}

/// Converts `document`, which was parsed from `text` without errors.
pub(super) fn convert(document: &ast::Document, text: &str) -> Converted {
    let mut conversion = Conversion { text, positions: Positions::new(text), errors: Vec::new(), token_count: 0 };
    let mut operations: Option<DocumentOperations> = None;
    let mut fragments = HashMap::new();
    for definition in &document.definitions {
        match definition {
            ast::Definition::OperationDefinition(operation) => {
                let position = conversion.position(operation.location());
                let converted = Positioned::new(conversion.operation(operation), position);
                conversion.add_operation(&mut operations, operation.name.as_ref(), converted);
            }
            ast::Definition::FragmentDefinition(fragment) => {
                let position = conversion.position(fragment.location());
                let converted = conversion.fragment(fragment);
                match fragments.entry(Name::new(&fragment.name)) {
                    Entry::Vacant(entry) => drop(entry.insert(Positioned::new(converted, position))),
                    Entry::Occupied(_) => conversion.add_error("two fragments have the same name", position),
                }
            }
            definition => {
                let position = conversion.position(definition.location());
                conversion.add_error("only operations and fragments can be executed", position);
            }
        }
    }
    if operations.is_none() {
        conversion.add_error("the document has no operation", Pos { line: 1, column: 1 });
    }
    let document = operations.map(|operations| ExecutableDocument { operations, fragments });
    Converted { document, errors: conversion.errors, token_count: conversion.token_count }
}

struct Conversion<'a> {
    text: &'a str,
    positions: Positions<'a>,
    errors: Vec<ServerError>,
    /// Number of tokens converted so far.
    token_count: usize,
}

impl Conversion<'_> {
    fn add_error(&mut self, message: &str, position: Pos) {
        self.errors.push(ServerError::new(message, Some(position)));
    }

    fn position(&mut self, span: Option<SourceSpan>) -> Pos {
        span.map_or_else(Pos::default, |span| self.positions.at(span.offset()))
    }

    fn positioned<T>(&mut self, span: Option<SourceSpan>, convert: impl FnOnce(&mut Self) -> T) -> Positioned<T> {
        let position = self.position(span);
        Positioned::new(convert(self), position)
    }

    fn name(&mut self, name: &ParsedName) -> Positioned<Name> {
        self.token_count += 1;
        self.positioned(name.location(), |_| Name::new(name))
    }

    fn add_operation(
        &mut self,
        operations: &mut Option<DocumentOperations>,
        name: Option<&ParsedName>,
        operation: Positioned<OperationDefinition>,
    ) {
        let position = operation.pos;
        match (operations, name) {
            (none @ None, None) => *none = Some(DocumentOperations::Single(operation)),
            (none @ None, Some(name)) => {
                *none = Some(DocumentOperations::Multiple(HashMap::from([(Name::new(name), operation)])));
            }
            (Some(DocumentOperations::Multiple(named)), Some(name)) => match named.entry(Name::new(name)) {
                Entry::Vacant(entry) => drop(entry.insert(operation)),
                Entry::Occupied(_) => self.add_error("two operations have the same name", position),
            },
            (Some(_), _) => self.add_error("an operation without a name must be the only one", position),
        }
    }

    fn operation(&mut self, operation: &Node<ast::OperationDefinition>) -> OperationDefinition {
        // `{ … }` is short for `query { … }`.
        let begin = operation.location().and_then(|span| self.text.get(span.offset()..)).unwrap_or_default();
        self.token_count += usize::from(!begin.starts_with('{')) + usize::from(operation.name.is_some());
        self.token_count += bracket_tokens(&operation.variables);
        OperationDefinition {
            ty: match operation.operation_type {
                ast::OperationType::Query => OperationType::Query,
                ast::OperationType::Mutation => OperationType::Mutation,
                ast::OperationType::Subscription => OperationType::Subscription,
            },
            variable_definitions: operation
                .variables
                .iter()
                .map(|variable| self.positioned(variable.location(), |this| this.variable(variable)))
                .collect(),
            directives: self.directives(&operation.directives),
            selection_set: self.selections(&operation.selection_set),
        }
    }

    fn variable(&mut self, variable: &ast::VariableDefinition) -> VariableDefinition {
        // `$` and `:`.
        self.token_count += 2 + type_tokens(&variable.ty);
        let name = self.name(&variable.name);
        let var_type = self.positioned(variable.ty.location(), |_| convert_type(&variable.ty));
        let default_value = variable.default_value.as_ref().and_then(|default| {
            self.token_count += 1;
            let position = self.position(default.location());
            // The grammar allows no variables here.
            self.value(default).into_const().map(|value| Positioned::new(value, position))
        });
        let directives = self.directives(&variable.directives);
        VariableDefinition { name, var_type, directives, default_value }
    }

    fn fragment(&mut self, fragment: &ast::FragmentDefinition) -> FragmentDefinition {
        // `fragment`, the name and `on`.
        self.token_count += 3;
        FragmentDefinition {
            type_condition: self.type_condition(&fragment.type_condition),
            directives: self.directives(&fragment.directives),
            selection_set: self.selections(&fragment.selection_set),
        }
    }

    fn type_condition(&mut self, on: &ParsedName) -> Positioned<TypeCondition> {
        self.positioned(on.location(), |this| TypeCondition { on: this.name(on) })
    }

    fn selections(&mut self, selections: &[ast::Selection]) -> Positioned<SelectionSet> {
        self.token_count += bracket_tokens(selections);
        let items: Vec<_> = selections.iter().map(|selection| self.selection(selection)).collect();
        // The parser does not record the start of the selection set.
        let position = items.first().map_or_else(Pos::default, |first| first.pos);
        Positioned::new(SelectionSet { items }, position)
    }

    fn selection(&mut self, selection: &ast::Selection) -> Positioned<Selection> {
        let position = self.position(selection.location());
        let converted = match selection {
            ast::Selection::Field(field) => Selection::Field(Positioned::new(self.field(field), position)),
            ast::Selection::FragmentSpread(spread) => {
                self.token_count += 1;
                let fragment_name = self.name(&spread.fragment_name);
                let directives = self.directives(&spread.directives);
                Selection::FragmentSpread(Positioned::new(FragmentSpread { fragment_name, directives }, position))
            }
            ast::Selection::InlineFragment(inline) => {
                self.token_count += 1 + usize::from(inline.type_condition.is_some());
                let type_condition = inline.type_condition.as_ref().map(|on| self.type_condition(on));
                let directives = self.directives(&inline.directives);
                let selection_set = self.selections(&inline.selection_set);
                let inline = InlineFragment { type_condition, directives, selection_set };
                Selection::InlineFragment(Positioned::new(inline, position))
            }
        };
        Positioned::new(converted, position)
    }

    fn field(&mut self, field: &ast::Field) -> Field {
        self.token_count += usize::from(field.alias.is_some());
        let alias = field.alias.as_ref().map(|alias| self.name(alias));
        let name = self.name(&field.name);
        let arguments = self.arguments(&field.arguments);
        let directives = self.directives(&field.directives);
        let selection_set = self.selections(&field.selection_set);
        Field { alias, name, arguments, directives, selection_set }
    }

    fn directives(&mut self, directives: &ast::DirectiveList) -> Vec<Positioned<Directive>> {
        let convert = |directive: &Node<ast::Directive>| {
            self.token_count += 1;
            self.positioned(directive.location(), |this| Directive {
                name: this.name(&directive.name),
                arguments: this.arguments(&directive.arguments),
            })
        };
        directives.iter().map(convert).collect()
    }

    fn arguments(&mut self, arguments: &[Node<ast::Argument>]) -> Vec<(Positioned<Name>, Positioned<Value>)> {
        self.token_count += bracket_tokens(arguments);
        let convert = |argument: &Node<ast::Argument>| {
            self.token_count += 1;
            let name = self.name(&argument.name);
            (name, self.positioned(argument.value.location(), |this| this.value(&argument.value)))
        };
        arguments.iter().map(convert).collect()
    }
}

/// The brackets around a list that is omitted when empty.
fn bracket_tokens<T>(items: &[T]) -> usize {
    if items.is_empty() { 0 } else { 2 }
}
