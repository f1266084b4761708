//! Creates the audit log.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::table;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // No foreign keys: an event outlives the rows it refers to.
        let audit_event = table::create(manager, "audit_event")
            .col(big_pk_auto("id"))
            .col(uuid("uid"))
            .col(big_integer("at"))
            .col(big_integer_null("tenant_id"))
            .col(string_len("action", 128))
            .col(string_len("outcome", 32))
            .col(uuid_null("actor_uid"))
            .col(uuid_null("target_uid"))
            .col(uuid_null("session_uid"))
            .col(string_len_null("address", 64))
            .col(string_len_null("user_agent", 512))
            .col(string_len_null("request_id", 255))
            .col(text_null("details"))
            .index(&mut table::unique("audit_event", "uid"))
            .take();
        manager.create_table(audit_event).await?;
        table::index(manager, "audit_event", &["at"]).await?;
        table::index(manager, "audit_event", &["actor_uid", "at"]).await?;
        table::index(manager, "audit_event", &["target_uid", "at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        table::drop(manager, "audit_event").await
    }
}
