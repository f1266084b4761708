//! API tokens made, for the caller or in place of a session.

use chrono::{DateTime, Utc};
use entity::secret::SecretText;
use entity::{api_token, user};
use sea_orm::Set;
use secrecy::{ExposeSecret, SecretString};

use super::ApiToken;
use super::draft::{self, Draft};
use crate::account::access::{self, Access};
use crate::account::attempt::count_change;
use crate::account::audit::Event;
use crate::account::id::ApiTokenId;
use crate::account::login::{self, Login};
use crate::account::logout;
use crate::account::requester::{Client, Requester};
use crate::account::transaction::Transaction;
use crate::app::App;
use crate::error::{Refusal, RefusalCode, Result};
use crate::security::secret;
use crate::store::{Writes, api_tokens};

pub use crate::security::secret::Form;

/// Most tokens of one account that are neither revoked nor over.
const MAX_TOKENS: u64 = 100;

/// A token that was just made.
#[derive(Debug)]
pub struct Made {
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
pub async fn create(app: &App, requester: &Requester, draft: Draft, form: Form) -> Result<Made> {
    let caller = requester.permit(access::CREATE_API_TOKEN)?;
    count_change(app, caller, access::CREATE_API_TOKEN, app.clock.now()).await?;
    make(app, requester, draft, form, Maker::Person).await
}

/// Who makes a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    /// A user in a session. Where there is no room for another token, none is made.
    Person,
    /// A login, in place of a session. Where there is no room, the token takes the place of the one from a login that
    /// was not used for longest, if there is one.
    Login,
}

async fn make(app: &App, requester: &Requester, draft: Draft, form: Form, maker: Maker) -> Result<Made> {
    let caller = requester.permit(access::CREATE_API_TOKEN)?;
    let now = app.clock.now();
    app.db
        .retry(|| async {
            let (tx, caller) = Transaction::begin_as(app, caller, access::CREATE_API_TOKEN, now).await?;
            if maker == Maker::Login
                && api_tokens::count(&tx, caller.user.id, Some(now)).await? >= MAX_TOKENS
                && let Some(idle) = api_tokens::find_idle_from_login(&tx, caller.user.id, now).await?
            {
                api_tokens::update_revoked(&tx, &idle, now).await?;
            }
            let made = insert(&tx, app, &caller.user, &caller.access, draft.clone(), (form, maker), now).await?;
            Event::success("api_token.create")
                .made_by(&caller)
                .to(&caller.user)
                .with("apiToken", made.token.id().to_string())
                .with("permissions", made.token.row.permissions.as_deref())
                .record(&tx, app, &requester.client, now)
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
pub async fn sign_in(
    app: &App,
    client: &Client,
    input: Login,
    draft: Draft,
    form: Form,
) -> Result<(Made, user::Model)> {
    let signed_in = login::login(app, client, input).await?.sign_in;
    let requester = signed_in.requester(client.clone());
    let made = make(app, &requester, draft, form, Maker::Login).await;
    // Nobody has the session's tokens.
    logout::end_current(app, &requester).await?;
    Ok((made?, signed_in.user))
}

/// Adds the token within the caller's transaction.
async fn insert(
    tx: &impl Writes,
    app: &App,
    owner: &user::Model,
    access: &Access,
    draft: Draft,
    (form, maker): (Form, Maker),
    now: DateTime<Utc>,
) -> Result<Made> {
    draft.require_within(access)?;
    if api_tokens::count(tx, owner.id, Some(now)).await? >= MAX_TOKENS {
        let message = format!("an account has at most {MAX_TOKENS} API tokens: revoke some");
        return Err(Refusal::new(RefusalCode::TooManyApiTokens, message).into());
    }
    let uid = app.entropy.uuid(now);
    let text = secret::make(app.entropy.as_ref(), &ApiTokenId::from(uid).to_string(), form);
    let row = api_token::ActiveModel {
        uid: Set(uid),
        user_id: Set(owner.id),
        name: Set(draft.name.as_str().to_owned()),
        note: Set(draft.note.map(String::from)),
        secret_hash: Set(SecretText::new(secret::hash(text.expose_secret()))),
        permissions: Set(draft.permissions.as_ref().map(draft::names)),
        scopes: Set(draft.scopes.to_json()),
        enabled: Set(true),
        from_login: Set(maker == Maker::Login),
        created_at: Set(now.into()),
        updated_at: Set(now.into()),
        expires_at: Set(draft.lifetime.map(|lifetime| (now + lifetime).into())),
        last_used_at: Set(None),
        revoked_at: Set(None),
        version: Set(0),
        ..Default::default()
    };
    Ok(Made { token: api_tokens::insert(tx, row).await?.into(), secret: text })
}
