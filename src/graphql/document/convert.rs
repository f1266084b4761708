//! What the parser read, as the executor wants it.
//!
//! The executor has a parser of its own, which recurses without a limit and reads strings in another way; it never sees
//! the text of a request.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use apollo_compiler::ast;
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name as ParsedName, Node};
use async_graphql::parser::types::{
    BaseType, Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, FragmentSpread,
    InlineFragment, OperationDefinition, OperationType, Selection, SelectionSet, Type, TypeCondition,
    VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned, ServerError};
use async_graphql_value::{Number, Value};

use super::position::Positions;

/// What a document was converted to.
#[derive(Debug)]
pub(super) struct Converted {
    /// Its operations and fragments; nothing if it has no operation.
    pub document: Option<ExecutableDocument>,
    /// What keeps it from being executed.
    pub errors: Vec<ServerError>,
    /// The tokens of what was converted.
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
    /// How many tokens were written for what was converted so far.
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
            // The grammar has no variables here.
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
        // The parser does not keep where the set begins.
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

    fn value(&mut self, value: &Node<ast::Value>) -> Value {
        self.token_count += match &**value {
            ast::Value::List(_) | ast::Value::Object(_) | ast::Value::Variable(_) => 2,
            _ => 1,
        };
        match &**value {
            ast::Value::Null => Value::Null,
            ast::Value::Enum(name) => Value::Enum(Name::new(name)),
            ast::Value::Variable(name) => Value::Variable(Name::new(name)),
            ast::Value::String(text) => Value::String(text.clone()),
            ast::Value::Boolean(is_true) => Value::Boolean(*is_true),
            ast::Value::Int(written) => self.number(value, written.as_str()),
            ast::Value::Float(written) => self.number(value, written.as_str()),
            ast::Value::List(items) => Value::List(items.iter().map(|item| self.value(item)).collect()),
            ast::Value::Object(fields) => {
                // A name and `:` each.
                self.token_count += 2 * fields.len();
                Value::Object(fields.iter().map(|(name, value)| (Name::new(name), self.value(value))).collect())
            }
        }
    }

    fn number(&mut self, value: &Node<ast::Value>, literal: &str) -> Value {
        match parse_number(literal) {
            Some(number) => Value::Number(number),
            None => {
                let position = self.position(value.location());
                self.add_error("the number is too large", position);
                Value::Null
            }
        }
    }
}

/// A number as it is written in a document; nothing if it is beyond what 64 bits hold.
fn parse_number(literal: &str) -> Option<Number> {
    // `-0` is an integer in GraphQL; JSON's reader makes it a float.
    literal.parse::<i64>().map(Number::from).ok().or_else(|| literal.parse().ok())
}

/// A type as the executor has it.
pub(super) fn convert_type(ty: &ast::Type) -> Type {
    let (base, nullable) = match ty {
        ast::Type::Named(name) => (BaseType::Named(Name::new(name)), true),
        ast::Type::NonNullNamed(name) => (BaseType::Named(Name::new(name)), false),
        ast::Type::List(item) => (BaseType::List(Box::new(convert_type(item))), true),
        ast::Type::NonNullList(item) => (BaseType::List(Box::new(convert_type(item))), false),
    };
    Type { base, nullable }
}

/// The tokens around what is written in brackets only if there is something.
fn bracket_tokens<T>(items: &[T]) -> usize {
    if items.is_empty() { 0 } else { 2 }
}

fn type_tokens(ty: &ast::Type) -> usize {
    match ty {
        ast::Type::Named(_) => 1,
        ast::Type::NonNullNamed(_) => 2,
        ast::Type::List(item) => 2 + type_tokens(item),
        ast::Type::NonNullList(item) => 3 + type_tokens(item),
    }
}
