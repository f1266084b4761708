//! Creates signing keys.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::table;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let signing_key = table::create(manager, "signing_key")
            .col(table::key(manager, "kid", 128).primary_key())
            .col(string_len("algorithm", 32))
            .col(blob("sealed"))
            .col(big_integer("active_from"))
            .col(big_integer_null("retire_at"))
            .col(big_integer("created_at"))
            .take();
        manager.create_table(signing_key).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::drop(manager, "signing_key").await
    }
}
