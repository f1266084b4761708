//! Roles: named sets of permissions, and who holds them.

use std::collections::{BTreeMap, BTreeSet};

use entity::{role, user};
use sea_orm::ConnectionTrait;

use super::authorization::{self, UserAction};
use super::rule::{self, Access, Permission};
use crate::account::caller::requester::{Caller, Requester};
use crate::account::event::audit::AuditEvent;
use crate::account::event::unit_of_work::{DomainEvent, UnitOfWork};
use crate::account::user::id::{RoleId, UserId};
use crate::account::user::query as accounts;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::roles::Grant;
use crate::store::{roles, users};

/// The built-in role that holds every permission; a migration makes it.
pub const ADMIN: &str = "admin";

/// Most code points of a role's canonical name.
pub(in crate::account) const MAX_KEY_LENGTH: usize = 255;

/// Most permissions and roles that one call may name.
pub(in crate::account) const MAX_NAMES: usize = 100;

/// Most bytes that the names of one user's roles take in a token, which together may have 4,096.
pub(in crate::account) const MAX_NAMES_BYTES: usize = 1_500;

/// A role and what it allows.
#[derive(Debug, Clone)]
pub struct Role {
    /// The role.
    pub row: role::Model,
    /// What it allows.
    pub permissions: BTreeSet<Permission>,
}

impl From<roles::RoleWithPermissions> for Role {
    fn from((row, permissions): roles::RoleWithPermissions) -> Self {
        let listed = permissions.iter().filter_map(|listed| Permission::from_name(&listed.permission));
        let permissions = if row.built_in { Permission::ALL.into() } else { listed.collect() };
        Self { row, permissions }
    }
}

/// What the user with this number may do now.
///
/// # Errors
/// Internal ones only.
pub async fn access_of(db: &impl ConnectionTrait, user_id: i64) -> Result<Access> {
    Ok(access_of_many(db, vec![user_id]).await?.remove(&user_id).unwrap_or_default())
}

/// What the users with these numbers may do now; who holds no role is missing.
///
/// # Errors
/// Internal ones only.
pub async fn access_of_many(db: &impl ConnectionTrait, user_ids: Vec<i64>) -> Result<BTreeMap<i64, Access>> {
    Ok(merge_grants(roles::list_grants(db, user_ids).await?))
}

/// What somebody may do who holds this.
pub(in crate::account) fn access_from_grants(grants: Vec<Grant>) -> Access {
    merge_grants(grants).into_values().next().unwrap_or_default()
}

/// What each may do.
fn merge_grants(grants: Vec<Grant>) -> BTreeMap<i64, Access> {
    let mut accesses: BTreeMap<i64, (BTreeSet<String>, BTreeSet<Permission>)> = BTreeMap::new();
    for grant in grants {
        let (names, permissions) = accesses.entry(grant.user_id).or_default();
        names.insert(grant.name);
        let all = if grant.built_in { Permission::ALL.as_slice() } else { &[] };
        let granted = all.iter().copied().chain(grant.permission.as_deref().and_then(Permission::from_name));
        permissions.extend(granted.filter(|permission| permission.is_effective_in(grant.tenant_id)));
    }
    let access =
        |(names, permissions): (BTreeSet<String>, _)| Access { roles: names.into_iter().collect(), permissions };
    accesses.into_iter().map(|(user_id, found)| (user_id, access(found))).collect()
}

/// The same for a list of users, from where reads run.
///
/// # Errors
/// Internal ones only.
pub async fn load_access(app: &App, user_ids: Vec<i64>) -> Result<BTreeMap<i64, Access>> {
    access_of_many(app.db.reader(), user_ids).await
}

/// Every role, by name.
///
/// # Errors
/// Refuses callers without the permission.
pub async fn list(app: &App, requester: &Requester) -> Result<Vec<Role>> {
    requester.authorize(rule::READ_ROLES)?;
    Ok(roles::list(app.db.reader()).await?.into_iter().map(Role::from).collect())
}

/// The role with this id, if there is one and the caller may see roles.
///
/// # Errors
/// Refuses callers who are not signed in.
pub async fn find(app: &App, requester: &Requester, id: RoleId) -> Result<Option<Role>> {
    requester.caller()?;
    if requester.authorize(rule::READ_ROLES).is_err() {
        return Ok(None);
    }
    Ok(roles::find(app.db.reader(), id.uuid()).await?.map(Role::from))
}

/// How many of the users whom the caller may see hold the role.
///
/// # Errors
/// Refuses callers without the permission.
pub async fn count_holders(app: &App, requester: &Requester, role: &Role) -> Result<u64> {
    let caller = requester.authorize(rule::READ_ROLES)?;
    roles::count_holders(app.db.reader(), caller.scope(rule::READ_ROLES), role.row.id).await
}

/// The roles of a user whom the caller has found, in the order of their numbers.
///
/// # Errors
/// Internal ones only.
pub async fn list_of_user(app: &App, user: &user::Model) -> Result<Vec<role::Model>> {
    roles::list_of_user(app.db.reader(), user.id).await
}

/// The names of the roles with these numbers, for older callers that give roles by number; of numbers that no role has
/// there is no name.
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

/// The same where the roles take the place of others: a mistyped number must not take a role away.
///
/// # Errors
/// As [`names_by_number`], and a refusal for numbers that no role has.
pub async fn require_names_by_row_id(app: &App, requester: &Requester, row_ids: &[i64]) -> Result<Vec<String>> {
    let names = names_by_row_id(app, requester, row_ids).await?;
    if names.len() < row_ids.iter().collect::<BTreeSet<_>>().len() {
        let message = "there is no role with one of these numbers";
        return Err(Refusal::new(RefusalCode::UnknownRole, message).for_field("roles").into());
    }
    Ok(names)
}

/// Gives a user exactly these roles.
///
/// # Errors
/// Refuses callers without the permission or with less power than the user or the roles have, unknown roles, and to
/// take the last administrator away.
pub async fn assign(app: &App, requester: &Requester, user_id: UserId, names: Vec<String>) -> Result<user::Model> {
    let caller = requester.authorize(rule::ASSIGN_ROLES)?;
    let now = app.clock.now();
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::ASSIGN_ROLES, now).await?;
            roles::lock_built_in(&tx).await?;
            let user = authorization::lock_manageable(&tx, &caller, UserAction::SetRoles, user_id).await?;
            let chosen = assignable(&tx, &caller, &names, user.tenant_id).await?;
            let before = access_of(&tx, user.id).await?.roles;
            roles::replace_of_user(&tx, user.id, &chosen.iter().map(|role| role.row.id).collect()).await?;
            accounts::require_active_admin(&tx).await?;
            if !users::update_version(&tx, &user, now).await? {
                return Err(accounts::version_conflict());
            }
            let after = access_of(&tx, user.id).await?.roles;
            AuditEvent::success("user.roles")
                .by_caller(&caller)
                .on_user(&user)
                .with("before", before)
                .with("after", after)
                .record(&tx, app, &requester.context, now)
                .await?;
            let user = accounts::reload(&tx, &user).await?;
            tx.emit(DomainEvent::UserUpdated(user.clone()));
            tx.commit().await?;
            Ok(user)
        })
        .await
}

/// The roles with these names, if `caller` may give them to a user of this tenant.
///
/// # Errors
/// As [`named`], or [`Error::Forbidden`] if the user could do more with them than the caller.
pub(in crate::account) async fn assignable(
    db: &impl ConnectionTrait,
    caller: &Caller,
    names: &[String],
    tenant_id: i64,
) -> Result<Vec<Role>> {
    let chosen = by_names(db, names).await?;
    let granted = chosen.iter().flat_map(|role| role.permissions.iter().copied());
    let gained = granted.filter(|permission| permission.is_effective_in(tenant_id)).collect();
    if caller.access.covers(&gained) { Ok(chosen) } else { Err(Error::Forbidden) }
}

/// Most characters of a role's name that a message repeats.
const MAX_QUOTED: usize = 60;

/// The roles with these names.
///
/// # Errors
/// A refusal if there are too many, or one is unknown.
pub(in crate::account) async fn by_names(db: &impl ConnectionTrait, names: &[String]) -> Result<Vec<Role>> {
    let too_many = |problem: String| Refusal::new(RefusalCode::TooLong, problem).for_field("roles");
    if names.len() > MAX_NAMES {
        return Err(too_many(format!("name at most {MAX_NAMES} roles")).into());
    }
    let keys: Vec<String> = names.iter().map(|name| accounts::search_key(name)).collect();
    let found: Vec<Role> = roles::list_by_name(db, &keys).await?.into_iter().map(Role::from).collect();
    let is_known = |key: &String| found.iter().any(|role| role.row.name_key == *key);
    if let Some((unknown, _)) = names.iter().zip(&keys).find(|(_, key)| !is_known(key)) {
        let shown: String = unknown.chars().take(MAX_QUOTED).collect();
        return Err(Refusal::new(RefusalCode::UnknownRole, format!("there is no role {shown:?}"))
            .for_field("roles")
            .into());
    }
    let shown: Vec<&str> = found.iter().map(|role| role.row.name.as_str()).collect();
    if exceed_token_limit(&shown) {
        return Err(too_many("give fewer roles, or roles with shorter names".to_owned()).into());
    }
    Ok(found)
}

/// Whether a user with roles of these names would get tokens that are too long to be taken.
pub(crate) fn exceed_token_limit(names: &[impl AsRef<str>]) -> bool {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    serde_json::json!(names).to_string().len() > MAX_NAMES_BYTES
}
