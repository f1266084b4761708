//! Tenants: the customers of the application, each with users of its own.

use std::collections::BTreeMap;

use entity::tenant;
use sea_orm::{ConnectionTrait, Set};

use super::access::{self, Rule};
use super::audit::Event;
use super::id::TenantId;
use super::name::Name;
use super::page::{self, Kind, PageRequest, Slice};
use super::requester::{Requester, SignedIn};
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::tenants;

/// One page of the tenants, in the order in which they were made.
///
/// # Errors
/// Refuses callers without the permission; [`Error::BadUserInput`] for a bad page.
pub async fn list(app: &App, requester: &Requester, request: PageRequest) -> Result<Slice<tenant::Model>> {
    let caller = requester.permit(access::READ_TENANTS)?;
    let page = request.with_cursor(Kind::Number)?;
    let rows = tenants::list(app.db.reader(), caller.scope(access::READ_TENANTS), &page).await?;
    Ok(request.slice(rows, |row| page::cursor(&tenants::place(row))))
}

/// How many tenants there are.
///
/// # Errors
/// Refuses callers without the permission.
pub async fn count(app: &App, requester: &Requester) -> Result<u64> {
    let caller = requester.permit(access::READ_TENANTS)?;
    tenants::count(app.db.reader(), caller.scope(access::READ_TENANTS)).await
}

/// The tenant with this id: one's own, or any that the caller may see. Others read as missing.
///
/// # Errors
/// Refuses callers who are not signed in.
pub async fn find(app: &App, requester: &Requester, id: TenantId) -> Result<Option<tenant::Model>> {
    let caller = requester.permit(access::READ_NODE)?;
    // Whoever may see their own account sees its tenant.
    if requester.permit(access::READ_TENANTS).is_err()
        && requester.permit_for(access::READ_ACCOUNT, &caller.user).is_err()
    {
        return Ok(None);
    }
    tenants::find(app.db.reader(), caller.scope(access::READ_TENANTS), id.uuid()).await
}

/// The number of the tenant with this id, for those who narrow a list of users to it.
///
/// # Errors
/// Refuses callers without the permission to see users; a tenant they may not see reads as missing.
pub async fn number(app: &App, requester: &Requester, id: TenantId) -> Result<i64> {
    let caller = requester.permit(access::READ_USERS)?;
    Ok(within(app.db.reader(), caller, access::READ_USERS, id).await?.id)
}

/// The tenants with these numbers, which stand in rows that the caller has found.
///
/// # Errors
/// Internal ones only.
pub async fn load(app: &App, ids: Vec<i64>) -> Result<BTreeMap<i64, tenant::Model>> {
    let found = tenants::list_by_number(app.db.reader(), ids).await?;
    Ok(found.into_iter().map(|tenant| (tenant.id, tenant)).collect())
}

/// Makes a tenant, or renames the one with this id.
///
/// # Errors
/// Refuses callers without the permission, and ids of no tenant.
pub async fn save(app: &App, requester: &Requester, id: Option<TenantId>, name: Name) -> Result<tenant::Model> {
    let caller = requester.permit(access::WRITE_TENANTS)?;
    let now = app.clock.now();
    app.db
        .retry(|| async {
            let tx = app.db.begin().await?;
            let tenant = match id {
                Some(id) => {
                    let tenant = within(&tx, caller, access::WRITE_TENANTS, id).await?;
                    tenants::update_name(&tx, &tenant, name.as_str()).await?;
                    tenant::Model { name: name.as_str().to_owned(), ..tenant }
                }
                None => {
                    let row = tenant::ActiveModel {
                        uid: Set(app.entropy.uuid(now)),
                        name: Set(name.as_str().to_owned()),
                        created_at: Set(now.into()),
                        ..Default::default()
                    };
                    tenants::insert(&tx, row).await?
                }
            };
            Event::success("tenant.save")
                .made_by(caller)
                .on(tenant.uid)
                .with("name", tenant.name.as_str())
                .record(&tx, app, &requester.client, now)
                .await?;
            tx.commit().await?;
            Ok(tenant)
        })
        .await
}

/// The tenant with this id, if `rule` lets `caller` reach it.
///
/// # Errors
/// A refusal if there is none, as far as the caller may know.
pub(super) async fn within(
    db: &impl ConnectionTrait,
    caller: &SignedIn,
    rule: Rule,
    id: TenantId,
) -> Result<tenant::Model> {
    let missing = || Refusal::new(RefusalCode::NotFound, "there is no such tenant").on("tenantId");
    let found = tenants::find(db, caller.scope(rule), id.uuid()).await?;
    found.ok_or_else(missing).map_err(Error::from)
}
