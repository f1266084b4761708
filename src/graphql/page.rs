//! Relay connections from pages.

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{ObjectType, OutputType};

use crate::account::page::{DEFAULT_SIZE, MAX_SIZE, Slice};

/// How much a page weighs: what one row does, as often as there may be rows.
pub(super) fn weight(size: Option<i32>, row: usize) -> usize {
    let rows = size.unwrap_or(DEFAULT_SIZE).clamp(1, MAX_SIZE);
    usize::try_from(rows).unwrap_or(1).saturating_mul(row)
}

/// A connection of `slice` with what else it shows.
pub(super) fn connection<T, Node, Fields>(
    slice: Slice<T>,
    fields: Fields,
    node: impl Fn(T) -> Node,
) -> Connection<String, Node, Fields, EmptyFields>
where
    Node: OutputType,
    Fields: ObjectType,
{
    let mut connection = Connection::with_additional_fields(slice.has_previous, slice.has_next, fields);
    connection.edges.extend(slice.rows.into_iter().map(|(cursor, row)| Edge::new(cursor, node(row))));
    connection
}
