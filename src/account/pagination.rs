//! Cursor pagination (GraphQL Cursor Connections Specification).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Result};
use crate::store::keyset::Value;
use crate::store::keyset::{CursorKey, Page};

/// Default number of rows per page.
pub const DEFAULT_SIZE: i32 = 20;

/// Maximum rows per page.
pub const MAX_SIZE: i32 = 100;

/// Maximum length of a cursor, in bytes.
const MAX_CURSOR_BYTES: usize = 1_024;

/// The type of the sort value, which the cursor carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorKind {
    /// An integer.
    Integer,
    /// Text.
    Text,
}

/// The four arguments of a connection.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Rows from the start.
    pub first: Option<i32>,
    /// Only rows after this cursor.
    pub after: Option<String>,
    /// Rows from the end.
    pub last: Option<i32>,
    /// Only rows before this cursor.
    pub before: Option<String>,
}

/// Which rows a list includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFilter {
    /// All rows.
    All,
    /// Rows in effect: live sessions, usable API tokens.
    Active,
}

impl RowFilter {
    /// [`Self::Active`] if set, as arguments of the API say it.
    pub fn from_flag(active_only: bool) -> Self {
        if active_only { Self::Active } else { Self::All }
    }

    /// Whether inactive rows are excluded.
    pub(super) fn is_active_only(self) -> bool {
        self == Self::Active
    }
}

/// A page of rows.
#[derive(Debug, Clone)]
pub struct Slice<T> {
    /// The rows with their cursors, in list order.
    pub rows: Vec<(String, T)>,
    /// Whether there are rows before the page.
    pub has_previous: bool,
    /// Whether there are rows after the page.
    pub has_next: bool,
}

impl<T> Slice<T> {
    /// The same page with `change` applied to each row.
    pub(super) fn map<U>(self, change: impl Fn(T) -> U) -> Slice<U> {
        let rows = self.rows.into_iter().map(|(cursor, row)| (cursor, change(row))).collect();
        Slice { rows, has_previous: self.has_previous, has_next: self.has_next }
    }
}

impl PageRequest {
    fn size(&self) -> Result<i32> {
        let (argument, size) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(bad_input("last", "give either first or last, not both")),
            (None, Some(last)) => ("last", last),
            (first, None) => ("first", first.unwrap_or(DEFAULT_SIZE)),
        };
        if (1..=MAX_SIZE).contains(&size) {
            Ok(size)
        } else {
            Err(bad_input(argument, "use a value between 1 and 100"))
        }
    }

    fn is_backward(&self) -> bool {
        self.last.is_some()
    }

    /// The store query: one row more than the page, to detect further rows.
    ///
    /// # Errors
    /// [`Error::BadUserInput`] for a size out of range or an invalid cursor.
    pub(super) fn to_query(&self, kind: CursorKind) -> Result<Page> {
        let key = |argument, text: &Option<String>| {
            let parse = |text: &String| parse_cursor(text, kind).ok_or_else(|| bad_input(argument, "invalid cursor"));
            text.as_ref().map(parse).transpose()
        };
        Ok(Page {
            after: key("after", &self.after)?,
            before: key("before", &self.before)?,
            limit: u64::try_from(self.size()? + 1).unwrap_or(1),
            is_from_end: self.is_backward(),
        })
    }

    /// Builds the page from the rows of the query.
    pub(super) fn slice<T>(&self, mut rows: Vec<T>, cursor: impl Fn(&T) -> String) -> Slice<T> {
        let size = self.size().ok().and_then(|size| usize::try_from(size).ok()).unwrap_or(rows.len());
        let more = rows.len() > size;
        rows.truncate(size);
        if self.is_backward() {
            rows.reverse();
        }
        Slice {
            rows: rows.into_iter().map(|row| (cursor(&row), row)).collect(),
            has_previous: if self.is_backward() { more } else { self.after.is_some() },
            has_next: if self.is_backward() { self.before.is_some() } else { more },
        }
    }
}

fn bad_input(argument: &'static str, problem: &str) -> Error {
    Error::BadUserInput { argument, problem: problem.to_owned() }
}

/// The cursor of a position: its values, without column names.
pub(super) fn cursor(cursor_key: &CursorKey) -> String {
    let key = match &cursor_key.key {
        Value::String(Some(text)) => format!("t{text}"),
        Value::BigInt(Some(number)) => format!("n{number}"),
        _ => String::new(),
    };
    URL_SAFE_NO_PAD.encode(format!("{}:{key}", cursor_key.id))
}

fn parse_cursor(cursor: &str, kind: CursorKind) -> Option<CursorKey> {
    if cursor.len() > MAX_CURSOR_BYTES {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (id, key) = text.split_once(':')?;
    let key = match kind {
        CursorKind::Integer => Value::from(key.strip_prefix('n')?.parse::<i64>().ok()?),
        CursorKind::Text => Value::from(key.strip_prefix('t').filter(|key| !key.contains('\0'))?),
    };
    Some(CursorKey { key, id: id.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cursor_round_trips(id: i64, number: i64, text in "[^\0]{0,60}") {
            let number = CursorKey { key: number.into(), id };
            let text = CursorKey { key: text.into(), id };
            prop_assert_eq!(parse_cursor(&cursor(&number), CursorKind::Integer), Some(number));
            prop_assert_eq!(parse_cursor(&cursor(&text), CursorKind::Text), Some(text));
        }

        #[test]
        fn arbitrary_text_is_parsed_without_panic(text in ".{0,80}") {
            let _place: Option<CursorKey> = parse_cursor(&text, CursorKind::Text);
        }
    }
}
