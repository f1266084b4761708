//! The customers of an older service become tenants.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::{imported, tenant};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, Set};

use super::batch::{MAX_ATTEMPTS, is_conflict};
use super::candidate::{can_keep_id, source_key};
use super::report::Report;
use crate::account::access::rule::DEFAULT_TENANT;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::imports;

/// A customer by the number that its users saw, and the tenant's number here.
pub(super) type TenantIds = BTreeMap<i64, i64>;

/// What becomes of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TenantDecision {
    /// An earlier import made its tenant, which has this number.
    AlreadyImported(i64),
    /// Its users are the installation's.
    DefaultTenant,
    /// A tenant with its number.
    KeepId,
    /// A tenant with another number, because its own is taken.
    NewId,
}

/// Decisions by customer.
type TenantDecisions = BTreeMap<i64, TenantDecision>;

/// Makes the tenants in a transaction of its own.
///
/// # Errors
/// A refusal with [`crate::error::RefusalCode::Conflict`] when others kept making tenants at the same time.
pub(super) async fn create_missing(
    app: &App,
    format: &str,
    customers: &[i64],
    report: &mut Report,
) -> Result<TenantIds> {
    if customers.is_empty() {
        return Ok(TenantIds::new());
    }
    let now = app.clock.now();
    let mut tried = 1;
    let (tenants, lines) = loop {
        let attempt = app.db.retry(|| async {
            let tx = app.db.begin().await?;
            let made = insert_missing(&tx, app, format, customers, now).await?;
            tx.commit().await?;
            Ok(made)
        });
        match attempt.await {
            Err(Error::Refused(refusals)) if tried < MAX_ATTEMPTS && refusals.iter().all(is_conflict) => tried += 1,
            done => break done?,
        }
    };
    report.tenants = lines;
    Ok(tenants)
}

/// Reports what an import would make of the customers, in the database `db` or in a new one.
pub(super) async fn dry_run(
    db: Option<&DatabaseConnection>,
    format: &str,
    customers: &[i64],
    report: &mut Report,
) -> Result<TenantIds> {
    let decisions = match db {
        Some(db) => decide(db, format, customers).await?,
        None => decide_each(customers, |_| None, |_| false),
    };
    let mut tenants = TenantIds::new();
    for (customer, decision) in decisions {
        let text = match decision {
            TenantDecision::AlreadyImported(number) => {
                tenants.insert(customer, number);
                continue;
            }
            TenantDecision::DefaultTenant => {
                tenants.insert(customer, DEFAULT_TENANT);
                "its users would be the installation's".to_owned()
            }
            TenantDecision::KeepId => format!("would be tenant {customer} here"),
            TenantDecision::NewId => format!("would be a tenant with another number: {customer} is not free"),
        };
        report.tenants.push(format!("customer {customer}: {text}"));
    }
    Ok(tenants)
}

/// A customer keeps its number where that is free. Number 1 never is: to that tenant the installation belongs, and who
/// administers it administers all others. Only if there is no other customer, its users are the installation's.
fn decide_each(
    customers: &[i64],
    known: impl Fn(i64) -> Option<i64>,
    is_taken: impl Fn(i64) -> bool,
) -> TenantDecisions {
    let decide = |customer: i64| match (known(customer), customers) {
        (Some(number), _) => TenantDecision::AlreadyImported(number),
        (None, [_]) => TenantDecision::DefaultTenant,
        (None, _) => {
            let is_kept = can_keep_id(&customer) && customer != DEFAULT_TENANT && !is_taken(customer);
            if is_kept { TenantDecision::KeepId } else { TenantDecision::NewId }
        }
    };
    customers.iter().map(|customer| (*customer, decide(*customer))).collect()
}

/// What an import notes of a customer. Its format is no user's, whatever these are called.
fn customer_key(format: &str, customer: i64) -> String {
    source_key(&format!("{format} customer"), Some(customer), "")
}

/// What earlier versions noted: a user named `customer` with the same number has that, too.
fn legacy_source_key(format: &str, customer: i64) -> String {
    source_key(format, Some(customer), "customer")
}

async fn decide(db: &impl ConnectionTrait, format: &str, customers: &[i64]) -> Result<TenantDecisions> {
    let sources =
        customers.iter().flat_map(|customer| [customer_key(format, *customer), legacy_source_key(format, *customer)]);
    let notes = imports::list(db, sources.collect()).await?;
    let existing = imports::list_tenants(db, notes.iter().map(|note| note.uid).collect(), customers.to_vec()).await?;
    let imported_tenant = |source: String| {
        let note = notes.iter().find(|note| note.source == source)?;
        existing.iter().find(|tenant| tenant.uid == note.uid).map(|tenant| tenant.id)
    };
    let imported_as = |customer| {
        imported_tenant(customer_key(format, customer)).or_else(|| imported_tenant(legacy_source_key(format, customer)))
    };
    Ok(decide_each(customers, imported_as, |customer| existing.iter().any(|tenant| tenant.id == customer)))
}

/// The tenants of `customers`, made where an earlier import did not, with a line about each.
async fn insert_missing(
    tx: &DatabaseTransaction,
    app: &App,
    format: &str,
    customers: &[i64],
    now: DateTime<Utc>,
) -> Result<(TenantIds, Vec<String>)> {
    let decisions = decide(tx, format, customers).await?;
    let (mut tenants, mut lines) = (TenantIds::new(), BTreeMap::new());
    // Those with their own numbers first: a number that is made must not be that of a customer who comes later.
    let (others, own): (Vec<_>, Vec<_>) =
        decisions.into_iter().partition(|(_, decision)| *decision == TenantDecision::NewId);
    for (customer, decision) in own.into_iter().chain(others) {
        let tenant = match decision {
            TenantDecision::AlreadyImported(number) => {
                tenants.insert(customer, number);
                let uids = imports::list_tenants(tx, Vec::new(), vec![number]).await?.into_iter().map(|row| row.uid);
                let (old, new) = (legacy_source_key(format, customer), customer_key(format, customer));
                imports::rename_source(tx, &old, new, uids.collect()).await?;
                continue;
            }
            TenantDecision::DefaultTenant => find_default_tenant(tx).await?,
            TenantDecision::KeepId => insert_tenant(tx, app, customer, Some(customer), now).await?,
            TenantDecision::NewId => insert_tenant(tx, app, customer, None, now).await?,
        };
        let source = customer_key(format, customer);
        let note = imported::ActiveModel { source: Set(source), uid: Set(tenant.uid), imported_at: Set(now.into()) };
        imports::insert(tx, vec![note]).await?;
        lines.insert(customer, format!("customer {customer} is tenant {} here: {}", tenant.id, tenant.name));
        tenants.insert(customer, tenant.id);
    }
    Ok((tenants, lines.into_values().collect()))
}

async fn find_default_tenant(tx: &DatabaseTransaction) -> Result<tenant::Model> {
    let found = imports::list_tenants(tx, Vec::new(), vec![DEFAULT_TENANT]).await?;
    found.into_iter().next().ok_or_else(|| Error::internal("the default tenant is gone"))
}

async fn insert_tenant(
    tx: &DatabaseTransaction,
    app: &App,
    customer: i64,
    number: Option<i64>,
    now: DateTime<Utc>,
) -> Result<tenant::Model> {
    let mut row = tenant::ActiveModel {
        uid: Set(app.entropy.uuid(now)),
        name: Set(format!("customer {customer}")),
        created_at: Set(now.into()),
        ..Default::default()
    };
    if let Some(number) = number {
        row.id = Set(number);
    }
    imports::insert_tenant(tx, row).await
}
