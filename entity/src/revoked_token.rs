//! Table `revoked_token`: tokens and sessions revoked before their expiry.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// A revocation of a token or session, kept until its original expiry.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revoked_token")]
pub struct Model {
    /// A `jti`, a `sid`, the public id of a user (a cut-off), or `gen:` and a `sid` (see `generation`).
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_id: String,
    /// Public id of the user.
    pub user_uid: Uuid,
    /// Original expiry; the row may be deleted afterwards.
    pub until: Timestamp,
    /// Time of the revocation.
    pub revoked_at: Timestamp,
    /// Reason, in upper-case words.
    pub reason: String,
    /// Lowest generation of the session whose access tokens are valid.
    pub generation: Option<i32>,
    /// Whether a cut-off of the user revokes the same tokens, so that the published list omits the entry.
    pub covered: bool,
}

/// No relations: a revocation outlives its user.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
