//! Queries of users.

use entity::user;

use crate::account::access::rule;
use crate::account::caller::rate_limit::take_from_bucket;
use crate::account::caller::request_context::RequestContext;
use crate::account::caller::requester::Requester;
use crate::account::names::canonical::canonical;
use crate::account::names::id::UserId;
use crate::account::names::identifier::Identifier;
use crate::account::names::username::matches_exactly;
use crate::account::pagination::{self, CursorKind, PageRequest, Slice};
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::TenantScope;
use crate::store::users::{self, Filter, Order, Sorting};

pub use crate::store::users::{Filter as UserFilter, Order as UserOrder, Sorting as UserSorting};

/// A key to find one user by.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// The public id.
    Id(UserId),
    /// The username, in any spelling.
    Username(String),
    /// The e-mail address, in any spelling.
    Email(String),
}

/// The user, if visible to the caller.
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

/// The user with this node id: the caller, or a user visible to the caller. Others read as missing.
///
/// # Errors
/// Refuses unauthenticated callers.
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

/// Whether a user has this username, case-sensitive, for legacy clients that check before they send a password.
///
/// # Errors
/// A refusal with [`crate::error::RefusalCode::TooManyAttempts`].
pub async fn is_username_taken(app: &App, context: &RequestContext, name: &str) -> Result<bool> {
    if app.config.limits.is_enabled {
        take_from_bucket(&app.rate_limits.username_checks, context, app.clock.now()).await?;
    }
    let name = Identifier::new(name);
    let found = users::find_by_username(app.db.reader(), TenantScope::AllTenants, name.username_key()).await?;
    Ok(found.is_some_and(|user| matches_exactly(&user.username, name.typed())))
}

/// Maximum bytes of compared text: 200 code points, the longest name, of four bytes.
const MAX_KEY_TEXT_BYTES: usize = 800;

/// The comparison key of a search text; empty, so without matches, for a text longer than any name. No stored name
/// contains NUL, and PostgreSQL rejects it in queries.
pub(in crate::account) fn search_key(text: &str) -> String {
    if text.len() > MAX_KEY_TEXT_BYTES { String::new() } else { canonical(text).replace('\0', "\u{fffd}") }
}

/// Maximum code points of a search text.
const MAX_SEARCH_LENGTH: usize = 64;

/// One page of the users of the caller's tenant or, with the permission, of all tenants.
///
/// # Errors
/// Refuses callers without the permission; [`Error::BadUserInput`] for an invalid page or a search text above 64
/// characters.
pub async fn list(
    app: &App,
    requester: &Requester,
    filter: &Filter,
    sorting: Sorting,
    request: PageRequest,
) -> Result<Slice<user::Model>> {
    let caller = requester.authorize(rule::READ_USERS)?;
    let kind = match sorting.order {
        Order::CreatedAt | Order::LastLogin => CursorKind::Integer,
        Order::Username | Order::Email => CursorKind::Text,
    };
    let page = request.to_query(kind)?;
    let scope = caller.scope(rule::READ_USERS);
    let rows = users::list(app.db.reader(), scope, &normalized(filter)?, sorting, &page).await?;
    Ok(request.slice(rows, |row| pagination::cursor(&users::cursor_key(row, sorting.order))))
}

/// The number of users that match the filter.
///
/// # Errors
/// As [`list`].
pub async fn count(app: &App, requester: &Requester, filter: &Filter) -> Result<u64> {
    let caller = requester.authorize(rule::READ_USERS)?;
    users::count(app.db.reader(), caller.scope(rule::READ_USERS), &normalized(filter)?).await
}

/// The filter with normalized texts.
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
