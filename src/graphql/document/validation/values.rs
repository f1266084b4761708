//! Validation of values and of variable usage (GraphQL sections 5.6 and 5.8.5).
//!
//! apollo-compiler 1.33 accepts duplicate input fields and compares variables in lists and input objects by type name
//! alone. It treats a default of `null` as a non-null default, and does not check values of custom scalars.

use std::collections::HashSet;

use apollo_compiler::ast::{Argument, DirectiveList, InputValueDefinition, Type, Value, VariableDefinition};
use apollo_compiler::executable::{ExecutableDocument, Selection, SelectionSet};
use apollo_compiler::schema::{ExtendedType, InputObjectType};
use apollo_compiler::{Name, Node, Schema};

use super::Violation;

/// The violations in the values of `document`, whose fields, arguments and fragments exist.
pub(super) fn check(schema: &Schema, document: &ExecutableDocument) -> Vec<Violation> {
    let mut violations = Vec::new();
    for operation in document.operations.iter() {
        let mut checker = ValueChecker {
            schema,
            document,
            variables: &operation.variables,
            visited: HashSet::new(),
            violations: &mut violations,
        };
        checker.check_directives(&operation.directives);
        for variable in &operation.variables {
            checker.check_directives(&variable.directives);
            if let Some(default) = &variable.default_value {
                checker.check_value(Position::without_default(&variable.ty), default);
            }
        }
        checker.check_selection_set(&operation.selection_set);
    }
    violations
}

/// A position in a document where a value is expected.
#[derive(Clone, Copy)]
struct Position<'a> {
    ty: &'a Type,
    /// Whether an omitted value has a default here.
    has_default: bool,
}

impl<'a> Position<'a> {
    fn without_default(ty: &'a Type) -> Self {
        Self { ty, has_default: false }
    }
}

struct ValueChecker<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    /// The operation's variable definitions.
    variables: &'a [Node<VariableDefinition>],
    /// Fragments of the operation that were checked.
    visited: HashSet<&'a Name>,
    violations: &'a mut Vec<Violation>,
}

impl<'a> ValueChecker<'a> {
    fn check_selection_set(&mut self, set: &'a SelectionSet) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    self.check_directives(&field.directives);
                    self.check_arguments(&field.definition.arguments, &field.arguments);
                    self.check_selection_set(&field.selection_set);
                }
                Selection::InlineFragment(inline) => {
                    self.check_directives(&inline.directives);
                    self.check_selection_set(&inline.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    self.check_directives(&spread.directives);
                    if self.visited.insert(&spread.fragment_name)
                        && let Some(fragment) = self.document.fragments.get(&spread.fragment_name)
                    {
                        self.check_directives(&fragment.directives);
                        self.check_selection_set(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn check_directives(&mut self, directives: &DirectiveList) {
        for directive in directives.iter() {
            if let Some(definition) = self.schema.directive_definitions.get(&directive.name) {
                self.check_arguments(&definition.arguments, &directive.arguments);
            }
        }
    }

    fn check_arguments(&mut self, definitions: &[Node<InputValueDefinition>], arguments: &[Node<Argument>]) {
        for argument in arguments {
            if let Some(definition) = definitions.iter().find(|definition| definition.name == argument.name) {
                let position = Position { ty: &definition.ty, has_default: definition.default_value.is_some() };
                self.check_value(position, &argument.value);
            }
        }
    }

    fn add_violation(&mut self, value: &Node<Value>, message: String) {
        self.violations.push((value.location(), message));
    }

    fn check_value(&mut self, position: Position<'_>, value: &Node<Value>) {
        match (&**value, position.ty) {
            (Value::Variable(name), _) => self.check_variable(position, value, name),
            (Value::Null, ty) if ty.is_non_null() => self.add_type_mismatch(ty, value),
            (Value::Null, _) => {}
            (Value::List(items), Type::List(item) | Type::NonNullList(item)) => {
                for value in items {
                    self.check_value(Position::without_default(item), value);
                }
            }
            // A single value is coerced to a list (GraphQL section 3.12).
            (Value::Object(_), Type::List(item) | Type::NonNullList(item)) => {
                self.check_value(Position::without_default(item), value);
            }
            (_, ty) => self.check_named_type(ty, value),
        }
    }

    fn check_variable(&mut self, position: Position<'_>, value: &Node<Value>, name: &Name) {
        let Position { ty, has_default } = position;
        let Some(variable) = self.variables.iter().find(|variable| variable.name == *name) else {
            return self.add_violation(value, format!("variable `${name}` is not defined"));
        };
        let has_default = has_default || variable.default_value.as_ref().is_some_and(|default| !default.is_null());
        // GraphQL section 5.8.5.
        let is_allowed = if ty.is_non_null() && !variable.ty.is_non_null() {
            has_default && variable.ty.is_assignable_to(&ty.clone().nullable())
        } else {
            variable.ty.is_assignable_to(ty)
        };
        if !is_allowed {
            let message =
                format!("variable `${name}` of type `{}` cannot be used where `{ty}` is expected", variable.ty);
            self.add_violation(value, message);
        }
    }

    fn add_type_mismatch(&mut self, ty: &Type, value: &Node<Value>) {
        self.add_violation(value, format!("expected value of type {ty}, found {}", kind_of(value)));
    }

    fn check_named_type(&mut self, ty: &Type, value: &Node<Value>) {
        let is_fitting = match (self.schema.types.get(ty.inner_named_type()), &**value) {
            (Some(ExtendedType::InputObject(object)), Value::Object(fields)) => {
                return self.check_input_object(object, value, fields);
            }
            (Some(ExtendedType::Enum(of)), Value::Enum(name)) => of.values.contains_key(name),
            (Some(ExtendedType::Scalar(scalar)), _) if !scalar.is_built_in() => {
                return self.check_custom_scalar(value);
            }
            (Some(ExtendedType::Scalar(scalar)), literal) => match (scalar.name.as_str(), literal) {
                ("Int", Value::Int(number)) => number.try_to_i32().is_ok(),
                ("Float", Value::Int(number)) => number.try_to_f64().is_ok(),
                ("Float", Value::Float(number)) => number.try_to_f64().is_ok(),
                ("String" | "ID", Value::String(_)) | ("ID", Value::Int(_)) | ("Boolean", Value::Boolean(_)) => true,
                _ => false,
            },
            _ => false,
        };
        if !is_fitting {
            self.add_type_mismatch(ty, value);
        }
    }

    fn check_input_object(&mut self, object: &InputObjectType, value: &Node<Value>, fields: &[(Name, Node<Value>)]) {
        let mut seen = HashSet::new();
        for (name, value) in fields {
            if !seen.insert(name) {
                self.add_violation(value, format!("the input field `{name}` is written more than once"));
            }
            match object.fields.get(name) {
                Some(field) => {
                    let position = Position { ty: &field.ty, has_default: field.default_value.is_some() };
                    self.check_value(position, value);
                }
                None => self.add_violation(value, format!("field `{name}` does not exist on `{}`", object.name)),
            }
        }
        for (name, field) in &object.fields {
            if field.is_required() && !seen.contains(name) {
                self.add_violation(value, format!("the required field `{}.{name}` is not provided", object.name));
            }
        }
    }

    /// Checks a custom scalar's value, which may have any form, for undefined variables and duplicate fields.
    fn check_custom_scalar(&mut self, value: &Node<Value>) {
        match &**value {
            Value::Variable(name) if self.variables.iter().all(|variable| variable.name != *name) => {
                self.add_violation(value, format!("variable `${name}` is not defined"));
            }
            Value::List(items) => items.iter().for_each(|item| self.check_custom_scalar(item)),
            Value::Object(fields) => {
                let mut seen = HashSet::new();
                for (name, value) in fields {
                    if !seen.insert(name) {
                        self.add_violation(value, format!("the input field `{name}` is written more than once"));
                    }
                    self.check_custom_scalar(value);
                }
            }
            _ => {}
        }
    }
}

/// The kind of a value. Messages do not repeat the value, which may be a password.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Enum(_) => "an enum",
        Value::Variable(_) => "a variable",
        Value::String(_) => "a string",
        Value::Float(_) => "a float",
        Value::Int(_) => "an integer",
        Value::Boolean(_) => "a boolean",
        Value::List(_) => "a list",
        Value::Object(_) => "an input object",
    }
}
