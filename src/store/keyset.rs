//! Pages by keyset: the next page begins after a known row, so that a deep page costs what the first one does.

use sea_orm::sea_query::{Expr, ExprTrait, Func, SimpleExpr};
use sea_orm::{Condition, EntityTrait, Order, QueryFilter, QueryOrder, Select, Value};

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Only rows behind this place.
    pub after: Option<CursorKey>,
    /// Only rows in front of this place.
    pub before: Option<CursorKey>,
    /// How many rows to fetch.
    pub limit: u64,
    /// Take the rows from the end of the list.
    pub is_from_end: bool,
}

/// A row's place in a list: the value it is sorted by and, among equals, its number.
#[derive(Debug, Clone, PartialEq)]
pub struct CursorKey {
    /// The value of the sort column.
    pub key: Value,
    /// The row's number.
    pub id: i64,
}

/// What a list is sorted by; rows that are equal in it stand in the order of their numbers.
pub(super) struct Sort<C> {
    pub column: C,
    /// What stands for "no value"; it sorts like any other value, and alike on every database.
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

    /// Rows that come later in the sort order (or earlier, if `reverse`) than `place`.
    fn range_condition(&self, place: &CursorKey, reverse: bool) -> Condition {
        let id = Expr::col(self.id.as_column_ref());
        // `key >= x AND (key > x OR id > y)` lets every database walk the index; `key > x OR (...)` does not.
        let (reaches, passes, id_passes) = if self.is_descending == reverse {
            (self.key().gte(place.key.clone()), self.key().gt(place.key.clone()), id.gt(place.id))
        } else {
            (self.key().lte(place.key.clone()), self.key().lt(place.key.clone()), id.lt(place.id))
        };
        Condition::all().add(reaches).add(Condition::any().add(passes).add(id_passes))
    }
}

/// `select` narrowed to `page`; the rows come in list order, or in reverse if the page is taken from the end.
pub(super) fn paged<E, C>(mut select: Select<E>, sort: &Sort<C>, page: &Page) -> Select<E>
where
    E: EntityTrait,
    C: sea_orm::ColumnTrait,
{
    if let Some(place) = &page.after {
        select = select.filter(sort.range_condition(place, false));
    }
    if let Some(place) = &page.before {
        select = select.filter(sort.range_condition(place, true));
    }
    let order = if sort.is_descending == page.is_from_end { Order::Asc } else { Order::Desc };
    sea_orm::QuerySelect::limit(select.order_by(sort.key(), order.clone()).order_by(sort.id, order), page.limit)
}
