//! Creates roles, with the built-in `admin`, their permissions and assignments.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;
use sea_orm_migration::sea_orm::prelude::Uuid;

use crate::table;

/// Public id of the role `admin`: a fixed UUIDv7, the same on every installation.
const ADMIN: Uuid = Uuid::from_u128(0x019b76da_a800_7000_8000_000000000002);

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let cascade = ForeignKeyAction::Cascade;

        let role = table::create(manager, "role")
            .col(big_pk_auto("id"))
            .col(uuid("uid"))
            .col(string_len("name", 255))
            .col(table::key(manager, "name_key", 255))
            .col(text_null("description"))
            .col(boolean("built_in"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .index(&mut table::unique("role", "uid"))
            .index(&mut table::unique("role", "name_key"))
            .take();
        manager.create_table(role).await?;

        let role_permission = table::create(manager, "role_permission")
            .col(big_integer("role_id"))
            .col(table::key(manager, "permission", 128))
            .primary_key(&mut table::primary_key(&["role_id", "permission"]))
            .foreign_key(&mut table::foreign_key("role_permission", "role", cascade))
            .take();
        manager.create_table(role_permission).await?;

        let user_role = table::create(manager, "user_role")
            .col(big_integer("user_id"))
            .col(big_integer("role_id"))
            .primary_key(&mut table::primary_key(&["user_id", "role_id"]))
            .foreign_key(&mut table::foreign_key("user_role", "user", cascade))
            .foreign_key(&mut table::foreign_key("user_role", "role", cascade))
            .take();
        manager.create_table(user_role).await?;
        table::index(manager, "user_role", &["role_id"]).await?;

        let admin = [
            ("uid", ADMIN.into()),
            ("name", "admin".into()),
            ("name_key", "admin".into()),
            ("description", "Everything".into()),
            ("built_in", true.into()),
            ("created_at", table::WELL_KNOWN_SINCE.into()),
            ("updated_at", table::WELL_KNOWN_SINCE.into()),
        ];
        table::seed(manager, "role", admin).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::drop(manager, "user_role").await?;
        table::drop(manager, "role_permission").await?;
        table::drop(manager, "role").await
    }
}
