//! The query that loads an authenticated caller: session, user and grants.

use entity::{role, role_permission, session, user, user_role};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, IdenStatic, JoinType, QueryFilter, QueryResult,
    QuerySelect, RelationTrait, SelectA, SelectB,
};
use uuid::Uuid;

use crate::error::Result;
use crate::store::grants::Grant;

/// The session with this public id, its user and the user's grants. One statement, because every uncached request
/// runs it.
pub async fn find_with_grants(db: &impl ConnectionTrait, uid: Uuid) -> Result<Option<SessionWithGrants>> {
    let mut query = session::Entity::find()
        .find_also_related(user::Entity)
        .join(JoinType::LeftJoin, user::Relation::UserRole.def())
        .join(JoinType::LeftJoin, user_role::Relation::Role.def())
        .join(JoinType::LeftJoin, role::Relation::RolePermission.def())
        .column_as(role::Column::Name, Row::ROLE)
        .column_as(role::Column::BuiltIn, Row::BUILT_IN)
        .column_as(role_permission::Column::Permission, Row::PERMISSION)
        .filter(session::Column::Uid.eq(uid));
    let statement = db.get_database_backend().build(QuerySelect::query(&mut query));
    let rows = Row::find_by_statement(statement).all(db).await?;
    let mut found: Option<SessionWithGrants> = None;
    for Row { session, user, grant } in rows {
        found.get_or_insert_with(|| SessionWithGrants { session, user, grants: Vec::new() }).grants.extend(grant);
    }
    Ok(found)
}

/// A session, its user and the user's grants.
pub struct SessionWithGrants {
    /// Row of the session.
    pub session: session::Model,
    /// User of the session.
    pub user: user::Model,
    /// Grants of the user, one per role and permission.
    pub grants: Vec<Grant>,
}

/// One row of the join.
struct Row {
    session: session::Model,
    user: user::Model,
    grant: Option<Grant>,
}

impl Row {
    const ROLE: &str = "role_name";
    const BUILT_IN: &str = "role_built_in";
    const PERMISSION: &str = "role_permission";
}

impl FromQueryResult for Row {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, DbErr> {
        let user = user::Model::from_query_result(row, SelectB.as_str())?;
        let grant = match row.try_get::<Option<String>>("", Self::ROLE)? {
            Some(name) => Some(Grant {
                user_id: user.id,
                tenant_id: user.tenant_id,
                name,
                built_in: row.try_get("", Self::BUILT_IN)?,
                permission: row.try_get("", Self::PERMISSION)?,
            }),
            None => None,
        };
        Ok(Self { session: session::Model::from_query_result(row, SelectA.as_str())?, user, grant })
    }
}
