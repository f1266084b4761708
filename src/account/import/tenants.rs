//! Customers of an older service become tenants.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::{imported, tenant};

use super::candidate::{can_keep_id, source_key};
use super::conflict::{MAX_ATTEMPTS, is_conflict};
use super::report::Report;
use crate::account::access::permission::DEFAULT_TENANT;
use crate::account::caller::request_context::RequestContext;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::{Connection, DatabaseConnection, imports, tenants};

/// Tenant ids by customer id.
pub(super) type TenantIds = BTreeMap<i64, i64>;

/// What happens to a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TenantDecision {
    /// An earlier import created its tenant, which has this id.
    AlreadyImported(i64),
    /// Its users join the default tenant.
    DefaultTenant,
    /// A new tenant with the customer's id.
    KeepId,
    /// A new tenant with another id, because the customer's is taken.
    NewId,
}

/// Decisions by customer id.
type TenantDecisions = BTreeMap<i64, TenantDecision>;

/// Creates the missing tenants in a transaction of their own.
///
/// # Errors
/// [`crate::error::RefusalCode::Conflict`] when tenants are created concurrently in every attempt.
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
    let mut attempts = 1;
    let (tenants, lines) = loop {
        let context = RequestContext::for_command_line();
        let attempt = app.write(&context, now, async |tx| {
            let created = insert_missing(&tx, app, format, customers, now).await?;
            tx.commit(created).await
        });
        match attempt.await {
            Err(Error::Refused(refusals)) if attempts < MAX_ATTEMPTS && refusals.iter().all(is_conflict) => {
                attempts += 1
            }
            result => break result?,
        }
    };
    report.tenants = lines;
    Ok(tenants)
}

/// Reports what an import would do with the customers, in the database `db` or in a new one.
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
            TenantDecision::AlreadyImported(id) => {
                tenants.insert(customer, id);
                continue;
            }
            TenantDecision::DefaultTenant => {
                tenants.insert(customer, DEFAULT_TENANT);
                "its users would join the default tenant".to_owned()
            }
            TenantDecision::KeepId => format!("would become tenant {customer}"),
            TenantDecision::NewId => format!("would become a tenant with another id: {customer} is taken"),
        };
        report.tenants.push(format!("customer {customer}: {text}"));
    }
    Ok(tenants)
}

/// A customer keeps its id where that is free. Id 1 never is: the default tenant administers all others. A single
/// customer's users join the default tenant.
fn decide_each(
    customers: &[i64],
    imported_id: impl Fn(i64) -> Option<i64>,
    is_taken: impl Fn(i64) -> bool,
) -> TenantDecisions {
    let decide = |customer: i64| match (imported_id(customer), customers) {
        (Some(id), _) => TenantDecision::AlreadyImported(id),
        (None, [_]) => TenantDecision::DefaultTenant,
        (None, _) => {
            let is_kept = can_keep_id(&customer) && customer != DEFAULT_TENANT && !is_taken(customer);
            if is_kept { TenantDecision::KeepId } else { TenantDecision::NewId }
        }
    };
    customers.iter().map(|customer| (*customer, decide(*customer))).collect()
}

/// The key that records an imported customer. Its format differs from that of users, whatever their names.
fn customer_key(format: &str, customer: i64) -> String {
    source_key(&format!("{format} customer"), Some(customer), "")
}

/// The key of earlier versions, which equals that of a user named `customer` with the same id.
fn legacy_source_key(format: &str, customer: i64) -> String {
    source_key(format, Some(customer), "customer")
}

async fn decide(db: &impl Connection, format: &str, customers: &[i64]) -> Result<TenantDecisions> {
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

/// The tenants of `customers`, created where missing, with a report line for each.
async fn insert_missing(
    tx: &UnitOfWork<'_>,
    app: &App,
    format: &str,
    customers: &[i64],
    now: DateTime<Utc>,
) -> Result<(TenantIds, Vec<String>)> {
    let decisions = decide(tx, format, customers).await?;
    let (mut tenants, mut lines) = (TenantIds::new(), BTreeMap::new());
    // Customers that keep their ids come first: a generated id must not equal one of them.
    let (with_new_id, keeping_id): (Vec<_>, Vec<_>) =
        decisions.into_iter().partition(|(_, decision)| *decision == TenantDecision::NewId);
    for (customer, decision) in keeping_id.into_iter().chain(with_new_id) {
        let tenant = match decision {
            TenantDecision::AlreadyImported(id) => {
                tenants.insert(customer, id);
                let uids = imports::list_tenants(tx, Vec::new(), vec![id]).await?.into_iter().map(|row| row.uid);
                let (old, new) = (legacy_source_key(format, customer), customer_key(format, customer));
                imports::rename_source(tx, &old, new, uids.collect()).await?;
                continue;
            }
            TenantDecision::DefaultTenant => find_default_tenant(tx).await?,
            TenantDecision::KeepId => insert_tenant(tx, app, customer, Some(customer), now).await?,
            TenantDecision::NewId => insert_tenant(tx, app, customer, None, now).await?,
        };
        let source = customer_key(format, customer);
        let note = imported::Model { source, uid: tenant.uid, imported_at: now.into() };
        imports::insert(tx, vec![note]).await?;
        lines.insert(customer, format!("customer {customer} is now tenant {}: {}", tenant.id, tenant.name));
        tenants.insert(customer, tenant.id);
    }
    Ok((tenants, lines.into_values().collect()))
}

async fn find_default_tenant(tx: &UnitOfWork<'_>) -> Result<tenant::Model> {
    let found = imports::list_tenants(tx, Vec::new(), vec![DEFAULT_TENANT]).await?;
    found.into_iter().next().ok_or_else(|| Error::internal("the default tenant is missing"))
}

async fn insert_tenant(
    tx: &UnitOfWork<'_>,
    app: &App,
    customer: i64,
    id: Option<i64>,
    now: DateTime<Utc>,
) -> Result<tenant::Model> {
    let (uid, name) = (app.entropy.uuid(now), format!("customer {customer}"));
    let row = tenants::NewRow { id, uid, name, created_at: now.into() };
    imports::insert_tenant(tx, row).await
}
