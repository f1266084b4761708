//! The customers of an older service become tenants.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use entity::{imported, tenant};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, Set};

use super::batch::{ATTEMPTS, is_conflict};
use super::candidate::{is_kept_number, source};
use super::report::Report;
use crate::account::access::INSTALLATION;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::imports;

/// A customer by the number that its users saw, and the tenant's number here.
pub(super) type Tenants = BTreeMap<i64, i64>;

/// What becomes of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    /// An earlier import made its tenant, which has this number.
    Known(i64),
    /// Its users are the installation's.
    Installation,
    /// A tenant with its number.
    Keep,
    /// A tenant with another number, because its own is taken.
    Another,
}

/// Decisions by customer.
type Decisions = BTreeMap<i64, Decision>;

/// Makes the tenants in a transaction of its own.
///
/// # Errors
/// A refusal with [`crate::error::RefusalCode::Conflict`] when others kept making tenants at the same time.
pub(super) async fn make(app: &App, format: &str, customers: &[i64], report: &mut Report) -> Result<Tenants> {
    if customers.is_empty() {
        return Ok(Tenants::new());
    }
    let now = app.clock.now();
    let mut tried = 1;
    let (tenants, lines) = loop {
        let attempt = app.db.retry(|| async {
            let tx = app.db.begin().await?;
            let made = write(&tx, app, format, customers, now).await?;
            tx.commit().await?;
            Ok(made)
        });
        match attempt.await {
            Err(Error::Refused(refusals)) if tried < ATTEMPTS && refusals.iter().all(is_conflict) => tried += 1,
            done => break done?,
        }
    };
    report.tenants = lines;
    Ok(tenants)
}

/// Reports what an import would make of the customers, in the database `db` or in a new one.
pub(super) async fn rehearse(
    db: Option<&DatabaseConnection>,
    format: &str,
    customers: &[i64],
    report: &mut Report,
) -> Result<Tenants> {
    let decisions = match db {
        Some(db) => decide(db, format, customers).await?,
        None => resolve(customers, |_| None, |_| false),
    };
    let mut tenants = Tenants::new();
    for (customer, decision) in decisions {
        let text = match decision {
            Decision::Known(number) => {
                tenants.insert(customer, number);
                continue;
            }
            Decision::Installation => {
                tenants.insert(customer, INSTALLATION);
                "its users would be the installation's".to_owned()
            }
            Decision::Keep => format!("would be tenant {customer} here"),
            Decision::Another => format!("would be a tenant with another number: {customer} is not free"),
        };
        report.tenants.push(format!("customer {customer}: {text}"));
    }
    Ok(tenants)
}

/// A customer keeps its number where that is free. Number 1 never is: to that tenant the installation belongs, and who
/// administers it administers all others. Only if there is no other customer, its users are the installation's.
fn resolve(customers: &[i64], known: impl Fn(i64) -> Option<i64>, is_taken: impl Fn(i64) -> bool) -> Decisions {
    let decide = |customer: i64| match (known(customer), customers) {
        (Some(number), _) => Decision::Known(number),
        (None, [_]) => Decision::Installation,
        (None, _) => {
            let is_kept = is_kept_number(&customer) && customer != INSTALLATION && !is_taken(customer);
            if is_kept { Decision::Keep } else { Decision::Another }
        }
    };
    customers.iter().map(|customer| (*customer, decide(*customer))).collect()
}

/// What an import notes of a customer. Its format is no user's, whatever these are called.
fn noted(format: &str, customer: i64) -> String {
    source(&format!("{format} customer"), Some(customer), "")
}

/// What earlier versions noted: a user named `customer` with the same number has that, too.
fn noted_before(format: &str, customer: i64) -> String {
    source(format, Some(customer), "customer")
}

async fn decide(db: &impl ConnectionTrait, format: &str, customers: &[i64]) -> Result<Decisions> {
    let sources = customers.iter().flat_map(|customer| [noted(format, *customer), noted_before(format, *customer)]);
    let notes = imports::list(db, sources.collect()).await?;
    let there = imports::list_tenants(db, notes.iter().map(|note| note.uid).collect(), customers.to_vec()).await?;
    let noted_tenant = |source: String| {
        let note = notes.iter().find(|note| note.source == source)?;
        there.iter().find(|tenant| tenant.uid == note.uid).map(|tenant| tenant.id)
    };
    let known =
        |customer| noted_tenant(noted(format, customer)).or_else(|| noted_tenant(noted_before(format, customer)));
    Ok(resolve(customers, known, |customer| there.iter().any(|tenant| tenant.id == customer)))
}

/// The tenants of `customers`, made where an earlier import did not, with a line about each.
async fn write(
    tx: &DatabaseTransaction,
    app: &App,
    format: &str,
    customers: &[i64],
    now: DateTime<Utc>,
) -> Result<(Tenants, Vec<String>)> {
    let decisions = decide(tx, format, customers).await?;
    let (mut tenants, mut lines) = (Tenants::new(), BTreeMap::new());
    // Those with their own numbers first: a number that is made must not be that of a customer who comes later.
    let (others, own): (Vec<_>, Vec<_>) =
        decisions.into_iter().partition(|(_, decision)| *decision == Decision::Another);
    for (customer, decision) in own.into_iter().chain(others) {
        let tenant = match decision {
            Decision::Known(number) => {
                tenants.insert(customer, number);
                let uids = imports::list_tenants(tx, Vec::new(), vec![number]).await?.into_iter().map(|row| row.uid);
                let (old, new) = (noted_before(format, customer), noted(format, customer));
                imports::rename(tx, &old, new, uids.collect()).await?;
                continue;
            }
            Decision::Installation => default(tx).await?,
            Decision::Keep => insert(tx, app, customer, Some(customer), now).await?,
            Decision::Another => insert(tx, app, customer, None, now).await?,
        };
        let source = noted(format, customer);
        let note = imported::ActiveModel { source: Set(source), uid: Set(tenant.uid), imported_at: Set(now.into()) };
        imports::insert(tx, vec![note]).await?;
        lines.insert(customer, format!("customer {customer} is tenant {} here: {}", tenant.id, tenant.name));
        tenants.insert(customer, tenant.id);
    }
    Ok((tenants, lines.into_values().collect()))
}

async fn default(tx: &DatabaseTransaction) -> Result<tenant::Model> {
    let found = imports::list_tenants(tx, Vec::new(), vec![INSTALLATION]).await?;
    found.into_iter().next().ok_or_else(|| Error::internal("the default tenant is gone"))
}

async fn insert(
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
