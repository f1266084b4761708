//! Migrations: up, down, up; repeated runs are harmless; every entity selects from the migrated database.

mod concurrent_startup;
mod constraints;

use std::collections::BTreeSet;

use accountd::database::Database;
use entity::{
    api_token, audit_event, change_counter, imported, login_origin, revoked_token, role, role_permission, session,
    signing_key, tenant, throttle, user, user_role, webhook_delivery,
};
use migration::{Migrator, MigratorTrait};
use sea_orm::sea_query::{Alias, Query};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, IdenStatic, Iterable, PaginatorTrait, Statement};

use crate::support::database::{TestDatabase, backend};
use crate::support::source_files::rust_files;

/// A database that is deleted on drop.
pub struct ScratchDatabase {
    db: Database,
    home: TestDatabase,
}

impl ScratchDatabase {
    async fn empty() -> Self {
        let home = TestDatabase::empty().await;
        std::fs::create_dir_all(&home.directory).unwrap();
        Self::on(home).await
    }

    /// On an existing database.
    pub async fn on(home: TestDatabase) -> Self {
        Self { db: Database::connect(&home.config()).await.unwrap(), home }
    }

    pub async fn migrated() -> Self {
        let scratch = Self::empty().await;
        Migrator::up(&**scratch.db.writer(), None).await.unwrap();
        scratch
    }

    async fn texts(&self, sql: &str) -> BTreeSet<String> {
        let db = self.db.writer();
        let rows = db.query_all_raw(Statement::from_sql_and_values(backend(), sql, [])).await.unwrap();
        rows.iter().filter_map(|row| row.try_get_by_index::<Option<String>>(0).unwrap()).collect()
    }

    /// The schema in the database, without the record of steps.
    pub async fn shape(&self) -> BTreeSet<String> {
        let mut shape = BTreeSet::new();
        for sql in SHAPE[backend_index(backend())] {
            shape.extend(self.texts(sql).await);
        }
        shape.retain(|part| !part.contains("seaql"));
        shape
    }

    /// The number of recorded steps.
    pub async fn steps(&self) -> usize {
        self.texts("SELECT version FROM seaql_migrations").await.len()
    }

    async fn columns(&self, table: &str) -> BTreeSet<String> {
        let sql = match backend() {
            DbBackend::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
            DbBackend::Postgres => format!(
                "SELECT column_name::text FROM information_schema.columns
                 WHERE table_schema = 'public' AND table_name = '{table}'"
            ),
            _ => format!(
                "SELECT CAST(column_name AS CHAR) FROM information_schema.columns
                 WHERE table_schema = DATABASE() AND table_name = '{table}'"
            ),
        };
        self.texts(&sql).await
    }
}

/// The catalog queries of SQLite, PostgreSQL and MySQL.
const SHAPE: [&[&str]; 3] = [
    &["SELECT name || coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite%'"],
    &[
        "SELECT concat_ws(' ', table_name, column_name, data_type, character_maximum_length, is_nullable,
            column_default, is_identity, collation_name) FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace",
    ],
    &[
        "SELECT CAST(concat_ws(' ', table_name, column_name, column_type, is_nullable, column_default, extra,
            collation_name) AS CHAR) FROM information_schema.columns WHERE table_schema = DATABASE()",
        "SELECT CAST(concat_ws(' ', table_name, index_name, seq_in_index, column_name, non_unique) AS CHAR)
            FROM information_schema.statistics WHERE table_schema = DATABASE()",
        "SELECT CAST(concat_ws(' ', table_name, constraint_name, referenced_table_name, delete_rule) AS CHAR)
            FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE()",
    ],
];

fn backend_index(backend: DbBackend) -> usize {
    match backend {
        DbBackend::Sqlite => 0,
        DbBackend::Postgres => 1,
        _ => 2,
    }
}

#[tokio::test]
async fn migrations_go_up_down_and_up_again() {
    let scratch = ScratchDatabase::migrated().await;
    let first = scratch.shape().await;
    assert!(!first.is_empty());
    Migrator::down(&**scratch.db.writer(), None).await.unwrap();
    assert_eq!(scratch.shape().await, BTreeSet::new(), "nothing remains");
    Migrator::up(&**scratch.db.writer(), None).await.unwrap();
    assert_eq!(scratch.shape().await, first);
}

#[tokio::test]
async fn each_migration_step_is_reversible() {
    let scratch = ScratchDatabase::empty().await;
    let steps = u32::try_from(Migrator::migrations().len()).unwrap();
    let mut shapes = vec![scratch.shape().await];
    for _ in 0..steps {
        Migrator::up(&**scratch.db.writer(), Some(1)).await.unwrap();
        shapes.push(scratch.shape().await);
    }
    for shape in shapes.iter().rev().skip(1) {
        Migrator::down(&**scratch.db.writer(), Some(1)).await.unwrap();
        assert_eq!(scratch.shape().await, *shape);
    }
}

/// MySQL commits each statement separately, so an interrupted step runs again over its own results.
#[tokio::test]
async fn repeated_migration_is_harmless_without_its_record() {
    let scratch = ScratchDatabase::migrated().await;
    let db = scratch.db.writer();
    let before = (scratch.shape().await, seed_rows(db).await);
    Migrator::up(&**db, None).await.unwrap();
    assert_eq!((scratch.shape().await, seed_rows(db).await), before);
    db.execute(&Query::delete().from_table(Alias::new("seaql_migrations")).take()).await.unwrap();
    Migrator::up(&**db, None).await.unwrap();
    assert_eq!((scratch.shape().await, seed_rows(db).await), before);
}

async fn seed_rows(db: &impl ConnectionTrait) -> (Vec<tenant::Model>, Vec<role::Model>) {
    (tenant::Entity::find().all(db).await.unwrap(), role::Entity::find().all(db).await.unwrap())
}

#[tokio::test]
async fn every_entity_selects_from_the_migrated_database() {
    let scratch = ScratchDatabase::migrated().await;
    let mut selected = BTreeSet::new();
    macro_rules! select {
        ($($entity:ident),*) => {$(
            $entity::Entity::find().all(scratch.db.reader()).await.unwrap();
            let columns: BTreeSet<String> =
                $entity::Column::iter().map(|column| column.as_str().to_owned()).collect();
            assert_eq!(scratch.columns(stringify!($entity)).await, columns, "the table of {}", stringify!($entity));
            selected.insert(stringify!($entity).to_owned());
        )*};
    }
    select!(
        api_token,
        audit_event,
        change_counter,
        imported,
        login_origin,
        revoked_token,
        role,
        role_permission,
        session,
        signing_key,
        tenant,
        throttle,
        user,
        user_role,
        webhook_delivery
    );
    let written: BTreeSet<String> = rust_files(&["entity/src"])
        .into_iter()
        .filter(|file| file.text.contains("DeriveEntityModel"))
        .map(|file| file.path.trim_start_matches("entity/src/").trim_end_matches(".rs").to_owned())
        .collect();
    assert_eq!(selected, written, "selected entities, existing entities");
}

#[tokio::test]
async fn new_database_has_the_default_tenant_and_built_in_role() {
    let scratch = ScratchDatabase::migrated().await;
    let (tenants, roles) = seed_rows(scratch.db.reader()).await;
    assert_eq!(tenants.iter().map(|tenant| (tenant.id, tenant.name.as_str())).collect::<Vec<_>>(), [(1, "default")]);
    assert_eq!(roles.iter().map(|role| (role.name.as_str(), role.built_in)).collect::<Vec<_>>(), [("admin", true)]);
    assert_eq!(user::Entity::find().count(scratch.db.reader()).await.unwrap(), 0, "there is no default user");
}
