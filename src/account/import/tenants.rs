//! The customers of an older service become tenants.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::{imported, tenant};
use sea_orm::{DatabaseTransaction, Set};

use super::candidate::source;
use super::report::Report;
use crate::account::access::INSTALLATION;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::imports;

/// A customer by the number that its users saw, and the tenant's number here.
pub(super) type Tenants = BTreeMap<i64, i64>;

/// Makes the tenants in a transaction of its own.
pub(super) async fn make(app: &App, format: &str, customers: &[i64], report: &mut Report) -> Result<Tenants> {
    if customers.is_empty() {
        return Ok(Tenants::new());
    }
    let now = app.clock.now();
    let (tenants, told) = app
        .db
        .retry(|| async {
            let tx = app.db.begin().await?;
            let settled = settle(&tx, app, format, customers, now).await?;
            tx.commit().await?;
            Ok(settled)
        })
        .await?;
    report.tenants = told;
    Ok(tenants)
}

/// Tells what would become of the customers.
pub(super) fn rehearse(customers: &[i64], report: &mut Report) -> Tenants {
    match customers {
        [only] => {
            report.tenants.push(format!("customer {only}: its users would be the installation's"));
            [(*only, INSTALLATION)].into()
        }
        many => {
            report.tenants = many.iter().map(|customer| format!("customer {customer}: would be a tenant")).collect();
            Tenants::new()
        }
    }
}

/// The tenants of `customers`, made where an earlier import did not; tells what became of each.
///
/// A customer keeps its number where that is free. Number 1 never is: to that tenant the installation belongs, and who
/// administers it administers all others. Only if there is no other customer, its users are the installation's.
async fn settle(
    tx: &DatabaseTransaction,
    app: &App,
    format: &str,
    customers: &[i64],
    now: DateTime<Utc>,
) -> Result<(Tenants, Vec<String>)> {
    let named = |customer: i64| source(format, Some(customer), "customer");
    let known = imports::list(tx, customers.iter().map(|customer| named(*customer)).collect()).await?;
    let uids = known.iter().map(|row| row.uid).collect();
    let there = imports::list_tenants(tx, uids, customers.to_vec()).await?;
    let made_before: HashMap<&str, i64> = known
        .iter()
        .filter_map(|row| Some((row.source.as_str(), there.iter().find(|tenant| tenant.uid == row.uid)?.id)))
        .collect();
    let (mut tenants, mut told) = (Tenants::new(), Vec::new());
    for &customer in customers {
        if let Some(number) = made_before.get(named(customer).as_str()) {
            tenants.insert(customer, *number);
            continue;
        }
        let is_free = customer > 0 && !there.iter().any(|tenant| tenant.id == customer);
        let tenant = match customers {
            [_] => default(tx).await?,
            _ => insert(tx, app, customer, is_free, now).await?,
        };
        let note =
            imported::ActiveModel { source: Set(named(customer)), uid: Set(tenant.uid), imported_at: Set(now.into()) };
        imports::insert(tx, vec![note]).await?;
        told.push(format!("customer {customer} is tenant {} here: {}", tenant.id, tenant.name));
        tenants.insert(customer, tenant.id);
    }
    Ok((tenants, told))
}

async fn default(tx: &DatabaseTransaction) -> Result<tenant::Model> {
    let found = imports::list_tenants(tx, Vec::new(), vec![INSTALLATION]).await?;
    found.into_iter().next().ok_or_else(|| Error::internal("the default tenant is gone"))
}

async fn insert(
    tx: &DatabaseTransaction,
    app: &App,
    customer: i64,
    keeps_number: bool,
    now: DateTime<Utc>,
) -> Result<tenant::Model> {
    let mut row = tenant::ActiveModel {
        uid: Set(app.entropy.uuid(now)),
        name: Set(format!("customer {customer}")),
        created_at: Set(now.into()),
        ..Default::default()
    };
    if keeps_number {
        row.id = Set(customer);
    }
    imports::insert_tenant(tx, row).await
}
