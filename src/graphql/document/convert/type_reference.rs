//! Converts type references.

use apollo_compiler::ast;
use async_graphql::Name;
use async_graphql::parser::types::{BaseType, Type};

/// Converts a type reference.
pub(in crate::graphql::document) fn convert_type(ty: &ast::Type) -> Type {
    let (base, nullable) = match ty {
        ast::Type::Named(name) => (BaseType::Named(Name::new(name)), true),
        ast::Type::NonNullNamed(name) => (BaseType::Named(Name::new(name)), false),
        ast::Type::List(item) => (BaseType::List(Box::new(convert_type(item))), true),
        ast::Type::NonNullList(item) => (BaseType::List(Box::new(convert_type(item))), false),
    };
    Type { base, nullable }
}

/// The number of tokens of a type reference.
pub(super) fn type_tokens(ty: &ast::Type) -> usize {
    match ty {
        ast::Type::Named(_) => 1,
        ast::Type::NonNullNamed(_) => 2,
        ast::Type::List(item) => 2 + type_tokens(item),
        ast::Type::NonNullList(item) => 3 + type_tokens(item),
    }
}
