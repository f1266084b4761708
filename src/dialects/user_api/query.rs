//! Query strings of lists: filters, limit and offset.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde_json::{Map, Value, json};

use super::error::UserApiError;

/// Rows per response by default.
const DEFAULT_LIMIT: u64 = 20;

/// Maximum rows per response; a larger limit is capped, and `has_next` shows that rows remain.
const MAX_LIMIT: u64 = 1_000;

/// Parameters of a list.
pub(super) struct ListQuery {
    /// Filters by name, in reverse order.
    filters: Vec<(String, String)>,
    /// Maximum number of rows.
    pub limit: u64,
    /// Number of rows to skip.
    pub offset: u64,
}

impl ListQuery {
    /// Parses a query string; of repeated parameters the first counts.
    ///
    /// # Errors
    /// 422 for unknown parameters and invalid numbers.
    pub fn read(
        query: Result<Query<Vec<(String, String)>>, QueryRejection>,
        filters: &[&str],
    ) -> Result<Self, UserApiError> {
        let members = query.map(|Query(members)| members).unwrap_or_default();
        let mut list = Self { filters: Vec::new(), limit: DEFAULT_LIMIT, offset: 0 };
        let mut payload: Map<String, Value> = Map::new();
        for (name, value) in members.into_iter().rev() {
            match name.as_str() {
                "limit" | "offset" => match parse_number(&name, &value) {
                    Ok(number) if name == "limit" => list.limit = number.min(MAX_LIMIT),
                    Ok(number) => list.offset = number,
                    Err(problems) => drop(payload.insert(name, problems)),
                },
                _ if filters.contains(&name.as_str()) => list.filters.push((name, value)),
                _ => drop(payload.insert(name, json!(["unknown field"]))),
            }
        }
        if payload.is_empty() { Ok(list) } else { Err(UserApiError::wrong_args(payload)) }
    }

    /// The value of a filter, unless it is missing or empty.
    pub fn filter(&self, name: &str) -> Option<String> {
        let filter = self.filters.iter().rev().find(|(found, _)| found == name);
        filter.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }
}

/// Parses a number of rows.
fn parse_number(name: &str, text: &str) -> Result<u64, Value> {
    match text.trim().parse::<i64>() {
        Ok(number) => u64::try_from(number).map_err(|_| json!(["min value is 0"])),
        Err(_) => {
            // Bounds how much of the input the response echoes.
            let excerpt: String = text.chars().take(64).collect();
            let problem =
                format!("field '{name}' cannot be coerced: invalid literal for int() with base 10: '{excerpt}'");
            Err(json!([problem, "must be of integer type"]))
        }
    }
}
