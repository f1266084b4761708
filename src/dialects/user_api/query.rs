//! The members of a query string: filters, and which rows of a list.

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde_json::{Map, Value, json};

use super::error::UserApiError;

/// Rows of a list when nothing is said.
const DEFAULT_LIMIT: u64 = 20;

/// Most rows that one answer shows; a caller that asks for more is told that there are more.
const MAX_LIMIT: u64 = 1_000;

/// What the caller wants of a list.
pub(super) struct ListQuery {
    /// Each filter that was given.
    filters: Vec<(String, String)>,
    /// How many rows.
    pub limit: u64,
    /// Behind how many.
    pub offset: u64,
}

impl ListQuery {
    /// Reads the members of a query; of those that come twice the first counts.
    ///
    /// # Errors
    /// 422 for members that the list does not have and for numbers that are none.
    pub fn read(
        query: Result<Query<Vec<(String, String)>>, QueryRejection>,
        filters: &[&str],
    ) -> Result<Self, UserApiError> {
        let members = query.map(|Query(members)| members).unwrap_or_default();
        let mut wanted = Self { filters: Vec::new(), limit: DEFAULT_LIMIT, offset: 0 };
        let mut payload: Map<String, Value> = Map::new();
        for (name, value) in members.into_iter().rev() {
            match name.as_str() {
                "limit" | "offset" => match parse_number(&name, &value) {
                    Ok(number) if name == "limit" => wanted.limit = number.min(MAX_LIMIT),
                    Ok(number) => wanted.offset = number,
                    Err(problems) => drop(payload.insert(name, problems)),
                },
                _ if filters.contains(&name.as_str()) => wanted.filters.push((name, value)),
                _ => drop(payload.insert(name, json!(["unknown field"]))),
            }
        }
        if payload.is_empty() { Ok(wanted) } else { Err(UserApiError::wrong_args(payload)) }
    }

    /// What a filter asks for.
    pub fn filter(&self, name: &str) -> Option<String> {
        let given = self.filters.iter().rev().find(|(found, _)| found == name);
        given.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }
}

/// A number of rows.
fn parse_number(name: &str, text: &str) -> Result<u64, Value> {
    match text.trim().parse::<i64>() {
        Ok(number) => u64::try_from(number).map_err(|_| json!(["min value is 0"])),
        Err(_) => {
            // A caller is told no more of its own text than fits a line.
            let shown: String = text.chars().take(64).collect();
            let problem =
                format!("field '{name}' cannot be coerced: invalid literal for int() with base 10: '{shown}'");
            Err(json!([problem, "must be of integer type"]))
        }
    }
}
