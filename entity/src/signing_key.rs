//! Table `signing_key`: the keys that sign tokens.

use sea_orm::entity::prelude::*;

use crate::secret::SecretBytes;
use crate::timestamp::Timestamp;

/// A signing key, its private half sealed with the server's secret.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    pub algorithm: String,
    #[sea_orm(column_type = "Blob")]
    pub sealed: SecretBytes,
    pub active_from: Timestamp,
    pub retire_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// None: a key belongs to the installation.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
