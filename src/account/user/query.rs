//! Users as administrators see and manage them.

use chrono::{DateTime, Utc};
use entity::secret::SecretText;
use entity::user::{self, Status};
use sea_orm::{ConnectionTrait, Set};
use secrecy::SecretString;

use super::canonical::canonical;
use super::email::Email;
use super::id::UserId;
use super::identifier::Identifier;
use super::name::Name;
use super::username::{Username, matches_exactly};
use crate::account::access::rule::{self, DEFAULT_TENANT};
use crate::account::authentication::password_attempt::take_from_bucket;
use crate::account::caller::requester::{RequestContext, Requester};
use crate::account::pagination::{self, CursorKind, PageRequest, Slice};
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::users::{self, Filter, Order};
use crate::store::{TenantScope, TracksChanges};

pub use crate::store::users::{Filter as UserFilter, Order as UserOrder};

/// An account that shall be made.
#[derive(Debug)]
pub struct NewUser {
    /// The name to sign in with.
    pub username: Username,
    /// The e-mail address.
    pub email: Option<Email>,
    /// The name that is shown.
    pub display_name: Option<Name>,
    /// The first password.
    pub password: SecretString,
    /// Whether the owner has to choose another one before anything else.
    pub must_change_password: bool,
    /// Whether it can sign in.
    pub status: Status,
}

impl NewUser {
    /// Parses what somebody typed; every field that is wrong is told.
    ///
    /// # Errors
    /// One refusal per wrong field.
    pub fn parse(
        username: &str,
        email: Option<&str>,
        display_name: Option<&str>,
        password: SecretString,
    ) -> Result<Self> {
        let mut findings = FieldErrors::default();
        let username = findings.collect("username", Username::parse(username));
        let email = findings.collect("email", email.map(Email::parse).transpose());
        let display_name = findings.collect("displayName", display_name.map(Name::parse).transpose());
        match (username, email, display_name) {
            (Some(username), Some(email), Some(display_name)) => {
                let (must_change_password, status) = (false, Status::Active);
                Ok(Self { username, email, display_name, password, must_change_password, status })
            }
            _ => Err(findings.into()),
        }
    }

    /// The names that the password must not be.
    pub(in crate::account) fn forbidden_names(&self) -> Vec<String> {
        let email = self.email.as_ref().map(Email::to_string);
        let display_name = self.display_name.as_ref().map(|name| name.as_str().to_owned());
        [Some(self.username.as_str().to_owned()), email, display_name].into_iter().flatten().collect()
    }
}

/// Adds the account within the caller's transaction, to a tenant that is perhaps disabled.
pub(in crate::account) async fn insert(
    tx: &impl TracksChanges,
    app: &App,
    input: &NewUser,
    hash: String,
    (tenant_id, tenant_disabled): (i64, bool),
    now: DateTime<Utc>,
) -> Result<user::Model> {
    let row = user::ActiveModel {
        uid: Set(app.entropy.uuid(now)),
        tenant_id: Set(tenant_id),
        username: Set(input.username.as_str().to_owned()),
        username_key: Set(input.username.key()),
        email: Set(input.email.as_ref().map(Email::to_string)),
        email_key: Set(input.email.as_ref().map(Email::key)),
        display_name: Set(input.display_name.as_ref().map(|name| name.as_str().to_owned())),
        display_name_key: Set(input.display_name.as_ref().map(Name::key)),
        password_hash: Set(Some(SecretText::new(hash))),
        password_changed_at: Set(Some(now.into())),
        must_change_password: Set(input.must_change_password),
        status: Set(input.status),
        last_login_at: Set(None),
        created_at: Set(now.into()),
        updated_at: Set(now.into()),
        version: Set(1),
        tenant_disabled: Set(tenant_disabled),
        ..Default::default()
    };
    users::insert(tx, row).await
}

/// What is wrong with the fields of one input, so that all of it is told at once.
#[derive(Debug, Default)]
pub(in crate::account) struct FieldErrors(Vec<Refusal>);

impl FieldErrors {
    /// The parsed value, or nothing after taking note of what is wrong with `field`.
    pub(in crate::account) fn collect<T>(&mut self, field: &'static str, parsed: Result<T, Refusal>) -> Option<T> {
        parsed.map_err(|refusal| self.0.push(refusal.for_field(field))).ok()
    }
}

impl From<FieldErrors> for Error {
    fn from(findings: FieldErrors) -> Self {
        Self::Refused(findings.0)
    }
}

/// How to find one user.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// By public id.
    Id(UserId),
    /// By username, in any spelling.
    Username(String),
    /// By e-mail address, in any spelling.
    Email(String),
}

/// The user, if there is one whom the caller may see.
///
/// # Errors
/// Refuses callers without the permission.
pub async fn get(app: &App, requester: &Requester, lookup: Lookup) -> Result<Option<user::Model>> {
    let caller = requester.authorize(rule::READ_USERS)?;
    let scope = caller.scope(rule::READ_USERS);
    let db = app.db.reader();
    match lookup {
        Lookup::Id(id) => users::find(db, scope, id.uuid()).await,
        Lookup::Username(name) => users::find_by_username(db, scope, Identifier::new(&name).username_key()).await,
        Lookup::Email(address) => users::find_by_email(db, scope, Identifier::new(&address).email_key()).await,
    }
}

/// The user behind a node id: oneself, or anybody the caller may see. Others read as missing.
///
/// # Errors
/// Refuses callers who are not signed in.
pub async fn find(app: &App, requester: &Requester, id: UserId) -> Result<Option<user::Model>> {
    let caller = requester.authorize(rule::READ_NODE)?;
    if caller.user.uid == id.uuid() {
        return Ok(Some(caller.user.clone()));
    }
    match get(app, requester, Lookup::Id(id)).await {
        Err(Error::Forbidden) => Ok(None),
        found => found,
    }
}

/// Whether somebody has this username, letter for letter, for old callers that ask before they send a password.
///
/// # Errors
/// A refusal with [`RefusalCode::TooManyAttempts`].
pub async fn is_username_taken(app: &App, context: &RequestContext, name: &str) -> Result<bool> {
    if app.config.limits.is_enabled {
        take_from_bucket(&app.throttle.username_checks, context, app.clock.now()).await?;
    }
    let name = Identifier::new(name);
    let found = users::find_by_username(app.db.reader(), TenantScope::AllTenants, name.username_key()).await?;
    Ok(found.is_some_and(|user| matches_exactly(&user.username, name.typed())))
}

/// Most bytes of a text that is compared: 200 code points, the most that any name has, of four bytes.
const MAX_KEY_TEXT_BYTES: usize = 800;

/// The key to compare a searched text with; an empty one, which nothing has, for a text that is too long for a name. NUL
/// is in no stored name, and PostgreSQL refuses to look for it.
pub(in crate::account) fn search_key(text: &str) -> String {
    if text.len() > MAX_KEY_TEXT_BYTES { String::new() } else { canonical(text).replace('\0', "\u{fffd}") }
}

/// Longest text that is searched for, in code points.
const MAX_SEARCH_LENGTH: usize = 64;

/// One page of the users of the caller's tenant, or with the permission of all tenants.
///
/// # Errors
/// Refuses callers without the permission; [`Error::BadUserInput`] for a bad page or a search text of over 64
/// characters.
pub async fn list(
    app: &App,
    requester: &Requester,
    filter: &Filter,
    (order, descending): (Order, bool),
    request: PageRequest,
) -> Result<Slice<user::Model>> {
    let caller = requester.authorize(rule::READ_USERS)?;
    let kind = match order {
        Order::CreatedAt | Order::LastLogin => CursorKind::Integer,
        Order::Username | Order::Email => CursorKind::Text,
    };
    let page = request.to_query(kind)?;
    let scope = caller.scope(rule::READ_USERS);
    let rows = users::list(app.db.reader(), scope, &normalized(filter)?, (order, descending), &page).await?;
    Ok(request.slice(rows, |row| pagination::cursor(&users::cursor_key(row, order))))
}

/// How many of them pass the filter.
///
/// # Errors
/// As [`list`].
pub async fn count(app: &App, requester: &Requester, filter: &Filter) -> Result<u64> {
    let caller = requester.authorize(rule::READ_USERS)?;
    users::count(app.db.reader(), caller.scope(rule::READ_USERS), &normalized(filter)?).await
}

/// The filter with every text as it is compared.
pub(in crate::account) fn normalized(filter: &Filter) -> Result<Filter> {
    let parts = [&filter.search, &filter.handle, &filter.display_name];
    if parts.into_iter().flatten().any(|text| text.chars().count() > MAX_SEARCH_LENGTH) {
        let problem = format!("search for at most {MAX_SEARCH_LENGTH} characters");
        return Err(Error::BadUserInput { argument: "filter", problem });
    }
    let key = |text: &Option<String>| text.as_deref().map(search_key);
    Ok(Filter {
        search: key(&filter.search),
        email_key: filter.email_key.as_deref().map(|text| Identifier::new(text).email_key().to_owned()),
        role_key: key(&filter.role_key),
        handle: key(&filter.handle),
        display_name: key(&filter.display_name),
        username_key: filter.username_key.as_deref().map(|text| Identifier::new(text).username_key().to_owned()),
        ..filter.clone()
    })
}

/// Refuses what has left the installation without an active administrator; the transaction is given up then. Those of
/// other tenants cannot help: they do not administer the installation.
pub(in crate::account) async fn require_active_admin(db: &impl ConnectionTrait) -> Result<()> {
    if users::count_active_admins(db, TenantScope::Tenant(DEFAULT_TENANT)).await? > 0 {
        return Ok(());
    }
    Err(Refusal::new(RefusalCode::LastAdmin, "there must be an active administrator: make another one first").into())
}

/// The row of `user` as it is now.
pub(in crate::account) async fn reload(db: &impl ConnectionTrait, user: &user::Model) -> Result<user::Model> {
    users::find_by_id(db, TenantScope::AllTenants, user.id).await?.ok_or_else(version_conflict)
}

/// The row of `user` as it is now, locked until the transaction ends.
pub(in crate::account) async fn lock(tx: &impl TracksChanges, user: &user::Model) -> Result<user::Model> {
    users::lock(tx, TenantScope::AllTenants, user.uid).await?.ok_or_else(version_conflict)
}

/// Somebody else changed or deleted the same account at the same time.
pub(in crate::account) fn version_conflict() -> Error {
    Refusal::new(RefusalCode::Conflict, "the account was changed by somebody else: look again and repeat").into()
}
