//! Converts values.

use apollo_compiler::{Node, ast};
use async_graphql::Name;
use async_graphql_value::{Number, Value};

use super::Conversion;

impl Conversion<'_> {
    /// Converts a value with all values in it.
    pub(super) fn value(&mut self, value: &Node<ast::Value>) -> Value {
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
            ast::Value::Int(literal) => self.number(value, literal.as_str()),
            ast::Value::Float(literal) => self.number(value, literal.as_str()),
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

/// Parses a number literal; `None` if it exceeds 64 bits.
fn parse_number(literal: &str) -> Option<Number> {
    // `-0` is an integer in GraphQL; the JSON parser makes it a float.
    literal.parse::<i64>().map(Number::from).ok().or_else(|| literal.parse().ok())
}
