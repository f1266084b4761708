//! Filters of lists of users.

use entity::{role, user, user_role};
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, Query};
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

/// Filter of a list of users; all given conditions must match.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Part of the canonical username, e-mail address or display name.
    pub search: Option<String>,
    /// The canonical e-mail address, exactly.
    pub email_key: Option<String>,
    /// The canonical name of a role.
    pub role_key: Option<String>,
    /// Status of the user.
    pub status: Option<user::Status>,
    /// Row id of the tenant.
    pub tenant_id: Option<i64>,
    /// Part of the canonical e-mail address, or of the username of users without an address.
    pub handle: Option<String>,
    /// Part of the canonical display name.
    pub display_name: Option<String>,
    /// Public id.
    pub uid: Option<Uuid>,
    /// The canonical username, exactly.
    pub username_key: Option<String>,
    /// Whether the user must change the password.
    pub must_change_password: Option<bool>,
}

/// The filter as a condition on users.
pub(super) fn filter_condition(filter: &Filter) -> Condition {
    let mut condition = Condition::all();
    if let Some(text) = &filter.search {
        condition = condition.add(
            Condition::any()
                .add(user::Column::UsernameKey.like(contains_pattern(text)))
                .add(user::Column::EmailKey.like(contains_pattern(text)))
                .add(user::Column::DisplayNameKey.like(contains_pattern(text))),
        );
    }
    if let Some(text) = &filter.handle {
        let without_email =
            user::Column::EmailKey.is_null().and(user::Column::UsernameKey.like(contains_pattern(text)));
        condition = condition.add(user::Column::EmailKey.like(contains_pattern(text)).or(without_email));
    }
    if let Some(text) = &filter.display_name {
        condition = condition.add(user::Column::DisplayNameKey.like(contains_pattern(text)));
    }
    if let Some(key) = &filter.email_key {
        condition = condition.add(user::Column::EmailKey.eq(key));
    }
    if let Some(key) = &filter.role_key {
        let holders = Query::select()
            .column((user_role::Entity, user_role::Column::UserId))
            .from(user_role::Entity)
            .inner_join(
                role::Entity,
                Expr::col((role::Entity, role::Column::Id)).equals((user_role::Entity, user_role::Column::RoleId)),
            )
            .and_where(Expr::col((role::Entity, role::Column::NameKey)).eq(key))
            .take();
        condition = condition.add(user::Column::Id.in_subquery(holders));
    }
    if let Some(status) = filter.status {
        condition = condition.add(user::Column::Status.eq(status));
    }
    if let Some(tenant_id) = filter.tenant_id {
        condition = condition.add(user::Column::TenantId.eq(tenant_id));
    }
    if let Some(uid) = filter.uid {
        condition = condition.add(user::Column::Uid.eq(uid));
    }
    if let Some(key) = &filter.username_key {
        condition = condition.add(user::Column::UsernameKey.eq(key));
    }
    if let Some(must_change) = filter.must_change_password {
        condition = condition.add(user::Column::MustChangePassword.eq(must_change));
    }
    condition
}

/// The LIKE pattern for strings that contain `text`; wildcards in `text` are escaped.
fn contains_pattern(text: &str) -> LikeExpr {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    LikeExpr::new(format!("%{escaped}%")).escape('\\')
}
