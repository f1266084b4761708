//! Queries of roles, and their assignment to users.

use std::collections::BTreeSet;

use entity::{role, user};

use crate::account::access::grants::access_of;
use crate::account::access::role::Role;
use crate::account::access::rule;
use crate::account::caller::requester::{Caller, Requester};
use crate::account::caller::user_action::{self, UserAction};
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::domain_event::DomainEvent;
use crate::account::names::id::{RoleId, UserId};
use crate::account::user::locking;
use crate::account::user::query::search_key;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::{Connection, roles, users};

/// Maximum code points of a role's canonical name.
pub(in crate::account) const MAX_KEY_LENGTH: usize = 255;

/// Maximum permissions and roles per call.
pub(in crate::account) const MAX_NAMES: usize = 100;

/// Maximum bytes of one user's role names in a token, whose limit is 4,096.
pub(in crate::account) const MAX_NAMES_BYTES: usize = 1_500;

/// All roles, by name.
///
/// # Errors
/// Refuses callers without the permission.
pub async fn list(app: &App, requester: &Requester) -> Result<Vec<Role>> {
    requester.authorize(rule::READ_ROLES)?;
    Ok(roles::list(app.db.reader()).await?.into_iter().map(Role::from).collect())
}

/// The role with this id, if the caller may read roles.
///
/// # Errors
/// Refuses unauthenticated callers.
pub async fn find(app: &App, requester: &Requester, id: RoleId) -> Result<Option<Role>> {
    requester.caller()?;
    if requester.authorize(rule::READ_ROLES).is_err() {
        return Ok(None);
    }
    Ok(roles::find(app.db.reader(), id.uuid()).await?.map(Role::from))
}

/// The number of holders visible to the caller.
///
/// # Errors
/// Refuses callers without the permission.
pub async fn count_holders(app: &App, requester: &Requester, role: &Role) -> Result<u64> {
    let caller = requester.authorize(rule::READ_ROLES)?;
    roles::count_holders(app.db.reader(), caller.scope(rule::READ_ROLES), role.row.id).await
}

/// The roles of a user, by row id. The caller must have verified that the user is visible.
pub async fn list_of_user(app: &App, user: &user::Model) -> Result<Vec<role::Model>> {
    roles::list_of_user(app.db.reader(), user.id).await
}

/// The names of the roles with these row ids, for legacy clients that assign roles by row id; unknown ids are skipped.
///
/// # Errors
/// Refuses callers without the permission.
pub async fn names_by_row_id(app: &App, requester: &Requester, row_ids: &[i64]) -> Result<Vec<String>> {
    if row_ids.is_empty() {
        return Ok(Vec::new());
    }
    requester.authorize(rule::ASSIGN_ROLES)?;
    let all = roles::list(app.db.reader()).await?;
    Ok(all.into_iter().filter(|(role, _)| row_ids.contains(&role.id)).map(|(role, _)| role.name).collect())
}

/// As [`names_by_row_id`], for replacing roles: a mistyped id must not remove a role.
///
/// # Errors
/// As [`names_by_row_id`], and a refusal for unknown ids.
pub async fn require_names_by_row_id(app: &App, requester: &Requester, row_ids: &[i64]) -> Result<Vec<String>> {
    let names = names_by_row_id(app, requester, row_ids).await?;
    if names.len() < row_ids.iter().collect::<BTreeSet<_>>().len() {
        let message = "a role id is unknown: use existing role ids";
        return Err(Refusal::new(RefusalCode::UnknownRole, message).for_field("roles").into());
    }
    Ok(names)
}

/// Replaces the roles of a user.
///
/// # Errors
/// Refuses callers without the permission or with fewer permissions than the user or the roles, unknown roles, and to
/// remove the last administrator.
pub async fn assign(app: &App, requester: &Requester, user_id: UserId, names: Vec<String>) -> Result<user::Model> {
    requester.authorize(rule::ASSIGN_ROLES)?;
    let now = app.clock.now();
    app.write_admins_as(requester, rule::ASSIGN_ROLES, now, async |tx, caller| {
        let user = user_action::lock_manageable(&tx, &caller, UserAction::SetRoles, user_id).await?;
        let chosen = assignable(&tx, &caller, &names, user.tenant_id).await?;
        let before = access_of(&tx, user.id).await?.roles;
        roles::replace_of_user(&tx, user.id, &chosen.iter().map(|role| role.row.id).collect()).await?;
        locking::require_active_admin(&tx).await?;
        let user = users::update_version(&tx, &user, now).await?;
        let after = access_of(&tx, user.id).await?.roles;
        tx.record(
            AuditEvent::success(AuditAction::UserRoles)
                .by_caller(&caller)
                .on_user(&user)
                .with("before", before)
                .with("after", after),
        )
        .await?;
        tx.emit(DomainEvent::UserUpdated(user.clone()));
        tx.commit(user).await
    })
    .await
}

/// The roles with these names, if `caller` may assign them to a user of this tenant.
///
/// # Errors
/// As [`by_names`], or [`Error::Forbidden`] if they give more permissions than the caller has.
pub(in crate::account) async fn assignable(
    db: &impl Connection,
    caller: &Caller,
    names: &[String],
    tenant_id: i64,
) -> Result<Vec<Role>> {
    let chosen = by_names(db, names).await?;
    let granted = chosen.iter().flat_map(|role| role.permissions.iter().copied());
    let gained = granted.filter(|permission| permission.is_effective_in(tenant_id)).collect();
    if caller.access.covers(&gained) { Ok(chosen) } else { Err(Error::Forbidden) }
}

/// Maximum characters of a role name that a message quotes.
const MAX_QUOTED: usize = 60;

/// The roles with these names.
///
/// # Errors
/// A refusal if there are too many, or one is unknown.
pub(in crate::account) async fn by_names(db: &impl Connection, names: &[String]) -> Result<Vec<Role>> {
    let too_many = |problem: String| Refusal::new(RefusalCode::TooLong, problem).for_field("roles");
    if names.len() > MAX_NAMES {
        return Err(too_many(format!("name at most {MAX_NAMES} roles")).into());
    }
    let keys: Vec<String> = names.iter().map(|name| search_key(name)).collect();
    let found: Vec<Role> = roles::list_by_name(db, &keys).await?.into_iter().map(Role::from).collect();
    let is_known = |key: &String| found.iter().any(|role| role.row.name_key == *key);
    if let Some((unknown, _)) = names.iter().zip(&keys).find(|(_, key)| !is_known(key)) {
        let quoted: String = unknown.chars().take(MAX_QUOTED).collect();
        return Err(Refusal::new(RefusalCode::UnknownRole, format!("there is no role {quoted:?}"))
            .for_field("roles")
            .into());
    }
    let role_names: Vec<&str> = found.iter().map(|role| role.row.name.as_str()).collect();
    if exceed_token_limit(&role_names) {
        return Err(too_many("give fewer roles, or roles with shorter names".to_owned()).into());
    }
    Ok(found)
}

/// Whether roles with these names exceed the limit of a token.
pub(crate) fn exceed_token_limit(names: &[impl AsRef<str>]) -> bool {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    serde_json::json!(names).to_string().len() > MAX_NAMES_BYTES
}
