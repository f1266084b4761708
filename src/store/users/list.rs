//! Lists of users: by cursor and by offset.

use entity::timestamp::Timestamp;
use entity::user;
use sea_orm::{ConnectionTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Value};

use super::filter::{Filter, filter_condition};
use crate::error::Result;
use crate::store::keyset::{CursorKey, Page, Sort, paged};
use crate::store::scope::TenantScope;

/// Sort key of a list of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Creation time.
    CreatedAt,
    /// The canonical username.
    Username,
    /// The canonical e-mail address; users without one sort first.
    Email,
    /// The last login; users without one sort first.
    LastLogin,
}

/// Sort key and direction of a list of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sorting {
    /// The key.
    pub order: Order,
    /// Whether the highest key comes first.
    pub is_descending: bool,
}

/// One page of the users that match `filter`; a page from the end is in reverse order.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: TenantScope,
    filter: &Filter,
    Sorting { order, is_descending }: Sorting,
    page: &Page,
) -> Result<Vec<user::Model>> {
    let (column, null_as) = match order {
        Order::CreatedAt => (user::Column::CreatedAt, None),
        Order::Username => (user::Column::UsernameKey, None),
        Order::Email => (user::Column::EmailKey, Some(Value::from(""))),
        Order::LastLogin => (user::Column::LastLoginAt, Some(Value::from(0_i64))),
    };
    let sort = Sort { column, null_as, id: user::Column::Id, is_descending };
    Ok(paged(scope.find_users().filter(filter_condition(filter)), &sort, page).all(db).await?)
}

/// At most `limit` users that match `filter`, oldest first, after skipping `offset`.
pub async fn list_by_offset(
    db: &impl ConnectionTrait,
    scope: TenantScope,
    filter: &Filter,
    offset: u64,
    limit: u64,
) -> Result<Vec<user::Model>> {
    // The order of the index.
    let oldest_first = scope.find_users().order_by_asc(user::Column::CreatedAt).order_by_asc(user::Column::Id);
    Ok(oldest_first.filter(filter_condition(filter)).offset(offset).limit(limit).all(db).await?)
}

/// The cursor key of `user` in a list sorted by `order`.
pub fn cursor_key(user: &user::Model, order: Order) -> CursorKey {
    let key = match order {
        Order::CreatedAt => user.created_at.millis().into(),
        Order::Username => user.username_key.clone().into(),
        Order::Email => user.email_key.clone().unwrap_or_default().into(),
        Order::LastLogin => user.last_login_at.map_or(0, Timestamp::millis).into(),
    };
    CursorKey { key, id: user.id }
}

/// Counts the users that match `filter`.
pub async fn count(db: &impl ConnectionTrait, scope: TenantScope, filter: &Filter) -> Result<u64> {
    Ok(scope.find_users().filter(filter_condition(filter)).count(db).await?)
}
