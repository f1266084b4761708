//! The profile: what the owner of an account changes about it without a password.

use entity::user;

use super::access;
use super::administration::UpdateUser;
use super::attempt::{NameProbe, count_change};
use super::audit::Event;
use super::requester::Requester;
use super::transaction::{Fact, Transaction};
use super::user as accounts;
use crate::app::App;
use crate::error::Result;
use crate::store::users;

/// Changes the caller's own names. The e-mail address stays: whoever reads its mail could take the account over, so
/// only an administrator changes it.
///
/// # Errors
/// Refuses callers who are not signed in and usernames that are taken.
pub async fn update(app: &App, requester: &Requester, input: UpdateUser) -> Result<user::Model> {
    let caller = requester.permit(access::UPDATE_PROFILE)?;
    let session = caller.in_session()?;
    let now = app.clock.now();
    count_change(app, caller, access::UPDATE_PROFILE, now).await?;
    let changes = users::Changes { email: None, must_change_password: None, last_login_at: None, ..input.changes() };
    let probe = match changes.username {
        Some(_) => Some(NameProbe::reserve(app, &requester.client, now).await?),
        None => None,
    };
    let updated = app
        .db
        .retry(|| async {
            let (tx, caller) = Transaction::begin_as(app, caller, access::UPDATE_PROFILE, now).await?;
            let user = caller.user;
            if changes.change_nothing(&user) {
                return Ok(user);
            }
            if !users::update_account(&tx, &user, changes.clone(), now).await? {
                return Err(accounts::changed_meanwhile());
            }
            Event::success("profile.update")
                .by(&user)
                .to(&user)
                .within(session)
                .record(&tx, app, &requester.client, now)
                .await?;
            let user = accounts::reread(&tx, &user).await?;
            tx.note(Fact::Updated(user.clone()));
            tx.commit().await?;
            Ok(user)
        })
        .await;
    if let Some(probe) = probe {
        probe.settle(app, updated.as_ref().err()).await;
    }
    updated
}
