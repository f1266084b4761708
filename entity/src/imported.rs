//! Table `imported`: what came from an older service.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// A user or a tenant that was imported.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "imported")]
pub struct Model {
    /// SHA-256 of what the older service knew it by, in lower-case hexadecimal digits.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source: String,
    /// The public id here.
    pub uid: Uuid,
    pub imported_at: Timestamp,
}

/// None: what was deleted here since must not come back with the next import.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
