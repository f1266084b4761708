//! Re-runnable builders for tables, keys and seed rows with the same semantics on SQLite, PostgreSQL and MySQL.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{string_len, string_len_null};
use sea_orm_migration::sea_orm::DbBackend;

/// Creation time of seed rows in milliseconds: 2026-01-01T00:00:00Z, the same on every installation.
pub const WELL_KNOWN_SINCE: i64 = 1_767_225_600_000;

/// Starts a CREATE TABLE IF NOT EXISTS statement.
pub fn create(manager: &SchemaManager<'_>, table: &'static str) -> TableCreateStatement {
    let mut statement = Table::create().table(table).if_not_exists().take();
    // The server's default may be another engine, latin1, or a collation that equates `a` and `Á`. `utf8mb4_bin`
    // compares bytes like the other two databases. It ignores trailing blanks, but keys are trimmed, and the NO PAD
    // variants have different names on MySQL (`utf8mb4_0900_bin`) and MariaDB (`utf8mb4_nopad_bin`).
    if manager.get_database_backend() == DbBackend::MySql {
        statement.engine("InnoDB").character_set("utf8mb4").collate("utf8mb4_bin");
    }
    statement
}

/// Drops a table with its indexes and foreign keys, if it exists.
pub async fn drop(manager: &SchemaManager<'_>, table: &'static str) -> Result<(), DbErr> {
    manager.drop_table(Table::drop().table(table).if_exists().take()).await
}

/// A text column compared and sorted by bytes on every database.
pub fn key(manager: &SchemaManager<'_>, column: &'static str, length: u32) -> ColumnDef {
    by_bytes(manager, string_len(column, length))
}

/// A nullable [`key`].
pub fn key_null(manager: &SchemaManager<'_>, column: &'static str, length: u32) -> ColumnDef {
    by_bytes(manager, string_len_null(column, length))
}

// SQLite compares bytes by default, MySQL by the table's collation.
fn by_bytes(manager: &SchemaManager<'_>, mut column: ColumnDef) -> ColumnDef {
    if manager.get_database_backend() == DbBackend::Postgres {
        column.extra(r#"COLLATE "C""#);
    }
    column
}

/// A unique constraint. Its name ends with the column's name, by which the program identifies a violation in the
/// database's message.
pub fn unique(table: &'static str, column: &'static str) -> IndexCreateStatement {
    Index::create().name(format!("uq_{table}_{column}")).col(column).unique().take()
}

/// A primary key over several columns.
pub fn primary_key(columns: &[&'static str]) -> IndexCreateStatement {
    let mut key = Index::create();
    for column in columns {
        key.col(*column);
    }
    key.primary().take()
}

/// A foreign key from `<parent>_id` to the parent's `id`.
pub fn foreign_key(
    table: &'static str,
    parent: &'static str,
    on_delete: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk_{table}_{parent}_id"))
        .from(table, format!("{parent}_id"))
        .to(parent, "id")
        .on_delete(on_delete)
        .take()
}

/// Creates a non-unique index, if it is missing.
pub async fn index(manager: &SchemaManager<'_>, table: &'static str, columns: &[&'static str]) -> Result<(), DbErr> {
    let name = format!("ix_{table}_{}", columns.join("_"));
    // MySQL has no CREATE INDEX IF NOT EXISTS.
    if manager.has_index(table, &name).await? {
        return Ok(());
    }
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}

/// Adds a column, if it is missing.
pub async fn column(
    manager: &SchemaManager<'_>,
    table: &'static str,
    name: &'static str,
    column: &mut ColumnDef,
) -> Result<(), DbErr> {
    // MySQL has no ADD COLUMN IF NOT EXISTS.
    if manager.has_column(table, name).await? {
        return Ok(());
    }
    manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await
}

/// Inserts a seed row, if it is missing.
pub async fn seed<const N: usize>(
    manager: &SchemaManager<'_>,
    table: &'static str,
    row: [(&'static str, Expr); N],
) -> Result<(), DbErr> {
    let mut insert = Query::insert();
    insert
        .into_table(table)
        .columns(row.each_ref().map(|(column, _)| *column))
        .values(row.map(|(_, value)| value))
        .map_err(|error| DbErr::Migration(error.to_string()))?
        // `id` is for MySQL only, whose syntax requires a column to leave unchanged.
        .on_conflict(OnConflict::new().do_nothing_on(["id"]).to_owned());
    manager.execute(insert).await
}
