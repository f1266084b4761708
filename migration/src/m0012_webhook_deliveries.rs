//! Creates the webhook queue, and an index for recent revocations.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::table;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let webhook_delivery = table::create(manager, "webhook_delivery")
            .col(big_pk_auto("id"))
            .col(uuid("uid"))
            .col(table::key(manager, "endpoint", 64))
            .col(text("payload"))
            .col(big_integer("created_at"))
            .col(big_integer("due_at"))
            .col(integer("attempts"))
            .col(string_len_null("failure", 255))
            .col(big_integer_null("given_up_at"))
            .take();
        manager.create_table(webhook_delivery).await?;
        table::index(manager, "webhook_delivery", &["endpoint", "given_up_at", "due_at"]).await?;
        table::index(manager, "revoked_token", &["revoked_at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = "ix_revoked_token_revoked_at";
        if manager.has_index("revoked_token", index).await? {
            manager.drop_index(Index::drop().name(index).table("revoked_token").to_owned()).await?;
        }
        table::drop(manager, "webhook_delivery").await
    }
}
