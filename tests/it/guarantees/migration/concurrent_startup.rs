//! Migration at startup: several nodes, and later versions.

use std::collections::BTreeSet;
use std::sync::Arc;

use accountd::clock::SystemClock;
use accountd::config::{Config, Flags};
use accountd::database::Database;
use accountd::entropy::SystemEntropy;
use accountd::startup;
use entity::throttle;
use entity::timestamp::Timestamp;
use migration::{Migrator, MigratorTrait};
use sea_orm::prelude::ChronoDateTimeUtc;
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait};

use super::{ScratchDatabase, seed_rows};
use crate::support::database::TestDatabase;

/// R11: of nodes that start together one migrates, and the others find it done.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nodes_starting_together_migrate_once() {
    let home = TestDatabase::empty().await;
    std::fs::create_dir_all(&home.directory).unwrap();
    let nodes: Vec<_> = (0..4)
        .map(|_| {
            let config = home.config();
            tokio::spawn(async move {
                let db = Database::connect(&config).await.unwrap();
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

/// R11: a process that waited for another sees its changes.
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

/// R11: an earlier version does not touch the database of a later one.
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

/// R11: nodes that start together for the first time share one signing key; each accepts the tokens of the others.
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
