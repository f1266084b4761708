//! Creates change counters, by which nodes invalidate each other's caches.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::table;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// 256 buckets of users, and one for changes that affect all users.
const SLOTS: i32 = 257;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let change_counter = table::create(manager, "change_counter")
            .col(integer("slot").primary_key())
            .col(big_integer("changes"))
            .take();
        manager.create_table(change_counter).await?;
        let mut counters = Query::insert();
        counters.into_table("change_counter").columns(["slot", "changes"]);
        for slot in 0..SLOTS {
            let row = [slot.into(), 0_i64.into()];
            counters.values(row).map_err(|error| DbErr::Migration(error.to_string()))?;
        }
        counters.on_conflict(OnConflict::column("slot").do_nothing_on(["slot"]).to_owned());
        manager.execute(counters).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::drop(manager, "change_counter").await
    }
}
