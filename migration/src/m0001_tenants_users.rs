//! Creates tenants, with the default one, and users.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_orm::prelude::Uuid;

use crate::table;

/// Public id of the default tenant: a fixed UUIDv7, the same on every installation.
const DEFAULT_TENANT: Uuid = Uuid::from_u128(0x019b76da_a800_7000_8000_000000000001);

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tenant = table::create(manager, "tenant")
            .col(big_pk_auto("id"))
            .col(uuid("uid"))
            .col(string_len("name", 255))
            .col(big_integer("created_at"))
            .index(&mut table::unique("tenant", "uid"))
            .take();
        manager.create_table(tenant).await?;

        let user = table::create(manager, "user")
            .col(big_pk_auto("id"))
            .col(uuid("uid"))
            .col(big_integer("tenant_id"))
            .col(string_len("username", 255))
            .col(table::key(manager, "username_key", 255))
            .col(string_len_null("email", 320))
            .col(table::key_null(manager, "email_key", 320))
            .col(string_len_null("display_name", 255))
            .col(table::key_null(manager, "display_name_key", 512))
            .col(string_len_null("password_hash", 255))
            .col(big_integer_null("password_changed_at"))
            .col(boolean("must_change_password"))
            .col(string_len("status", 32))
            .col(big_integer_null("last_login_at"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .col(big_integer("version"))
            .index(&mut table::unique("user", "uid"))
            .index(&mut table::unique("user", "username_key"))
            .index(&mut table::unique("user", "email_key"))
            // NO ACTION restricts like RESTRICT, which SQLite reports as a trigger failure.
            .foreign_key(&mut table::foreign_key("user", "tenant", ForeignKeyAction::NoAction))
            .take();
        manager.create_table(user).await?;
        table::index(manager, "user", &["created_at", "id"]).await?;
        table::index(manager, "user", &["tenant_id", "created_at", "id"]).await?;
        table::index(manager, "user", &["tenant_id", "username_key"]).await?;

        let default = [
            ("id", 1i64.into()),
            ("uid", DEFAULT_TENANT.into()),
            ("name", "default".into()),
            ("created_at", table::WELL_KNOWN_SINCE.into()),
        ];
        table::seed(manager, "tenant", default).await?;
        // PostgreSQL's sequence ignores explicitly inserted ids.
        if manager.get_database_backend() == DbBackend::Postgres {
            let sql = "SELECT setval(pg_get_serial_sequence('tenant', 'id'), MAX(id)) FROM tenant";
            manager.get_connection().execute_unprepared(sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::drop(manager, "user").await?;
        table::drop(manager, "tenant").await
    }
}
