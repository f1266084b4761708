//! Relay connections (GraphQL Cursor Connections Specification).

use std::borrow::Cow;

use async_graphql::connection::{Edge, EmptyFields, PageInfo};
use async_graphql::{ComplexObject, ObjectType, OutputType, SimpleObject, TypeName};

use crate::account::pagination::{DEFAULT_SIZE, MAX_SIZE, Slice};

/// The complexity of a page: that of one row times the page size.
pub(super) fn weight(size: Option<i32>, row_weight: usize) -> usize {
    let rows = size.unwrap_or(DEFAULT_SIZE).clamp(1, MAX_SIZE);
    usize::try_from(rows).unwrap_or(1).saturating_mul(row_weight)
}

// async-graphql's own connection type cannot have a description.
/// One page of a list.
#[derive(SimpleObject)]
#[graphql(complex, name_type)]
pub struct Connection<Node, Fields>
where
    Node: OutputType,
    Fields: ObjectType,
{
    /// The position of the page in the list.
    page_info: PageInfo,
    /// The objects of the page, each with its cursor.
    edges: Vec<Edge<String, Node, EmptyFields>>,
    #[graphql(flatten)]
    fields: Fields,
}

#[ComplexObject]
impl<Node, Fields> Connection<Node, Fields>
where
    Node: OutputType,
    Fields: ObjectType,
{
    /// The objects of the page, without cursors.
    async fn nodes(&self) -> Vec<&Node> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }
}

impl<Node: OutputType, Fields: ObjectType> TypeName for Connection<Node, Fields> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", Node::type_name()).into()
    }
}

/// The connection for `slice`, with additional `fields` such as `totalCount`.
pub(super) fn connection<T, Node, Fields>(
    slice: Slice<T>,
    fields: Fields,
    node: impl Fn(T) -> Node,
) -> Connection<Node, Fields>
where
    Node: OutputType,
    Fields: ObjectType,
{
    let page_info = PageInfo {
        has_previous_page: slice.has_previous,
        has_next_page: slice.has_next,
        start_cursor: slice.rows.first().map(|(cursor, _)| cursor.clone()),
        end_cursor: slice.rows.last().map(|(cursor, _)| cursor.clone()),
    };
    let edges = slice.rows.into_iter().map(|(cursor, row)| Edge::new(cursor, node(row))).collect();
    Connection { page_info, edges, fields }
}
