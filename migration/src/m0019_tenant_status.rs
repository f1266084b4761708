//! Adds the tenant status, and a copy of it at each user.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !manager.has_column("tenant", "status").await? {
            let status = string_len("status", 32).default("ACTIVE").take();
            manager.alter_table(Table::alter().table("tenant").add_column(status).take()).await?;
        }
        if !manager.has_column("user", "tenant_disabled").await? {
            let disabled = boolean("tenant_disabled").default(false).take();
            manager.alter_table(Table::alter().table("user").add_column(disabled).take()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [("user", "tenant_disabled"), ("tenant", "status")] {
            if manager.has_column(table, column).await? {
                manager.alter_table(Table::alter().table(table).drop_column(column).take()).await?;
            }
        }
        Ok(())
    }
}
