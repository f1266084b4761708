//! Validation of documents (GraphQL section 5).
//!
//! apollo-compiler lacks some rules for values and variables, which [`values`] adds. It is stricter than graphql-js,
//! the reference for clients, about root fields of subscriptions; these errors are dropped.

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

/// Maximum number of validation errors per document.
const MAX_ERRORS: usize = 20;

/// A validation error and its location in the source.
type Violation = (Option<SourceSpan>, String);

/// The schema that documents are validated against.
#[derive(Debug)]
pub(in crate::graphql) struct ValidationSchema(Valid<Schema>);

impl ValidationSchema {
    /// The schema that `sdl` describes.
    pub fn from_sdl(sdl: &str) -> Self {
        let valid = Schema::parse_and_validate(sdl, "").unwrap_or_else(|failed| Valid::assume_valid(failed.partial));
        let mut schema = valid.into_inner();
        // apollo-compiler 1.33 lacks this field, which tools query (GraphQL section 4.2.2).
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

    /// The schema in apollo-compiler's form.
    pub(super) fn schema(&self) -> &Schema {
        &self.0
    }

    /// The validation errors of `document`, which was parsed from `text` and nests within the limits; empty if it is
    /// valid.
    pub(super) fn validate(&self, document: &ast::Document, text: &str) -> Vec<ServerError> {
        let mut violations = match document.to_executable_validate(&self.0) {
            Ok(valid) => values::check(&self.0, &valid),
            Err(invalid) => {
                let violations = violations(&invalid.partial, &invalid.errors);
                // All errors were dropped: only the additional rules remain.
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

/// The errors of apollo-compiler, without those that graphql-js does not report.
fn violations(document: &ExecutableDocument, errors: &DiagnosticList) -> Vec<Violation> {
    let is_allowed = |message: &str| {
        STRICTER_RULES.iter().any(|end| message.ends_with(end))
            && document.operations.iter().filter(|one| one.is_subscription()).all(|one| {
                let mut root = SubscriptionRootFields { document, visited: Vec::new(), keys: Vec::new() };
                root.collect_keys(&one.selection_set) && root.keys.windows(2).all(|pair| pair.first() == pair.last())
            })
    };
    let messages = errors.iter().map(|diagnostic| (diagnostic.error.location(), diagnostic.error.to_string()));
    let mut violations: Vec<Violation> = messages.filter(|(_, message)| !is_allowed(message)).collect();
    let unknown: Vec<usize> = violations
        .iter()
        .filter(|(_, message)| message.contains(UNKNOWN_FIELD))
        .filter_map(|(span, _)| span.map(|span| span.offset()))
        .collect();
    // apollo-compiler also reports a selection of unknown fields as empty; clients show the first error only.
    violations.retain(|(span, message)| {
        let holds = |at: &usize| span.is_some_and(|span| (span.offset() + 1..span.end_offset()).contains(at));
        !(message.contains(EMPTY_SELECTION) && unknown.iter().any(holds))
    });
    violations
}

/// Message parts of apollo-compiler: an unknown field, and a missing selection set.
const UNKNOWN_FIELD: &str = "does not have a field";
const EMPTY_SELECTION: &str = "must have a subselection set";

/// Message ends of apollo-compiler for subscriptions: it counts root fields before they are merged, and refuses
/// constant conditions.
const STRICTER_RULES: [&str; 2] = ["can only have one root field", "can not specify @skip or @include on root fields"];

/// The root fields of a subscription (GraphQL section 5.2.4.1).
struct SubscriptionRootFields<'a> {
    document: &'a ExecutableDocument,
    visited: Vec<&'a Name>,
    keys: Vec<&'a Name>,
}

impl<'a> SubscriptionRootFields<'a> {
    /// Collects the response keys; returns false if a variable decides the selection.
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

/// Whether `@skip` and `@include` include the selection; `None` if a variable decides.
fn is_included(directives: &DirectiveList) -> Option<bool> {
    let mut is_included = true;
    for directive in directives.iter() {
        let required = match directive.name.as_str() {
            "include" => true,
            "skip" => false,
            _ => continue,
        };
        let value = directive.specified_argument_by_name("if")?.to_bool()?;
        is_included &= value == required;
    }
    Some(is_included)
}
