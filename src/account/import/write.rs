//! Writes the users of one batch with their roles, failure counters and import records.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use entity::secret::SecretText;
use entity::user::Status;
use entity::{imported, throttle};
use uuid::Uuid;

use super::candidate::{Candidate, CandidatePassword};
use super::existing::Existing;
use super::tenants::TenantIds;
use crate::account::access::permission::DEFAULT_TENANT;
use crate::account::names::email::Email;
use crate::account::names::name::Name;
use crate::account::names::username::Username;
use crate::app::App;
use crate::error::Result;
use crate::store::{TracksChanges, imports, roles, users};

/// Longest lock that is carried over. A longer one than failures explain indicates a clock that was set back, and is
/// shortened.
const MAX_LOCK: TimeDelta = TimeDelta::minutes(1);

/// What rows refer to.
pub(super) struct ImportContext {
    pub tenants: TenantIds,
    /// Role descriptions by canonical name.
    pub role_descriptions: HashMap<String, Name>,
    /// The highest id that a row keeps.
    pub highest_id: Option<i64>,
}

/// The id of the tenant that owns a row's user.
pub(super) fn tenant_id_of(candidate: &Candidate, tenants: &TenantIds) -> i64 {
    candidate.carried_over.customer.and_then(|customer| tenants.get(&customer).copied()).unwrap_or(DEFAULT_TENANT)
}

/// A user to create.
pub(super) struct PlannedUser<'a> {
    pub candidate: &'a Candidate,
    pub username: Username,
    pub id: Option<i64>,
    /// The hash of its plain-text password.
    pub hash: Option<String>,
}

impl<'a> PlannedUser<'a> {
    pub fn new(candidate: &'a Candidate, username: &Username, id: Option<i64>, hashes: &HashMap<u64, String>) -> Self {
        Self { candidate, username: username.clone(), id, hash: hashes.get(&candidate.row).cloned() }
    }

    /// Whether it has a plain-text password without a hash.
    pub fn is_missing_hash(&self) -> bool {
        matches!(self.candidate.password, CandidatePassword::Plain(_)) && self.hash.is_none()
    }
}

/// Inserts the users and returns their ids, in order.
pub(super) async fn insert_users(
    tx: &impl TracksChanges,
    app: &App,
    planned: &[PlannedUser<'_>],
    existing: &Existing,
    context: &ImportContext,
    now: DateTime<Utc>,
) -> Result<Vec<i64>> {
    let uids: Vec<Uuid> = planned.iter().map(|_| app.entropy.uuid(now)).collect();
    let mut rows: Vec<users::NewRow> = planned
        .iter()
        .zip(&uids)
        .map(|(plan, uid)| user_row(plan, *uid, tenant_id_of(plan.candidate, &context.tenants), existing, now))
        .collect();
    assign_ids_past(tx, &mut rows, context.highest_id).await?;
    let ids_by_uid: HashMap<Uuid, i64> = imports::insert_users(tx, rows).await?.into_iter().collect();
    let ids: Vec<i64> = uids.iter().filter_map(|uid| ids_by_uid.get(uid).copied()).collect();

    let new_roles = insert_missing_roles(tx, app, missing_roles(planned, existing), context, now).await?;
    let mut grants = Vec::new();
    let mut failures = Vec::new();
    for (plan, user_id) in planned.iter().zip(&ids) {
        for role in &plan.candidate.roles {
            let existing_id = existing.roles.get(&role.key()).map(|role| role.id);
            if let Some(role_id) = existing_id.or_else(|| new_roles.get(&role.key()).copied()) {
                grants.push(imports::Grant { user_id: *user_id, role_id });
            }
        }
        failures.extend(failure_counters(app, plan, *user_id, now));
    }
    imports::grant(tx, grants).await?;
    imports::replace_failures(tx, failures).await?;
    let records = planned.iter().zip(&uids).map(|(plan, uid)| imported::Model {
        source: plan.candidate.source.clone(),
        uid: *uid,
        imported_at: now.into(),
    });
    imports::insert(tx, records.collect()).await?;
    Ok(ids)
}

/// Assigns ids above those that later rows keep: the database's next id could be one of them.
async fn assign_ids_past(tx: &impl TracksChanges, rows: &mut [users::NewRow], highest: Option<i64>) -> Result<()> {
    let Some(highest) = highest else { return Ok(()) };
    let without: Vec<_> = rows.iter_mut().filter(|row| row.id.is_none()).collect();
    if without.is_empty() || imports::highest_user_id(tx).await?.is_some_and(|last| last >= highest) {
        return Ok(());
    }
    for (row, id) in without.into_iter().zip(highest + 1..) {
        row.id = Some(id);
    }
    Ok(())
}

fn user_row(plan: &PlannedUser<'_>, uid: Uuid, tenant: i64, existing: &Existing, now: DateTime<Utc>) -> users::NewRow {
    let Candidate { email, display_name, carried_over, password, .. } = plan.candidate;
    let hash = match password {
        CandidatePassword::Hash(text) => Some(text.clone()),
        CandidatePassword::Plain(_) => plan.hash.clone().map(SecretText::new),
        CandidatePassword::None(_) => None,
    };
    users::NewRow {
        id: plan.id,
        uid,
        tenant_id: tenant,
        tenant_disabled: existing.disabled_tenants.contains(&tenant),
        username: (plan.username.as_str().to_owned(), plan.username.key()),
        email: email.as_ref().map(|email| (email.to_string(), email.key())),
        display_name: display_name.as_ref().map(|name| (name.as_str().to_owned(), name.key())),
        password_changed_at: hash.as_ref().and(carried_over.password_changed_at).map(Into::into),
        password_hash: hash,
        must_change_password: carried_over.must_change_password,
        status: if carried_over.is_disabled { Status::Disabled } else { Status::Active },
        last_login_at: carried_over.last_login_at.map(Into::into),
        created_at: carried_over.created_at.unwrap_or(now).into(),
        updated_at: now.into(),
    }
}

/// Carries over the consecutive failed logins, under each name of the user.
fn failure_counters(app: &App, plan: &PlannedUser<'_>, user_id: i64, now: DateTime<Utc>) -> Vec<throttle::Model> {
    let carried_over = &plan.candidate.carried_over;
    if carried_over.failures <= 0 {
        return Vec::new();
    }
    let blocked_until = carried_over.locked_until.unwrap_or(now).clamp(now, now + MAX_LOCK);
    let keys = [Some(plan.username.key()), plan.candidate.email.as_ref().map(Email::key)];
    let names = keys.iter().flatten().map(|key| app.rate_limits.unknown_names.counter_key(key));
    names
        .chain([format!("user:{user_id}")])
        .map(|subject| throttle::Model {
            subject,
            failures: carried_over.failures,
            pending: 0,
            blocked_until: blocked_until.into(),
            updated_at: now.into(),
        })
        .collect()
}

/// Creates the missing roles without permissions; returns their ids by canonical name.
async fn insert_missing_roles(
    tx: &impl TracksChanges,
    app: &App,
    missing: Vec<&Name>,
    context: &ImportContext,
    now: DateTime<Utc>,
) -> Result<HashMap<String, i64>> {
    let mut ids = HashMap::new();
    for name in missing {
        let key = name.key();
        let row = roles::NewRow {
            uid: app.entropy.uuid(now),
            name: (name.as_str().to_owned(), key.clone()),
            description: context.role_descriptions.get(&key).map(|title| title.as_str().to_owned()),
            created_at: now.into(),
        };
        ids.insert(key, roles::insert(tx, row).await?.id);
    }
    Ok(ids)
}

/// The roles to create, each once.
pub(super) fn missing_roles<'a>(planned: &'a [PlannedUser<'_>], existing: &Existing) -> Vec<&'a Name> {
    let mut keys = BTreeSet::new();
    let all = planned.iter().flat_map(|plan| &plan.candidate.roles);
    all.filter(|role| !existing.roles.contains_key(&role.key()) && keys.insert(role.key())).collect()
}
