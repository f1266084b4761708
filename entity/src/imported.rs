//! Table `imported`: import records.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// An imported user or tenant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "imported")]
pub struct Model {
    /// SHA-256 of its identifier in the older service, in lower-case hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source: String,
    /// Public id of the user or tenant.
    pub uid: Uuid,
    /// Time of the import.
    pub imported_at: Timestamp,
}

/// No relations: the record outlives its row, so that the next import does not restore a deleted user or tenant.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
