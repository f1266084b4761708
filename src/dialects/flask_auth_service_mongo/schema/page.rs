//! Connections as in graphene: cursors are offsets in the list, such as `arrayconnection:7`.

use std::borrow::Cow;

use async_graphql::{OutputType, SimpleObject, TypeName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::account::user::directory::MAX_ROWS;

/// The prefix of every decoded cursor.
const CURSOR_PREFIX: &str = "arrayconnection:";

/// Rows per point of complexity: this schema has no nested lists.
const ROWS_PER_POINT: u64 = 10;

/// The complexity of a page: that of one row times the page size, divided by [`ROWS_PER_POINT`].
pub(super) fn weight(first: Option<i32>, last: Option<i32>, row_weight: usize) -> usize {
    let rows = [first, last].into_iter().flatten().map(row_count).fold(MAX_ROWS, u64::min);
    usize::try_from(rows.div_ceil(ROWS_PER_POINT).max(1)).unwrap_or(usize::MAX).saturating_mul(row_weight)
}

fn row_count(requested: i32) -> u64 {
    u64::try_from(requested).unwrap_or(0)
}

/// The four arguments of a connection.
pub(super) struct Paging {
    /// Only rows before this cursor.
    pub before: Option<String>,
    /// Only rows after this cursor.
    pub after: Option<String>,
    /// Page size from the start of the list.
    pub first: Option<i32>,
    /// Page size from the end of the list.
    pub last: Option<i32>,
}

/// The rows of a page, as offsets in the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// The offset of the first row.
    pub start: u64,
    /// The offset after the last row.
    pub end: u64,
    has_previous: bool,
    has_next: bool,
}

impl Paging {
    /// The page in a list of `total` rows, at most [`MAX_ROWS`] of them. Invalid cursors are ignored, and only the
    /// requested direction reports further rows (graphql-relay 2).
    pub fn window(&self, total: u64) -> Window {
        let lower =
            self.after.as_deref().and_then(decode_cursor).map_or(0, |offset| offset.saturating_add(1)).min(total);
        let upper = self.before.as_deref().and_then(decode_cursor).map_or(total, |offset| offset.min(total)).max(lower);
        let (mut start, mut end) = (lower, upper);
        if let Some(first) = self.first {
            end = end.min(start.saturating_add(row_count(first)));
        }
        if let Some(last) = self.last {
            start = start.max(end.saturating_sub(row_count(last)));
        }
        let is_truncated = end - start > MAX_ROWS;
        if is_truncated && self.last.is_some() {
            start = end - MAX_ROWS;
        } else if is_truncated {
            end = start + MAX_ROWS;
        }
        let has_previous = self.last.is_some() && start > lower;
        let has_next = (self.first.is_some() || is_truncated) && end < upper;
        Window { start, end, has_previous, has_next }
    }
}

fn decode_cursor(cursor: &str) -> Option<u64> {
    String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?.strip_prefix(CURSOR_PREFIX)?.parse().ok()
}

fn encode_cursor(offset: u64) -> String {
    STANDARD.encode(format!("{CURSOR_PREFIX}{offset}"))
}

/// The position of a page in its list.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// Whether there are rows after the page; only in forward pagination.
    has_next_page: bool,
    /// Whether there are rows before the page; only in backward pagination.
    has_previous_page: bool,
    /// The cursor of the first edge.
    start_cursor: Option<String>,
    /// The cursor of the last edge.
    end_cursor: Option<String>,
}

/// An object of a list with its cursor.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub struct Edge<Node: OutputType> {
    /// The object.
    node: Option<Node>,
    /// The cursor of the object.
    cursor: String,
}

impl<Node: OutputType> TypeName for Edge<Node> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", Node::type_name()).into()
    }
}

/// One page of a list.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub struct Connection<Node: OutputType> {
    /// The position of the page in the list.
    page_info: PageInfo,
    /// The objects of the page, each with its cursor.
    edges: Vec<Option<Edge<Node>>>,
}

impl<Node: OutputType> TypeName for Connection<Node> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", Node::type_name()).into()
    }
}

impl<Node: OutputType> Connection<Node> {
    /// The connection for `window` with its objects.
    pub(super) fn new(window: &Window, nodes: Vec<Node>) -> Self {
        let edge = |(node, offset)| Edge { node: Some(node), cursor: encode_cursor(offset) };
        let edges: Vec<Edge<Node>> = nodes.into_iter().zip(window.start..).map(edge).collect();
        let page_info = PageInfo {
            has_next_page: window.has_next,
            has_previous_page: window.has_previous,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        Self { page_info, edges: edges.into_iter().map(Some).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(after: Option<u64>, before: Option<u64>, first: Option<i32>, last: Option<i32>) -> Window {
        Paging { after: after.map(encode_cursor), before: before.map(encode_cursor), first, last }.window(10)
    }

    fn expected_window(start: u64, end: u64, has_previous: bool, has_next: bool) -> Window {
        Window { start, end, has_previous, has_next }
    }

    #[test]
    fn page_window_matches_graphene() {
        assert_eq!(window(None, None, None, None), expected_window(0, 10, false, false));
        assert_eq!(window(None, None, Some(1), None), expected_window(0, 1, false, true));
        assert_eq!(window(Some(0), None, Some(9), None), expected_window(1, 10, false, false));
        assert_eq!(window(None, Some(5), None, Some(2)), expected_window(3, 5, true, false));
        assert_eq!(window(Some(2), Some(6), None, None), expected_window(3, 6, false, false));
        assert_eq!(window(Some(2), Some(6), Some(2), Some(1)), expected_window(4, 5, true, true));
        assert_eq!(window(Some(8), Some(2), None, None), expected_window(9, 9, false, false));
        assert_eq!(window(Some(u64::MAX), None, Some(5), None), expected_window(10, 10, false, false));
        assert_eq!(window(None, None, Some(-1), None), expected_window(0, 0, false, true));
        let invalid = Paging { after: Some("x".to_owned()), before: Some(String::new()), first: None, last: None };
        assert_eq!(invalid.window(3), expected_window(0, 3, false, false));
    }

    #[test]
    fn page_is_capped_and_reports_more_rows() {
        let all = |first, last| Paging { after: None, before: None, first, last };
        assert_eq!(all(None, None).window(2_500), expected_window(0, 1_000, false, true));
        assert_eq!(all(Some(2_000), None).window(2_500), expected_window(0, 1_000, false, true));
        assert_eq!(all(None, Some(2_000)).window(2_500), expected_window(1_500, 2_500, true, false));
        assert_eq!((weight(None, None, 3), weight(Some(5), None, 3), weight(None, Some(-1), 3)), (300, 3, 3));
    }
}
