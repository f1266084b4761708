//! Users by row id: the caller, or a user visible to the caller.

use entity::user;

use super::user_lifecycle;
use crate::account::access::rule;
use crate::account::caller::requester::Requester;
use crate::app::App;
use crate::error::{Refusal, RefusalCode, Result};
use crate::store::users;

/// The user with this row id: the caller, or a user visible to the caller. Others read as missing.
///
/// # Errors
/// Refuses unauthenticated callers.
pub async fn find(app: &App, requester: &Requester, row_id: i64) -> Result<Option<user::Model>> {
    let caller = requester.authorize(rule::READ_NODE)?;
    if caller.user.id == row_id {
        return Ok(Some(caller.user.clone()));
    }
    match requester.authorize(rule::READ_USERS) {
        Ok(caller) => users::find_by_id(app.db.reader(), caller.scope(rule::READ_USERS), row_id).await,
        Err(_) => Ok(None),
    }
}

/// Deletes the user with this row id: the caller or, with the permission, a user visible to the caller.
///
/// # Errors
/// As [`user_lifecycle::delete`] and [`user_lifecycle::delete_own`]; a user who is not visible reads as missing.
pub async fn delete(app: &App, requester: &Requester, row_id: i64) -> Result<()> {
    let missing = || Refusal::new(RefusalCode::NotFound, "there is no such user").for_field("userId");
    let user = find(app, requester, row_id).await?.ok_or_else(missing)?;
    if requester.caller()?.user.id == user.id {
        return user_lifecycle::delete_own(app, requester).await;
    }
    user_lifecycle::delete(app, requester, user.uid.into()).await.map(drop)
}
