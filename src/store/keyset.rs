//! Keyset pagination: a page starts after a known row, so that a deep page costs as much as the first.

/// A value that a cursor contains.
pub use sea_orm::Value;
use sea_orm::sea_query::{Expr, ExprTrait, Func, SimpleExpr};
use sea_orm::{Condition, EntityTrait, Order, QueryFilter, QueryOrder, Select};

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Only rows after this key.
    pub after: Option<CursorKey>,
    /// Only rows before this key.
    pub before: Option<CursorKey>,
    /// Maximum number of rows.
    pub limit: u64,
    /// Whether to take the rows from the end of the list.
    pub is_from_end: bool,
}

/// Position of a row in a list: the value of the sort column and, among equals, the row id.
#[derive(Debug, Clone, PartialEq)]
pub struct CursorKey {
    /// Value of the sort column.
    pub key: Value,
    /// Row id.
    pub id: i64,
}

/// Sort order of a list; rows with equal values are ordered by row id.
pub(super) struct Sort<C> {
    pub column: C,
    /// Replaces NULL, which databases sort differently.
    pub null_as: Option<Value>,
    pub id: C,
    pub is_descending: bool,
}

impl<C: sea_orm::ColumnTrait> Sort<C> {
    fn key(&self) -> SimpleExpr {
        let column = Expr::col(self.column.as_column_ref());
        match &self.null_as {
            Some(value) => Func::coalesce([column, Expr::value(value.clone())]).into(),
            None => column,
        }
    }

    /// Rows after `cursor` in the sort order.
    fn after(&self, cursor: &CursorKey) -> Condition {
        if self.is_descending { self.lower(cursor) } else { self.greater(cursor) }
    }

    /// Rows before `cursor` in the sort order.
    fn before(&self, cursor: &CursorKey) -> Condition {
        if self.is_descending { self.greater(cursor) } else { self.lower(cursor) }
    }

    /// Rows with a greater key, or an equal key and a greater row id.
    fn greater(&self, cursor: &CursorKey) -> Condition {
        let id = Expr::col(self.id.as_column_ref());
        // `key >= x AND (key > x OR id > y)` lets every database walk the index; `key > x OR (...)` does not.
        let beyond = Condition::any().add(self.key().gt(cursor.key.clone())).add(id.gt(cursor.id));
        Condition::all().add(self.key().gte(cursor.key.clone())).add(beyond)
    }

    /// Like [`Self::greater`], in the other direction.
    fn lower(&self, cursor: &CursorKey) -> Condition {
        let id = Expr::col(self.id.as_column_ref());
        let beyond = Condition::any().add(self.key().lt(cursor.key.clone())).add(id.lt(cursor.id));
        Condition::all().add(self.key().lte(cursor.key.clone())).add(beyond)
    }
}

/// Restricts `select` to `page`; rows are in list order, or in reverse if the page is taken from the end.
pub(super) fn paged<E, C>(mut select: Select<E>, sort: &Sort<C>, page: &Page) -> Select<E>
where
    E: EntityTrait,
    C: sea_orm::ColumnTrait,
{
    if let Some(cursor) = &page.after {
        select = select.filter(sort.after(cursor));
    }
    if let Some(cursor) = &page.before {
        select = select.filter(sort.before(cursor));
    }
    let order = if sort.is_descending == page.is_from_end { Order::Asc } else { Order::Desc };
    sea_orm::QuerySelect::limit(select.order_by(sort.key(), order.clone()).order_by(sort.id, order), page.limit)
}
