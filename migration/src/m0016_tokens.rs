//! Adds the login mark of API tokens, pending password attempts, and login origins.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::table;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if !manager.has_column("api_token", "from_login").await? {
            let column = boolean("from_login").default(false).take();
            manager.alter_table(Table::alter().table("api_token").add_column(column).to_owned()).await?;
        }
        // Until now only logins issued tokens with all permissions of their owner.
        let logins = Query::update()
            .table("api_token")
            .value("from_login", true)
            .and_where(Expr::col("permissions").is_null())
            .take();
        manager.execute(logins).await?;
        if !manager.has_column("throttle", "pending").await? {
            let column = integer("pending").default(0).take();
            manager.alter_table(Table::alter().table("throttle").add_column(column).to_owned()).await?;
        }
        let login_origin = table::create(manager, "login_origin")
            .col(big_integer("user_id"))
            .col(table::key(manager, "origin", 64))
            .col(big_integer("expires_at"))
            .primary_key(&mut table::primary_key(&["user_id", "origin"]))
            .foreign_key(&mut table::foreign_key("login_origin", "user", ForeignKeyAction::Cascade))
            .take();
        manager.create_table(login_origin).await?;
        table::index(manager, "login_origin", &["expires_at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::drop(manager, "login_origin").await?;
        for (table, column) in [("throttle", "pending"), ("api_token", "from_login")] {
            if manager.has_column(table, column).await? {
                manager.alter_table(Table::alter().table(table).drop_column(column).to_owned()).await?;
            }
        }
        Ok(())
    }
}
