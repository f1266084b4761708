//! API tokens made, for the caller or in place of a session.

use chrono::{DateTime, Utc};
use entity::secret::SecretText;
use entity::{api_token, user};
use sea_orm::Set;
use secrecy::{ExposeSecret, SecretString};

use super::new_token::{self, NewApiToken};
use super::token::ApiToken;
use crate::account::access::rule::{self, Access};
use crate::account::authentication::login::{self, Login};
use crate::account::authentication::logout;
use crate::account::authentication::password_attempt::limit_own_change;
use crate::account::caller::requester::{RequestContext, Requester};
use crate::account::event::audit::AuditEvent;
use crate::account::event::unit_of_work::UnitOfWork;
use crate::account::user::id::ApiTokenId;
use crate::app::App;
use crate::error::{Refusal, RefusalCode, Result};
use crate::security::api_secret;
use crate::store::{TracksChanges, api_tokens};

pub use crate::security::api_secret::SecretFormat;

/// Most tokens of one account that are neither revoked nor over.
const MAX_TOKENS: u64 = 100;

/// A token that was just made.
#[derive(Debug)]
pub struct CreatedApiToken {
    /// The token.
    pub token: ApiToken,
    /// Its secret, which is nowhere else.
    pub secret: SecretString,
}

/// Makes a token for the caller.
///
/// # Errors
/// Refuses callers who are not in a session, permissions that the caller does not have, and more tokens than one
/// account may have.
pub async fn create(
    app: &App,
    requester: &Requester,
    new_token: NewApiToken,
    form: SecretFormat,
) -> Result<CreatedApiToken> {
    let caller = requester.authorize(rule::CREATE_API_TOKEN)?;
    limit_own_change(app, caller, rule::CREATE_API_TOKEN, app.clock.now()).await?;
    create_as(app, requester, new_token, form, CreatedBy::User).await
}

/// Who makes a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CreatedBy {
    /// A user in a session. Where there is no room for another token, none is made.
    User,
    /// A login, in place of a session. Where there is no room, the token takes the place of the one from a login that
    /// was not used for longest, if there is one.
    Login,
}

async fn create_as(
    app: &App,
    requester: &Requester,
    new_token: NewApiToken,
    form: SecretFormat,
    created_by: CreatedBy,
) -> Result<CreatedApiToken> {
    let caller = requester.authorize(rule::CREATE_API_TOKEN)?;
    let now = app.clock.now();
    app.db
        .retry(|| async {
            let (tx, caller) = UnitOfWork::begin_as(app, caller, rule::CREATE_API_TOKEN, now).await?;
            if created_by == CreatedBy::Login
                && api_tokens::count(&tx, caller.user.id, Some(now)).await? >= MAX_TOKENS
                && let Some(idle) = api_tokens::find_least_recently_used_from_login(&tx, caller.user.id, now).await?
            {
                api_tokens::update_revoked(&tx, &idle, now).await?;
            }
            let made =
                insert(&tx, app, &caller.user, &caller.access, new_token.clone(), (form, created_by), now).await?;
            AuditEvent::success("api_token.create")
                .by_caller(&caller)
                .on_user(&caller.user)
                .with("apiToken", made.token.id().to_string())
                .with("permissions", made.token.row.permissions.as_deref())
                .record(&tx, app, &requester.context, now)
                .await?;
            tx.commit().await?;
            Ok(made)
        })
        .await
}

/// Makes a token for whoever can sign in, in place of a session, for callers that know no other credentials. Anybody
/// may try. The token ends with the sessions of its owner. Where an account has no room for another one, it takes the
/// place of one that a login made before: repeated logins never lock a user out.
///
/// # Errors
/// As [`login::login`] and [`create`]; [`crate::error::Error::PasswordChangeRequired`].
pub async fn create_by_login(
    app: &App,
    context: &RequestContext,
    input: Login,
    new_token: NewApiToken,
    form: SecretFormat,
) -> Result<(CreatedApiToken, user::Model)> {
    let signed_in = login::login(app, context, input).await?.issued;
    let requester = signed_in.requester(context.clone());
    let made = create_as(app, &requester, new_token, form, CreatedBy::Login).await;
    // Nobody has the session's tokens.
    logout::end_current_session(app, &requester).await?;
    Ok((made?, signed_in.user))
}

/// Adds the token within the caller's transaction.
async fn insert(
    tx: &impl TracksChanges,
    app: &App,
    owner: &user::Model,
    access: &Access,
    new_token: NewApiToken,
    (form, maker): (SecretFormat, CreatedBy),
    now: DateTime<Utc>,
) -> Result<CreatedApiToken> {
    new_token.require_covered_by(access)?;
    if api_tokens::count(tx, owner.id, Some(now)).await? >= MAX_TOKENS {
        let message = format!("an account has at most {MAX_TOKENS} API tokens: revoke some");
        return Err(Refusal::new(RefusalCode::TooManyApiTokens, message).into());
    }
    let uid = app.entropy.uuid(now);
    let text = api_secret::generate(app.entropy.as_ref(), &ApiTokenId::from(uid).to_string(), form);
    let row = api_token::ActiveModel {
        uid: Set(uid),
        user_id: Set(owner.id),
        name: Set(new_token.name.as_str().to_owned()),
        note: Set(new_token.note.map(String::from)),
        secret_hash: Set(SecretText::new(api_secret::hash(text.expose_secret()))),
        permissions: Set(new_token.permissions.as_ref().map(new_token::permission_names)),
        scopes: Set(new_token.scopes.to_json()),
        enabled: Set(true),
        from_login: Set(maker == CreatedBy::Login),
        created_at: Set(now.into()),
        updated_at: Set(now.into()),
        expires_at: Set(new_token.lifetime.map(|lifetime| (now + lifetime).into())),
        last_used_at: Set(None),
        revoked_at: Set(None),
        version: Set(0),
        ..Default::default()
    };
    Ok(CreatedApiToken { token: api_tokens::insert(tx, row).await?.into(), secret: text })
}
