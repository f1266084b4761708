//! Creates the counters of failed password attempts.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::table;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let throttle = table::create(manager, "throttle")
            .col(table::key(manager, "subject", 128).primary_key())
            .col(integer("failures"))
            .col(big_integer("blocked_until"))
            .col(big_integer("updated_at"))
            .take();
        manager.create_table(throttle).await?;
        table::index(manager, "throttle", &["updated_at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::drop(manager, "throttle").await
    }
}
