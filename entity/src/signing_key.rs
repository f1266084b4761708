//! Table `signing_key`: keys that sign tokens.

use sea_orm::entity::prelude::*;

use crate::secret::SecretBytes;
use crate::timestamp::Timestamp;

/// A signing key; the private key is encrypted with the server's secret.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    /// Key id, the `kid` of token headers.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    /// Signature algorithm.
    pub algorithm: String,
    /// Encrypted private key.
    #[sea_orm(column_type = "Blob")]
    pub sealed: SecretBytes,
    /// Time from which it signs.
    pub active_from: Timestamp,
    /// Time from which its signatures are no longer accepted.
    pub retire_at: Option<Timestamp>,
    /// Time of creation.
    pub created_at: Timestamp,
}

/// No relations: keys belong to the whole installation.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
