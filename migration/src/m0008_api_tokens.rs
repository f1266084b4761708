//! Creates API tokens, stored as hashes.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::table;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let api_token = table::create(manager, "api_token")
            .col(big_pk_auto("id"))
            .col(uuid("uid"))
            .col(big_integer("user_id"))
            .col(string_len("name", 255))
            .col(string_len_null("note", 1_024))
            .col(table::key(manager, "secret_hash", 64))
            .col(text_null("permissions"))
            .col(text("scopes"))
            .col(boolean("enabled"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .col(big_integer_null("expires_at"))
            .col(big_integer_null("last_used_at"))
            .col(big_integer_null("revoked_at"))
            .col(big_integer("version"))
            .index(&mut table::unique("api_token", "uid"))
            .index(&mut table::unique("api_token", "secret_hash"))
            // Deleting the owner deletes the token, so that no later user with the same name inherits it.
            .foreign_key(&mut table::foreign_key("api_token", "user", ForeignKeyAction::Cascade))
            .take();
        manager.create_table(api_token).await?;
        table::index(manager, "api_token", &["user_id", "created_at", "id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::drop(manager, "api_token").await
    }
}
