//! Variable coercion (GraphQL section 6.1.2): values must have the declared type, defaults replace missing values, and
//! arguments with an absent variable are omitted (section 6.4.1).
//!
//! async-graphql 7.2 treats an absent variable in an input object as `null`, ignores defaults in directives, and
//! accepts values of other types.

use std::collections::HashSet;

use apollo_compiler::Schema;
use apollo_compiler::schema::{ExtendedType, InputObjectType};
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{
    BaseType, DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet, Type,
    VariableDefinition,
};
use async_graphql::{Name, Positioned, ServerError, Value, Variables};
use async_graphql_value::{Number, Value as AstValue};

use crate::error::Error;
use crate::graphql::error::ResolverError;

/// Maximum number of errors.
const MAX_ERRORS: usize = 20;

/// Longest field name that a message repeats, in bytes.
const MAX_NAME: usize = 64;

/// The coerced variables of an operation.
#[derive(Debug)]
pub(in crate::graphql) struct Coerced {
    /// Variables with a value.
    pub variables: Variables,
    /// Variables without a value.
    pub absent: HashSet<Name>,
}

/// Coerces the raw `values` to the variables of `operation`.
///
/// # Errors
/// The invalid variables; messages do not repeat values.
pub(in crate::graphql) fn coerce(
    schema: &Schema,
    operation: &OperationDefinition,
    mut values: Variables,
) -> Result<Coerced, Vec<ServerError>> {
    let mut coerced = Coerced { variables: Variables::default(), absent: HashSet::new() };
    let mut errors = Vec::new();
    for definition in &operation.variable_definitions {
        let variable = &definition.node;
        let (name, ty) = (&variable.name.node, &variable.var_type.node);
        let value = match (values.remove(name), &variable.default_value) {
            (Some(value), _) => coerce_value(schema, ty, value, &mut Vec::new()).map(Some),
            (None, Some(default)) => Ok(Some(default.node.clone())),
            (None, None) if ty.nullable => Ok(None),
            (None, None) => Err(CoercionError {
                path: Vec::new(),
                message: format!("a value of type {ty} is required but not provided"),
            }),
        };
        match value {
            Ok(Some(value)) => drop(coerced.variables.insert(name.clone(), value)),
            Ok(None) => drop(coerced.absent.insert(name.clone())),
            Err(error) if errors.len() < MAX_ERRORS => errors.push(error.into_error(definition)),
            Err(_) => {}
        }
    }
    if errors.is_empty() { Ok(coerced) } else { Err(errors) }
}

/// An invalid value in a variable, and its path.
struct CoercionError {
    path: Vec<String>,
    message: String,
}

impl CoercionError {
    fn into_error(self, definition: &Positioned<VariableDefinition>) -> ServerError {
        let path: String = self.path.iter().map(|step| format!(".{step}")).collect();
        let problem = format!("${}{path}: {}", definition.node.name.node, self.message);
        let error =
            async_graphql::Error::from(ResolverError::from(Error::BadUserInput { argument: "variables", problem }));
        error.into_server_error(definition.pos)
    }
}

type Step = String;

fn coerce_value(schema: &Schema, ty: &Type, value: Value, path: &mut Vec<Step>) -> Result<Value, CoercionError> {
    if value == Value::Null {
        return if ty.nullable { Ok(value) } else { Err(coercion_error(path, format!("{ty} may not be null"))) };
    }
    match (&ty.base, value) {
        (BaseType::List(item), Value::List(values)) => {
            let coerce = |(index, value): (usize, Value)| {
                path.push(index.to_string());
                let value = coerce_value(schema, item, value, path)?;
                path.pop();
                Ok(value)
            };
            values.into_iter().enumerate().map(coerce).collect::<Result<_, _>>().map(Value::List)
        }
        (BaseType::List(item), value) => coerce_value(schema, item, value, path).map(|value| Value::List(vec![value])),
        (BaseType::Named(name), value) => match schema.types.get(name.as_str()) {
            Some(ExtendedType::InputObject(object)) => coerce_object(schema, object, value, path),
            Some(ExtendedType::Enum(of)) => match &value {
                Value::String(text) if of.values.keys().any(|name| name == text.as_str()) => Ok(value),
                _ => Err(coercion_error(path, format!("expected a value of {name}"))),
            },
            // Custom scalars parse their own values.
            _ => coerce_scalar(name, value).ok_or_else(|| coercion_error(path, format!("expected {name}"))),
        },
    }
}

fn coerce_object(
    schema: &Schema,
    object: &InputObjectType,
    value: Value,
    path: &mut Vec<Step>,
) -> Result<Value, CoercionError> {
    let Value::Object(mut values) = value else {
        return Err(coercion_error(path, format!("expected an object of {}", object.name)));
    };
    if let Some(unknown) = values.keys().find(|name| !object.fields.keys().any(|field| field == name.as_str())) {
        let name = if unknown.len() <= MAX_NAME { unknown.as_str() } else { "…" };
        return Err(coercion_error(path, format!("unknown field \"{name}\" of type \"{}\"", object.name)));
    }
    let mut coerced = IndexMap::with_capacity(values.len());
    for (name, field) in &object.fields {
        match values.shift_remove(name.as_str()) {
            Some(value) => {
                path.push(name.to_string());
                let value = coerce_value(schema, &executor_type(&field.ty), value, path)?;
                path.pop();
                coerced.insert(Name::new(name), value);
            }
            None if field.is_required() => {
                let message = format!("field \"{name}\" of type \"{}\" is required but not provided", object.name);
                return Err(coercion_error(path, message));
            }
            // async-graphql applies the default.
            None => {}
        }
    }
    Ok(Value::Object(coerced))
}

fn executor_type(ty: &apollo_compiler::ast::Type) -> Type {
    super::convert::type_reference::convert_type(ty)
}

fn coercion_error(path: &[Step], message: String) -> CoercionError {
    CoercionError { path: path.to_vec(), message }
}

/// Coerces a value to a built-in scalar; `None` if the type differs (GraphQL section 3.5).
fn coerce_scalar(name: &str, value: Value) -> Option<Value> {
    match (name, value) {
        ("Int", Value::Number(number)) => {
            as_integer(&number).and_then(|whole| i32::try_from(whole).ok()).map(Value::from)
        }
        ("ID", Value::Number(number)) => as_integer(&number).map(|whole| Value::String(whole.to_string())),
        ("Float", value @ Value::Number(_))
        | ("String" | "ID", value @ Value::String(_))
        | ("Boolean", value @ Value::Boolean(_)) => Some(value),
        ("Int" | "Float" | "String" | "Boolean" | "ID", _) => None,
        (_, value) => Some(value),
    }
}

/// The integer value of a JSON number: `2`, `2.0`, `2e0` and `-0` are integers.
fn as_integer(number: &Number) -> Option<i128> {
    if let Some(whole) = number.as_i128() {
        return Some(whole);
    }
    let float = number.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "the value is an integer of at most 100 bits")]
    (float.fract() == 0.0 && float.abs() < 1e21).then_some(float as i128)
}

/// Removes `absent` variables from the arguments and input objects of `document`. In lists, where items cannot be
/// absent, they become null.
pub(in crate::graphql) fn remove_absent(document: &mut ExecutableDocument, absent: &HashSet<Name>) {
    if absent.is_empty() {
        return;
    }
    for fragment in document.fragments.values_mut() {
        remove_absent_in_set(&mut fragment.node.selection_set.node, absent);
    }
    match &mut document.operations {
        DocumentOperations::Single(only) => remove_absent_in_set(&mut only.node.selection_set.node, absent),
        DocumentOperations::Multiple(named) => {
            named.values_mut().for_each(|one| remove_absent_in_set(&mut one.node.selection_set.node, absent));
        }
    }
}

fn remove_absent_in_set(set: &mut SelectionSet, absent: &HashSet<Name>) {
    for item in &mut set.items {
        match &mut item.node {
            Selection::Field(field) => {
                field.node.arguments.retain_mut(|(_, value)| retain_present(&mut value.node, absent));
                remove_absent_in_set(&mut field.node.selection_set.node, absent);
            }
            Selection::InlineFragment(inline) => remove_absent_in_set(&mut inline.node.selection_set.node, absent),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// Removes absent variables inside `value`; returns whether the value itself is present.
fn retain_present(value: &mut AstValue, absent: &HashSet<Name>) -> bool {
    match value {
        AstValue::Variable(name) => return !absent.contains(name),
        AstValue::Object(fields) => fields.retain(|_, value| retain_present(value, absent)),
        AstValue::List(items) => {
            for item in items {
                if !retain_present(item, absent) {
                    *item = AstValue::Null;
                }
            }
        }
        _ => {}
    }
    true
}
