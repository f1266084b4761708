//! Validation as the specification asks for it (GraphQL section 5).
//!
//! The library leaves out some rules about values and variables, which [`values`] adds, and is stricter in one, which is
//! taken back here: graphql-js, by which clients are judged, lets it pass.

use apollo_compiler::ast::{self, DirectiveList, FieldDefinition, Type};
use apollo_compiler::diagnostic::ToCliReport;
use apollo_compiler::executable::{ExecutableDocument, Selection, SelectionSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{Name, Schema, name};
use async_graphql::ServerError;

use super::position::Positions;

mod values;

/// Most errors that are told about one document.
const MAX_ERRORS: usize = 20;

/// An error and where it is, before the place is written as line and column.
type Violation = (Option<SourceSpan>, String);

/// The types that documents are validated against.
#[derive(Debug)]
pub(in crate::graphql) struct ValidationSchema(Valid<Schema>);

impl ValidationSchema {
    /// The types of the schema that `sdl` describes.
    pub fn from_sdl(sdl: &str) -> Self {
        let valid = Schema::parse_and_validate(sdl, "").unwrap_or_else(|failed| Valid::assume_valid(failed.partial));
        let mut schema = valid.into_inner();
        // apollo-compiler 1.33 does not know this field, which tools ask for (GraphQL section 4.2.2).
        if let Some(ExtendedType::Object(ty)) = schema.types.get_mut("__Type") {
            let field = FieldDefinition {
                description: None,
                name: name!("isOneOf"),
                arguments: Vec::new(),
                ty: Type::Named(name!("Boolean")),
                directives: DirectiveList::new(),
            };
            ty.make_mut().fields.entry(name!("isOneOf")).or_insert_with(|| Component::new(field));
        }
        Self(Valid::assume_valid(schema))
    }

    /// The schema.
    pub(super) fn schema(&self) -> &Schema {
        &self.0
    }

    /// What is wrong with `document`, which was parsed from `text` and nests within the limits; nothing if it is valid.
    pub(super) fn validate(&self, document: &ast::Document, text: &str) -> Vec<ServerError> {
        let mut violations = match document.to_executable_validate(&self.0) {
            Ok(valid) => values::check(&self.0, &valid),
            Err(invalid) => {
                let violations = violations(&invalid.partial, &invalid.errors);
                // It says too much or nothing about a document that is valid but for that.
                if violations.is_empty() { values::check(&self.0, &invalid.partial) } else { violations }
            }
        };
        let offset = |span: Option<SourceSpan>| span.map(|span| span.offset());
        violations.sort_by_key(|(span, _)| offset(*span));
        violations.truncate(MAX_ERRORS);
        let mut positions = Positions::new(text);
        let error = |(span, message): Violation| ServerError::new(message, offset(span).map(|at| positions.at(at)));
        violations.into_iter().map(error).collect()
    }
}

/// The errors of the library, but for those that graphql-js does not have either.
fn violations(document: &ExecutableDocument, errors: &DiagnosticList) -> Vec<Violation> {
    let is_allowed = |message: &str| {
        STRICTER_RULES.iter().any(|end| message.ends_with(end))
            && document.operations.iter().filter(|one| one.is_subscription()).all(|one| {
                let mut root = SubscriptionRootFields { document, visited: Vec::new(), keys: Vec::new() };
                root.collect_keys(&one.selection_set) && root.keys.windows(2).all(|pair| pair.first() == pair.last())
            })
    };
    let messages = errors.iter().map(|one| (one.error.location(), one.error.to_string()));
    let mut violations: Vec<Violation> = messages.filter(|(_, message)| !is_allowed(message)).collect();
    let unknown: Vec<usize> = violations
        .iter()
        .filter(|(_, message)| message.contains(UNKNOWN_FIELD))
        .filter_map(|(span, _)| span.map(|span| span.offset()))
        .collect();
    // A selection of unknown fields alone is empty to the library; clients show the first error.
    violations.retain(|(span, message)| {
        let holds = |at: &usize| span.is_some_and(|span| (span.offset() + 1..span.end_offset()).contains(at));
        !(message.contains(EMPTY_SELECTION) && unknown.iter().any(holds))
    });
    violations
}

/// What the library says of a field that its type does not have, and of one without the fields that it needs.
const UNKNOWN_FIELD: &str = "does not have a field";
const EMPTY_SELECTION: &str = "must have a subselection set";

/// What the library says of subscriptions whose root fields it counts before they are merged, or that has a condition
/// which is always the same.
const STRICTER_RULES: [&str; 2] = ["can only have one root field", "can not specify @skip or @include on root fields"];

/// The root fields of a subscription (GraphQL section 5.2.4.1).
struct SubscriptionRootFields<'a> {
    document: &'a ExecutableDocument,
    visited: Vec<&'a Name>,
    keys: Vec<&'a Name>,
}

impl<'a> SubscriptionRootFields<'a> {
    /// Adds what is selected; tells whether that is known before there are variables.
    fn collect_keys(&mut self, set: &'a SelectionSet) -> bool {
        set.selections.iter().all(|selection| match is_included(selection.directives()) {
            None => false,
            Some(false) => true,
            Some(true) => match selection {
                Selection::Field(field) => {
                    self.keys.push(field.response_key());
                    true
                }
                Selection::InlineFragment(inline) => self.collect_keys(&inline.selection_set),
                Selection::FragmentSpread(one) if !self.visited.contains(&&one.fragment_name) => {
                    self.visited.push(&one.fragment_name);
                    self.document
                        .fragments
                        .get(&one.fragment_name)
                        .is_none_or(|one| self.collect_keys(&one.selection_set))
                }
                Selection::FragmentSpread(_) => true,
            },
        })
    }
}

/// Whether `@skip` and `@include` let it be; nothing if a variable decides that.
fn is_included(directives: &DirectiveList) -> Option<bool> {
    let mut is_included = true;
    for directive in directives.iter() {
        let wanted = match directive.name.as_str() {
            "include" => true,
            "skip" => false,
            _ => continue,
        };
        let value = directive.specified_argument_by_name("if")?.to_bool()?;
        is_included &= value == wanted;
    }
    Some(is_included)
}
