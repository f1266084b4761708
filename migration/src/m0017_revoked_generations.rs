//! Bounds the revocation list: adds cut-offs of users, the lowest valid generation of sessions, and indexes.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, boolean, integer, integer_null};

use crate::table;

#[derive(DeriveMigrationName)]
pub struct Migration;

const INDEXES: [(&str, &[&str]); 2] =
    [("session", &["user_id", "ended_at", "id"]), ("revoked_token", &["user_uid", "revoked_at"])];

fn columns() -> [(&'static str, &'static str, ColumnDef); 5] {
    [
        ("user", "cut_off_at", big_integer_null("cut_off_at")),
        ("session", "issued_at", big_integer("issued_at").default(0).take()),
        ("session", "lowest_generation", integer("lowest_generation").default(0).take()),
        ("revoked_token", "generation", integer_null("generation")),
        ("revoked_token", "covered", boolean("covered").default(false).take()),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, name, mut column) in columns() {
            table::column(manager, table, name, &mut column).await?;
        }
        for (table, columns) in INDEXES {
            table::index(manager, table, columns).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns) in INDEXES {
            let name = format!("ix_{table}_{}", columns.join("_"));
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        for (table, name, _) in columns().into_iter().rev() {
            manager.alter_table(Table::alter().table(table).drop_column(name).to_owned()).await?;
        }
        Ok(())
    }
}
