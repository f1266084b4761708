//! Migrations: up, down, up; re-running is harmless; every entity selects from what they made.

use std::collections::BTreeSet;
use std::sync::Arc;

use accountd::clock::SystemClock;
use accountd::config::{Config, Flags};
use accountd::database::Database;
use accountd::entropy::SystemEntropy;
use accountd::startup;
use entity::{
    api_token, audit_event, change_counter, imported, login_origin, revoked_token, role, role_permission, session,
    signing_key, tenant, throttle, timestamp::Timestamp, user, user_role, webhook_delivery,
};
use migration::{Migrator, MigratorTrait};
use sea_orm::prelude::{ChronoDateTimeUtc, Uuid};
use sea_orm::sea_query::{Alias, Query};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, IdenStatic, IntoActiveModel, Iterable,
    PaginatorTrait, Set, SqlErr, Statement,
};

use crate::support::database::{TestDatabase, backend};
use crate::support::source_files::rust_files;

/// A database that goes when it is dropped.
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

    /// What somebody else has made.
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

    /// What the database says it is made of, without the record of steps.
    pub async fn shape(&self) -> BTreeSet<String> {
        let mut shape = BTreeSet::new();
        for sql in SHAPE[place(backend())] {
            shape.extend(self.texts(sql).await);
        }
        shape.retain(|part| !part.contains("seaql"));
        shape
    }

    /// How many steps are recorded.
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

/// What describes a schema on SQLite, PostgreSQL and MySQL.
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

fn place(backend: DbBackend) -> usize {
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
    assert_eq!(scratch.shape().await, BTreeSet::new(), "nothing is left");
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

/// MySQL commits each statement by itself, so a step that was cut short runs again over what it had made.
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
    assert_eq!(selected, written, "entities selected here, entities written");
}

#[tokio::test]
async fn new_database_has_the_default_tenant_and_built_in_role() {
    let scratch = ScratchDatabase::migrated().await;
    let (tenants, roles) = seed_rows(scratch.db.reader()).await;
    assert_eq!(tenants.iter().map(|tenant| (tenant.id, tenant.name.as_str())).collect::<Vec<_>>(), [(1, "default")]);
    assert_eq!(roles.iter().map(|role| (role.name.as_str(), role.built_in)).collect::<Vec<_>>(), [("admin", true)]);
    assert_eq!(user::Entity::find().count(scratch.db.reader()).await.unwrap(), 0, "there is no default account");
}

fn account(number: u128, username: &str, email: Option<&str>) -> user::ActiveModel {
    let now = Timestamp::from(ChronoDateTimeUtc::UNIX_EPOCH);
    user::ActiveModel {
        uid: Set(Uuid::from_u128(number)),
        tenant_id: Set(1),
        username: Set(username.to_owned()),
        username_key: Set(username.to_owned()),
        email: Set(email.map(str::to_owned)),
        email_key: Set(email.map(str::to_owned)),
        must_change_password: Set(false),
        status: Set(user::Status::Active),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
        ..Default::default()
    }
}

/// The last word of the message is what the program tells violations apart by.
fn unique_violation(error: &DbErr) -> String {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(message)) => {
            message.split_whitespace().last().unwrap_or_default().to_owned()
        }
        other => panic!("{other:?}: {error}"),
    }
}

#[tokio::test]
async fn unique_indexes_refuse_duplicates() {
    let scratch = ScratchDatabase::migrated().await;
    let db = scratch.db.writer();
    account(1, "ann", Some("ann@example.org")).insert(db).await.unwrap();
    account(2, "bob", None).insert(db).await.unwrap();
    account(3, "cy", None).insert(db).await.expect("two accounts without an address");
    let username = account(4, "ann", None).insert(db).await.unwrap_err();
    assert!(unique_violation(&username).contains("username_key"), "{username}");
    let email = account(5, "dan", Some("ann@example.org")).insert(db).await.unwrap_err();
    assert!(unique_violation(&email).contains("email_key"), "{email}");
    let uid = account(1, "eve", None).insert(db).await.unwrap_err();
    assert!(unique_violation(&uid).contains("uid"), "{uid}");
    let role = role::Entity::find().one(db).await.unwrap().unwrap();
    let again = role::ActiveModel { id: sea_orm::NotSet, uid: Set(Uuid::from_u128(6)), ..role.into() };
    let name = again.insert(db).await.unwrap_err();
    assert!(unique_violation(&name).contains("name_key"), "{name}");
}

#[tokio::test]
async fn deleting_a_row_deletes_its_dependents() {
    let scratch = ScratchDatabase::migrated().await;
    let db = scratch.db.writer();
    let homeless = user::ActiveModel { tenant_id: Set(99), ..account(1, "ann", None) };
    let error = homeless.insert(db).await.unwrap_err();
    assert!(matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))), "{error}");
    let ann = account(2, "ann", None).insert(db).await.unwrap();
    let admin = role::Entity::find().one(db).await.unwrap().unwrap();
    user_role::ActiveModel { user_id: Set(ann.id), role_id: Set(admin.id) }.insert(db).await.unwrap();
    user::Entity::delete_by_id(ann.id).exec(db).await.unwrap();
    assert_eq!(user_role::Entity::find().count(db).await.unwrap(), 0);
}

/// R11: of nodes that start together one migrates, and the others find it done.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_starting_together_migrate_once() {
    let home = TestDatabase::empty().await;
    std::fs::create_dir_all(&home.directory).unwrap();
    let nodes: Vec<_> = (0..4)
        .map(|_| {
            let place = home.config();
            tokio::spawn(async move {
                let db = Database::connect(&place).await.unwrap();
                startup::migrate(&db).await.unwrap();
            })
        })
        .collect();
    for node in nodes {
        node.await.unwrap();
    }
    let scratch = ScratchDatabase::on(home).await;
    assert_eq!(scratch.steps().await, Migrator::migrations().len());
    let (tenants, roles) = seed_rows(scratch.db.reader()).await;
    assert_eq!((tenants.len(), roles.len()), (1, 1));
}

/// R11: who waited for another process to be done sees what that one did.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn exclusive_transaction_sees_earlier_commits() {
    const TURNS: usize = 25;
    let scratch = ScratchDatabase::migrated().await;
    let mut nodes = Vec::new();
    for _ in 0..4 {
        let db = Database::connect(&scratch.home.config()).await.unwrap();
        nodes.push(tokio::spawn(async move {
            for _ in 0..TURNS {
                let alone = db.begin_exclusive().await.unwrap();
                let turn = throttle::Entity::find().count(&*alone).await.unwrap();
                let zero = Timestamp::from(ChronoDateTimeUtc::UNIX_EPOCH);
                let row = throttle::Model {
                    subject: format!("turn {turn}"),
                    failures: 0,
                    pending: 0,
                    blocked_until: zero,
                    updated_at: zero,
                };
                throttle::Entity::insert(row.into_active_model()).exec_without_returning(&*alone).await.unwrap();
                alone.commit().await.unwrap();
            }
        }));
    }
    for node in nodes {
        node.await.unwrap();
    }
    assert_eq!(throttle::Entity::find().count(scratch.db.reader()).await.unwrap(), 4 * TURNS as u64);
}

/// R11: what a later version made is not touched by an earlier one.
#[tokio::test]
async fn database_of_a_later_version_is_refused() {
    let scratch = ScratchDatabase::migrated().await;
    let later = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)";
    scratch.db.writer().execute_unprepared(later).await.unwrap();
    let before = scratch.shape().await;
    let refused = startup::migrate(&scratch.db).await.unwrap_err();
    assert!(format!("{refused:#}").contains("newer than this program"), "{refused:#}");
    assert_eq!(scratch.shape().await, before);
    let settings = scratch.home.settings();
    let flags = Flags { data_dir: Some(scratch.home.directory.clone()), ..Flags::default() };
    let config = Config::load(flags, settings).unwrap();
    let refused = startup::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.err().unwrap();
    assert!(format!("{refused:#}").contains("newer than this program"), "{refused:#}");
}

/// R11: nodes that start together for the first time sign with one key; tokens of one are good at the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_starting_together_share_the_first_signing_key() {
    let home = TestDatabase::migrated().await;
    std::fs::create_dir_all(&home.directory).unwrap();
    let nodes: Vec<_> = (0..4)
        .map(|_| {
            let flags = Flags { data_dir: Some(home.directory.clone()), ..Flags::default() };
            let config = Config::load(flags, home.settings()).unwrap();
            tokio::spawn(async move {
                let app = startup::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.unwrap();
                serde_json::to_string(&app.keys.jwk_set()).unwrap()
            })
        })
        .collect();
    let mut keys = BTreeSet::new();
    for node in nodes {
        keys.insert(node.await.unwrap());
    }
    assert_eq!(keys.len(), 1, "{keys:?}");
}
