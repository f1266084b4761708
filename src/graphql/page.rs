//! Relay connections from pages.

use async_graphql::connection::{Connection, Edge, EmptyFields};
use async_graphql::{ObjectType, OutputType};

use crate::account::page::Slice;

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
