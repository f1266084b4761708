//! Creates sessions and revoked tokens.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::table;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let session = table::create(manager, "session")
            .col(big_pk_auto("id"))
            .col(uuid("uid"))
            .col(big_integer("user_id"))
            .col(integer("generation"))
            .col(integer("receipt"))
            .col(string_len("transport", 32))
            .col(string_len_null("device_name", 255))
            .col(string_len_null("user_agent", 512))
            .col(string_len_null("address", 64))
            .col(big_integer("created_at"))
            .col(big_integer("rotated_at"))
            .col(big_integer("last_seen_at"))
            .col(big_integer("idle_end_at"))
            .col(big_integer("absolute_end_at"))
            .col(big_integer_null("ended_at"))
            .col(string_len_null("end_reason", 32))
            .index(&mut table::unique("session", "uid"))
            .foreign_key(&mut table::foreign_key("session", "user", ForeignKeyAction::Cascade))
            .take();
        manager.create_table(session).await?;
        table::index(manager, "session", &["user_id", "created_at", "id"]).await?;

        // No foreign key: a revocation outlives its user.
        let revoked_token = table::create(manager, "revoked_token")
            .col(table::key(manager, "token_id", 128).primary_key())
            .col(uuid("user_uid"))
            .col(big_integer("until"))
            .col(big_integer("revoked_at"))
            .col(string_len("reason", 255))
            .take();
        manager.create_table(revoked_token).await?;
        table::index(manager, "revoked_token", &["until"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::drop(manager, "revoked_token").await?;
        table::drop(manager, "session").await
    }
}
