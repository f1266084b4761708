//! Adds indexes for lists of live sessions and usable API tokens, whatever the number of ended ones.

use sea_orm_migration::prelude::*;

use crate::table;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::index(manager, "session", &["user_id", "ended_at", "created_at", "id"]).await?;
        table::index(manager, "api_token", &["user_id", "revoked_at", "created_at", "id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, name) in [
            ("session", "ix_session_user_id_ended_at_created_at_id"),
            ("api_token", "ix_api_token_user_id_revoked_at_created_at_id"),
        ] {
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        Ok(())
    }
}
