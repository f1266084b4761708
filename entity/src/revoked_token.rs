//! Table `revoked_token`: what must be refused before it expires.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// A token, or a whole session, that is refused until it would have expired anyway.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revoked_token")]
pub struct Model {
    /// A `jti`, a `sid`, the public id of a user (a cut-off), or `gen:` and a `sid` (see `generation`).
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_id: String,
    pub user_uid: Uuid,
    /// From here on the row may be deleted.
    pub until: Timestamp,
    pub revoked_at: Timestamp,
    pub reason: String,
    /// The lowest generation of a session whose access tokens are valid.
    pub generation: Option<i32>,
    /// Whether a cut-off of the user revokes the same tokens, so that the revocation list has no entry for it.
    pub covered: bool,
}

/// None: a refusal stands even when its user is gone.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
