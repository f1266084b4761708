//! Creation, change, renaming and deletion of roles.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::{role, user};

use super::role::{MAX_KEY_LENGTH, exceed_token_limit};
use crate::account::access::grants::access_of_many;
use crate::account::access::permission::Permission;
use crate::account::access::role::Role;
use crate::account::access::rule;
use crate::account::caller::requester::{Caller, Requester};
use crate::account::caller::user_action;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::domain_event::DomainEvent;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::names::canonical::canonical;
use crate::account::names::id::RoleId;
use crate::account::names::name::Name;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::{roles, users};

/// The complete new state of a role.
#[derive(Debug, Clone)]
pub struct SaveRole {
    /// The role's id; absent, the role with this name or a new one.
    pub id: Option<RoleId>,
    /// Its name.
    pub name: Name,
    /// Its purpose; `None` clears it.
    pub description: Option<Name>,
    /// Its permissions.
    pub permissions: BTreeSet<Permission>,
}

/// Creates, changes or renames a role, which all tenants share. The caller must hold all permissions of the role.
/// Renaming revokes access tokens with the old name.
///
/// # Errors
/// Refuses callers without the permission, or with fewer permissions than a holder whose role is renamed. Refuses
/// changes to built-in roles, and names that are taken or, with a holder's other roles, too long.
pub async fn save(app: &App, requester: &Requester, input: SaveRole) -> Result<Role> {
    requester.authorize(rule::WRITE_ROLES)?;
    let now = app.clock.now();
    let key = canonical(input.name.as_str());
    if key.chars().count() > MAX_KEY_LENGTH {
        return Err(too_long("use a shorter name").into());
    }
    let description = input.description.map(|description| description.as_str().to_owned());
    app.write_as(requester, rule::WRITE_ROLES, now, async |tx, caller| {
        if !caller.access.covers(&input.permissions) {
            return Err(Error::Forbidden);
        }
        let found = match input.id {
            Some(id) => Some(lock_editable(&tx, &caller, id).await?),
            None => match roles::list_by_name(&tx, std::slice::from_ref(&key)).await?.into_iter().next() {
                Some((row, _)) => {
                    let locked = lock_editable(&tx, &caller, row.uid.into()).await?;
                    if locked.row.name_key != key {
                        let message = "the role was renamed meanwhile: reload the roles and retry";
                        return Err(Refusal::new(RefusalCode::Conflict, message).for_field("name").into());
                    }
                    Some(locked)
                }
                None => None,
            },
        };
        let mut event = AuditEvent::success(AuditAction::RoleSave).by_caller(&caller);
        let row = match found {
            Some(role) => {
                if !input.permissions.is_superset(&role.permissions) {
                    // Every holder loses a removed permission.
                    let holders = users::list_holders(&tx, role.row.id).await?;
                    user_action::authorize_for_holders(&tx, &caller, &holders).await?;
                }
                roles::update_description(&tx, role.row.id, description.clone(), now).await?;
                let mut row = role::Model { description: description.clone(), updated_at: now.into(), ..role.row };
                if input.id.is_some() && row.name != input.name.as_str() {
                    event = event.with("before", row.name.as_str());
                    rename(&tx, &caller, &row, input.name.as_str(), &key, now).await?;
                    (row.name, row.name_key) = (input.name.as_str().to_owned(), key.clone());
                }
                row
            }
            None => {
                let (uid, name) = (app.entropy.uuid(now), (input.name.as_str().to_owned(), key.clone()));
                let row = roles::NewRow { uid, name, description: description.clone(), created_at: now.into() };
                roles::insert(&tx, row).await?
            }
        };
        let names: Vec<_> = input.permissions.iter().map(|permission| permission.name()).collect();
        roles::replace_permissions(&tx, row.id, names.iter().copied()).await?;
        tx.record(event.on_object(row.uid).with("role", row.name.as_str()).with("permissions", names)).await?;
        tx.commit(Role { row, permissions: input.permissions.clone() }).await
    })
    .await
}

/// Deletes a role; its holders lose it, and their access tokens are revoked.
///
/// # Errors
/// Refuses callers without the permission, or with fewer permissions than the role or one of its holders; unknown ids,
/// and built-in roles.
pub async fn delete(app: &App, requester: &Requester, id: RoleId) -> Result<RoleId> {
    requester.authorize(rule::WRITE_ROLES)?;
    let now = app.clock.now();
    app.write_as(requester, rule::WRITE_ROLES, now, async |tx, caller| {
        let Role { row, permissions } = lock_editable(&tx, &caller, id).await?;
        let holders = mark_holders_changed(&tx, &caller, &row, now).await?;
        roles::delete(&tx, row.id).await?;
        let names: Vec<_> = permissions.iter().map(|permission| permission.name()).collect();
        tx.record(
            AuditEvent::success(AuditAction::RoleDelete)
                .by_caller(&caller)
                .on_object(row.uid)
                .with("role", row.name.as_str())
                .with("permissions", names)
                .with("users", holders.len()),
        )
        .await?;
        tx.commit(id).await
    })
    .await
}

/// The locked role with this id, if the caller may change it.
async fn lock_editable(tx: &UnitOfWork<'_>, caller: &Caller, id: RoleId) -> Result<Role> {
    let missing = || Refusal::new(RefusalCode::NotFound, "there is no such role").for_field("roleId");
    let role = Role::from(roles::lock(tx, id.uuid()).await?.ok_or_else(missing)?);
    if role.row.built_in {
        return Err(Refusal::new(RefusalCode::BuiltInRole, "built-in roles cannot be changed")
            .for_field("name")
            .into());
    }
    if caller.access.covers(&role.permissions) { Ok(role) } else { Err(Error::Forbidden) }
}

/// Marks the holders of a renamed or deleted role as changed. Their tokens contain its name, which other services may
/// rely on.
async fn mark_holders_changed(
    tx: &UnitOfWork<'_>,
    caller: &Caller,
    role: &role::Model,
    now: DateTime<Utc>,
) -> Result<Vec<user::Model>> {
    let holders = users::update_holder_versions(tx, role.id, now).await?;
    user_action::authorize_for_holders(tx, caller, &holders).await?;
    for holder in &holders {
        tx.emit(DomainEvent::UserUpdated(holder.clone()));
    }
    Ok(holders)
}

async fn rename(
    tx: &UnitOfWork<'_>,
    caller: &Caller,
    role: &role::Model,
    name: &str,
    key: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let holders = mark_holders_changed(tx, caller, role, now).await?;
    roles::update_name(tx, role.id, name, key).await?;
    let accesses = access_of_many(tx, holders.iter().map(|holder| holder.id).collect()).await?;
    if accesses.values().any(|access| exceed_token_limit(&access.roles)) {
        return Err(too_long("use a shorter name: a user's role names would exceed the token limit").into());
    }
    Ok(())
}

fn too_long(message: &str) -> Refusal {
    Refusal::new(RefusalCode::TooLong, message).for_field("name")
}
