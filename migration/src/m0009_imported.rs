//! Creates import records, which make imports repeatable.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::table;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let imported = table::create(manager, "imported")
            .col(table::key(manager, "source", 64).primary_key())
            .col(uuid("uid"))
            .col(big_integer("imported_at"))
            .take();
        manager.create_table(imported).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::drop(manager, "imported").await
    }
}
