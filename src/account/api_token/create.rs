//! Creation of API tokens, by a user or in place of a session.

use chrono::{DateTime, Utc};
use entity::secret::SecretText;
use entity::user;
use secrecy::{ExposeSecret, SecretString};

use super::new_token::{self, NewApiToken};
use crate::account::access::grants;
use crate::account::access::rule;
use crate::account::caller::api_token::ApiToken;
use crate::account::caller::rate_limit::limit_own_change;
use crate::account::caller::requester::Requester;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::names::id::ApiTokenId;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::security::api_secret;
use crate::store::{TracksChanges, api_tokens};

pub use crate::security::api_secret::SecretFormat;

/// Maximum usable tokens per user.
const MAX_TOKENS: u64 = 100;

/// A token that was just created.
#[derive(Debug)]
pub struct CreatedApiToken {
    /// The token.
    pub token: ApiToken,
    /// Its secret, which is stored nowhere.
    pub secret: SecretString,
}

/// Creates a token for the caller.
///
/// # Errors
/// Refuses callers without a session, permissions that the caller lacks, and more tokens than a user may have.
pub async fn create(
    app: &App,
    requester: &Requester,
    new_token: NewApiToken,
    format: SecretFormat,
) -> Result<CreatedApiToken> {
    let caller = requester.authorize(rule::CREATE_API_TOKEN)?;
    limit_own_change(app, caller, rule::CREATE_API_TOKEN, app.clock.now()).await?;
    let now = app.clock.now();
    app.write_as(requester, rule::CREATE_API_TOKEN, now, async |tx, caller| {
        new_token.require_covered_by(&caller.access)?;
        let created = insert(&tx, app, &caller.user, new_token.clone(), format, CreatedBy::User, now).await?;
        tx.record(create_event(&caller.user, &created.token)).await?;
        tx.commit(created).await
    })
    .await
}

/// The creator of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CreatedBy {
    /// A user in a session. At the limit, creation fails.
    User,
    /// A login, in place of a session. At the limit, the token replaces the least recently used one from a login, if
    /// any.
    Login,
}

/// Creates a token for `user`, whose row is locked, within the transaction of a login, in place of a session: a
/// revocation of the user's tokens waits, and includes this one.
///
/// # Errors
/// [`Error::PasswordChangeRequired`]; a refusal if the user has too many tokens, none of them from a login.
pub(in crate::account) async fn create_by_login(
    tx: &UnitOfWork<'_>,
    app: &App,
    user: &user::Model,
    new_token: NewApiToken,
    format: SecretFormat,
    now: DateTime<Utc>,
) -> Result<CreatedApiToken> {
    if user.must_change_password {
        return Err(Error::PasswordChangeRequired);
    }
    let access = grants::access_of(tx, user.id).await?;
    // Above the limit, one revocation makes no room: nothing changes, and the creation is refused.
    if api_tokens::count(tx, user.id, Some(now)).await? == MAX_TOKENS
        && let Some(idle) = api_tokens::find_least_recently_used_from_login(tx, user.id, now).await?
    {
        api_tokens::update_revoked(tx, &idle, now).await?;
        let id = ApiTokenId::from(idle.uid).to_string();
        let event = AuditEvent::success(AuditAction::ApiTokenRevoke).by_user(user).on_user(user);
        tx.record(event.with("apiToken", id)).await?;
    }
    new_token.require_covered_by(&access)?;
    let created = insert(tx, app, user, new_token, format, CreatedBy::Login, now).await?;
    tx.record(create_event(user, &created.token)).await?;
    Ok(created)
}

fn create_event(owner: &user::Model, token: &ApiToken) -> AuditEvent {
    AuditEvent::success(AuditAction::ApiTokenCreate)
        .by_user(owner)
        .on_user(owner)
        .with("apiToken", token.id().to_string())
        .with("permissions", token.row.permissions.as_deref())
}

/// Inserts the token, whose permissions the caller has checked, within the caller's transaction.
async fn insert(
    tx: &impl TracksChanges,
    app: &App,
    owner: &user::Model,
    new_token: NewApiToken,
    format: SecretFormat,
    created_by: CreatedBy,
    now: DateTime<Utc>,
) -> Result<CreatedApiToken> {
    if api_tokens::count(tx, owner.id, Some(now)).await? >= MAX_TOKENS {
        let message = format!("an account has at most {MAX_TOKENS} API tokens: revoke some");
        return Err(Refusal::new(RefusalCode::TooManyApiTokens, message).into());
    }
    let uid = app.entropy.uuid(now);
    let text = api_secret::generate(app.entropy.as_ref(), &ApiTokenId::from(uid).to_string(), format);
    let row = api_tokens::NewRow {
        uid,
        user_id: owner.id,
        name: new_token.name.as_str().to_owned(),
        note: new_token.note.map(String::from),
        secret_hash: SecretText::new(api_secret::hash(text.expose_secret())),
        permissions: new_token.permissions.as_ref().map(new_token::permission_names),
        scopes: new_token.scopes.to_json(),
        from_login: created_by == CreatedBy::Login,
        created_at: now.into(),
        expires_at: new_token.lifetime.map(|lifetime| (now + lifetime).into()),
    };
    Ok(CreatedApiToken { token: api_tokens::insert(tx, row).await?.into(), secret: text })
}
