//! Tenants: customers of the application, each with its own users.

use std::collections::BTreeMap;

use entity::session::EndReason;
use entity::tenant::{self, Status};

use crate::account::access::permission::DEFAULT_TENANT;
use crate::account::access::rule::{self, Rule};
use crate::account::authentication::session_end::end_all_in_scope;
use crate::account::caller::requester::{Caller, Requester};
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::names::id::TenantId;
use crate::account::names::name::Name;
use crate::account::pagination::{self, CursorKind, PageRequest, Slice};
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::users::{self, Filter};
use crate::store::{Connection, TenantScope, api_tokens, tenants};

/// One page of the tenants, oldest first.
///
/// # Errors
/// Refuses callers without the permission; [`Error::BadUserInput`] for an invalid page.
pub async fn list(app: &App, requester: &Requester, request: PageRequest) -> Result<Slice<tenant::Model>> {
    let caller = requester.authorize(rule::READ_TENANTS)?;
    let page = request.to_query(CursorKind::Integer)?;
    let rows = tenants::list(app.db.reader(), caller.scope(rule::READ_TENANTS), &page).await?;
    Ok(request.slice(rows, |row| pagination::cursor(&tenants::cursor_key(row))))
}

/// The number of tenants.
///
/// # Errors
/// Refuses callers without the permission.
pub async fn count(app: &App, requester: &Requester) -> Result<u64> {
    let caller = requester.authorize(rule::READ_TENANTS)?;
    tenants::count(app.db.reader(), caller.scope(rule::READ_TENANTS)).await
}

/// The tenant with this id: the caller's own, or one visible to the caller. Others read as missing.
///
/// # Errors
/// Refuses unauthenticated callers.
pub async fn find(app: &App, requester: &Requester, id: TenantId) -> Result<Option<tenant::Model>> {
    let caller = requester.authorize(rule::READ_NODE)?;
    // Callers who can read their own user can read its tenant.
    if requester.authorize(rule::READ_TENANTS).is_err()
        && requester.authorize_for(rule::READ_USER_DETAILS, &caller.user).is_err()
    {
        return Ok(None);
    }
    tenants::find(app.db.reader(), caller.scope(rule::READ_TENANTS), id.uuid()).await
}

/// The row id of the tenant with this id, for filters of user lists.
///
/// # Errors
/// Refuses callers without the permission to read users; an invisible tenant reads as missing.
pub async fn row_id(app: &App, requester: &Requester, id: TenantId) -> Result<i64> {
    let caller = requester.authorize(rule::READ_USERS)?;
    Ok(find_in_scope(app.db.reader(), caller, rule::READ_USERS, id).await?.id)
}

/// The tenants with these row ids. The caller must have verified that rows with them are visible.
pub async fn load(app: &App, ids: Vec<i64>) -> Result<BTreeMap<i64, tenant::Model>> {
    let found = tenants::list_by_id(app.db.reader(), ids).await?;
    Ok(found.into_iter().map(|tenant| (tenant.id, tenant)).collect())
}

/// Creates a tenant, or renames the one with this id.
///
/// # Errors
/// Refuses callers without the permission, and unknown ids.
pub async fn save(app: &App, requester: &Requester, id: Option<TenantId>, name: Name) -> Result<tenant::Model> {
    requester.authorize(rule::WRITE_TENANTS)?;
    let now = app.clock.now();
    app.write_as(requester, rule::WRITE_TENANTS, now, async |tx, caller| {
        let tenant = match id {
            Some(id) => {
                let tenant = lock_tenant(&tx, &caller, rule::WRITE_TENANTS, id).await?;
                tenants::update_name(&tx, &tenant, name.as_str()).await?
            }
            None => {
                let (uid, name) = (app.entropy.uuid(now), name.as_str().to_owned());
                let row = tenants::NewRow { id: None, uid, name, created_at: now.into() };
                tenants::insert(&tx, row).await?
            }
        };
        tx.record(
            AuditEvent::success(AuditAction::TenantSave)
                .by_caller(&caller)
                .on_object(tenant.uid)
                .with("name", tenant.name.as_str()),
        )
        .await?;
        tx.commit(tenant).await
    })
    .await
}

/// Enables or disables a tenant. Disabling ends the sessions of its users at once, and refuses their logins, tokens and
/// refreshes until it is enabled. Enabling revives no session.
///
/// # Errors
/// Refuses callers without the permission, unknown ids, and to disable the default tenant.
pub async fn set_status(app: &App, requester: &Requester, id: TenantId, status: Status) -> Result<tenant::Model> {
    requester.authorize(rule::WRITE_TENANTS)?;
    let now = app.clock.now();
    app.write_as(requester, rule::WRITE_TENANTS, now, async |tx, caller| {
        let tenant = lock_tenant(&tx, &caller, rule::WRITE_TENANTS, id).await?;
        let is_disabled = status == Status::Disabled;
        if is_disabled {
            require_not_default(&tenant)?;
        }
        if tenant.status == status {
            return Ok(tx.roll_back(tenant));
        }
        let tenant = tenants::update_status(&tx, &tenant, status).await?;
        // First: a concurrent login either waits and finds its user disabled, or its session is among those ended
        // below.
        users::update_tenant_disabled(&tx, tenant.id, is_disabled, now).await?;
        if is_disabled {
            let scope = TenantScope::Tenant(tenant.id);
            end_all_in_scope(&tx, scope, EndReason::AccountDisabled, now).await?;
            api_tokens::update_tenant_from_login_revoked(&tx, tenant.id, now).await?;
        }
        tx.record(
            AuditEvent::success(AuditAction::TenantStatus)
                .by_caller(&caller)
                .on_object(tenant.uid)
                .with("status", if is_disabled { "DISABLED" } else { "ACTIVE" }),
        )
        .await?;
        tx.commit(tenant).await
    })
    .await
}

/// Deletes a tenant without users.
///
/// # Errors
/// Refuses callers without the permission, unknown ids, the default tenant, and a tenant with users.
pub async fn delete(app: &App, requester: &Requester, id: TenantId) -> Result<TenantId> {
    requester.authorize(rule::WRITE_TENANTS)?;
    let now = app.clock.now();
    app.write_as(requester, rule::WRITE_TENANTS, now, async |tx, caller| {
        let tenant = lock_tenant(&tx, &caller, rule::WRITE_TENANTS, id).await?;
        require_not_default(&tenant)?;
        let count = users::count(&tx, TenantScope::Tenant(tenant.id), &Filter::default()).await?;
        if count > 0 {
            let message = format!("the tenant has users ({count}): delete them first");
            return Err(Refusal::new(RefusalCode::TenantHasUsers, message).for_field("tenantId").into());
        }
        tenants::delete(&tx, &tenant).await?;
        tx.record(
            AuditEvent::success(AuditAction::TenantDelete)
                .by_caller(&caller)
                .on_object(tenant.uid)
                .with("name", tenant.name.as_str()),
        )
        .await?;
        tx.commit(id).await
    })
    .await
}

fn require_not_default(tenant: &tenant::Model) -> Result<()> {
    if tenant.id != DEFAULT_TENANT {
        return Ok(());
    }
    let message = "the default tenant cannot be disabled or deleted";
    Err(Refusal::new(RefusalCode::DefaultTenant, message).for_field("tenantId").into())
}

/// The number of users of a tenant.
///
/// # Errors
/// Refuses callers who may not read its users.
pub async fn count_users(app: &App, requester: &Requester, tenant: &tenant::Model) -> Result<u64> {
    let caller = requester.authorize(rule::READ_USERS)?;
    if !caller.scope(rule::READ_USERS).contains(tenant.id) {
        return Err(Error::Forbidden);
    }
    users::count(app.db.reader(), TenantScope::Tenant(tenant.id), &Filter::default()).await
}

/// As [`find_in_scope`], with the row locked until the transaction ends: changes of the tenant wait for users being
/// created in it.
pub(in crate::account) async fn lock_tenant(
    db: &impl Connection,
    caller: &Caller,
    rule: Rule,
    id: TenantId,
) -> Result<tenant::Model> {
    let missing = || Refusal::new(RefusalCode::NotFound, "there is no such tenant").for_field("tenantId");
    let found = tenants::lock(db, caller.scope(rule), id.uuid()).await?;
    found.ok_or_else(missing).map_err(Error::from)
}

/// The caller's own tenant, locked as by [`lock_tenant`].
pub(in crate::account) async fn lock_own_tenant(db: &impl Connection, caller: &Caller) -> Result<tenant::Model> {
    let found = tenants::lock_by_id(db, caller.user.tenant_id).await?;
    found.ok_or_else(|| Error::internal("a user has no tenant"))
}

/// The tenant with this id, if `rule` gives `caller` the scope.
///
/// # Errors
/// A refusal if there is none in scope.
pub(in crate::account) async fn find_in_scope(
    db: &impl Connection,
    caller: &Caller,
    rule: Rule,
    id: TenantId,
) -> Result<tenant::Model> {
    let missing = || Refusal::new(RefusalCode::NotFound, "there is no such tenant").for_field("tenantId");
    let found = tenants::find(db, caller.scope(rule), id.uuid()).await?;
    found.ok_or_else(missing).map_err(Error::from)
}
