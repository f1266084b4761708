//! Accounts by number, as callers of older services know them: oneself, or whom one may see.

use entity::user;

use super::administration;
use crate::account::access::rule;
use crate::account::caller::requester::Requester;
use crate::app::App;
use crate::error::{Refusal, RefusalCode, Result};
use crate::store::users;

/// The user with this number: oneself, or anybody the caller may see. Others read as missing.
///
/// # Errors
/// Refuses callers who are not signed in.
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

/// Deletes the user with this number: oneself, or with the permission anybody the caller may see.
///
/// # Errors
/// As [`administration::delete`] and [`administration::delete_own`]; whom the caller may not see reads as missing.
pub async fn delete(app: &App, requester: &Requester, row_id: i64) -> Result<()> {
    let missing = || Refusal::new(RefusalCode::NotFound, "there is no such user").for_field("userId");
    let user = find(app, requester, row_id).await?.ok_or_else(missing)?;
    if requester.caller()?.user.id == user.id {
        return administration::delete_own(app, requester).await;
    }
    administration::delete(app, requester, user.uid.into()).await.map(drop)
}
