//! API tokens: made, changed, revoked and listed by their owner.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use entity::user;
use secrecy::ExposeSecret;

use super::administration::nullable;
use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::guard::{Permission, guard};
use super::node::parse_object_id;
use super::time::Time;
use crate::account::access::rule;
use crate::account::api_token::new_token::{self, NewApiToken, Note, Scopes};
use crate::account::api_token::token as tokens;
use crate::account::api_token::{ApiTokenUpdate, SecretFormat};
use crate::account::caller::requester::{Identity, Requester};
use crate::account::user::name::Name;

/// An API token, without what proves it.
pub struct ApiToken(pub(super) tokens::ApiToken);

/// What a program acts with in the name of an account. It can do what its permissions say, as far as the account can at
/// the time, and nothing that is for the owner alone: it makes no tokens, changes no password and no profile, and does
/// not administer its own account.
#[Object]
impl ApiToken {
    /// The id; it is the second part of the token itself.
    pub(super) async fn id(&self) -> ID {
        self.0.id().to_string().into()
    }

    /// How its owner calls it.
    async fn name(&self) -> &str {
        &self.0.row.name
    }

    /// What else its owner wants to remember.
    async fn note(&self) -> Option<&str> {
        self.0.row.note.as_deref()
    }

    /// What it may do as far as its owner may; null: all that its owner may.
    async fn permissions(&self) -> Option<Vec<Permission>> {
        let permissions = self.0.permissions.as_ref()?;
        Some(permissions.iter().copied().map(Permission::from).collect())
    }

    /// What it means to the services that take it; this server does not look at it.
    async fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// Whether a login made it in place of a session; it ends with the sessions of its owner then.
    async fn from_login(&self) -> bool {
        self.0.row.from_login
    }

    /// Whether it is switched on.
    async fn enabled(&self) -> bool {
        self.0.row.enabled
    }

    /// When it was made.
    async fn created_at(&self) -> Time {
        self.0.row.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> Time {
        self.0.row.updated_at.into()
    }

    /// When it ends by itself; null: never.
    async fn expires_at(&self) -> Option<Time> {
        self.0.row.expires_at.map(Time::from)
    }

    /// When it was last used, to the minute; null: never.
    async fn last_used_at(&self) -> Option<Time> {
        self.0.row.last_used_at.map(Time::from)
    }

    /// When it was revoked.
    async fn revoked_at(&self) -> Option<Time> {
        self.0.row.revoked_at.map(Time::from)
    }

    /// How often it was changed.
    async fn version(&self) -> i64 {
        self.0.row.version
    }
}

/// What a list of API tokens has beside its edges.
pub struct ApiTokenConnectionFields {
    owner: user::Model,
    requester: Arc<Requester>,
    active_only: bool,
}

impl ApiTokenConnectionFields {
    pub(super) fn new(owner: user::Model, requester: Arc<Requester>, active_only: bool) -> Self {
        Self { owner, requester, active_only }
    }
}

#[Object]
impl ApiTokenConnectionFields {
    /// How many API tokens there are; counted only when it is asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<u64> {
        Ok(tokens::count(ctx.app()?, &self.requester, &self.owner, self.active_only).await?)
    }
}

/// The API token to make.
#[derive(InputObject)]
pub struct CreateApiTokenInput {
    /// How you call it.
    name: String,
    /// What else you want to remember; at most 1,000 characters.
    note: Option<String>,
    /// What it may do; nobody can give what they do not hold.
    permissions: Vec<Permission>,
    /// What it means to other services: at most 100 texts of at most 255 characters.
    #[graphql(default)]
    scopes: Vec<String>,
    /// After how many seconds it ends; left out or null: never.
    expires_in: Option<i64>,
}

/// The API token that was made.
#[derive(SimpleObject, Default)]
pub struct CreateApiTokenPayload {
    /// The API token.
    api_token: Option<ApiToken>,
    /// The token itself, to be sent as `Authorization: Bearer`. It is shown this once and kept nowhere.
    token: Option<String>,
    /// What the person can fix.
    errors: Vec<AccountError>,
}

impl Payload for CreateApiTokenPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// What to change about an API token; what is left out stays.
#[derive(InputObject)]
pub struct UpdateApiTokenInput {
    /// Which one.
    api_token_id: ID,
    /// The new name.
    name: Option<String>,
    /// The new note; null clears it.
    note: MaybeUndefined<String>,
    /// Whether it is switched on.
    enabled: Option<bool>,
    /// What it may do from now on; its owner gives it, and nothing that the owner does not hold.
    permissions: Option<Vec<Permission>>,
    /// What it means to other services from now on.
    scopes: Option<Vec<String>>,
    /// After how many seconds from now it ends; null: never.
    expires_in: MaybeUndefined<i64>,
    /// The version that the change is meant for; if it is another one by now, the answer is CONFLICT.
    version: Option<i64>,
}

/// The API token to revoke.
#[derive(InputObject)]
pub struct RevokeApiTokenInput {
    /// Which one.
    api_token_id: ID,
}

/// The API token that was changed or revoked.
#[derive(SimpleObject, Default)]
pub struct ApiTokenPayload {
    /// The API token as it is now.
    api_token: Option<ApiToken>,
    /// What the person can fix.
    errors: Vec<AccountError>,
}

impl Payload for ApiTokenPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Queries for API tokens.
#[derive(Default)]
pub struct ApiTokenQuery;

#[Object]
impl ApiTokenQuery {
    /// The API token that asks, for services that are handed one and want to know its scopes; null in a session and
    /// without credentials. UNAUTHENTICATED if the credentials do not hold.
    async fn current_api_token(&self, ctx: &Context<'_>) -> Result<Option<ApiToken>> {
        let requester = ctx.requester()?;
        if matches!(requester.identity, Identity::Anonymous) {
            return Ok(None);
        }
        Ok(requester.caller()?.api_token().cloned().map(ApiToken))
    }
}

/// Mutations of API tokens.
#[derive(Default)]
pub struct ApiTokenMutation;

#[Object]
impl ApiTokenMutation {
    /// Makes an API token of one's own. It needs a session: no API token makes another.
    #[graphql(directive = guard::apply(rule::CREATE_API_TOKEN))]
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API token.")] input: CreateApiTokenInput,
    ) -> Result<CreateApiTokenPayload> {
        into_payload(ctx, create(ctx, input).await)
    }

    /// Changes an API token of one's own, in a session. With the permission, callers who can do all that the owner can
    /// switch the token off or let it end earlier; everything else is for the owner. It counts from its next use on.
    #[graphql(directive = guard::apply(rule::MANAGE_API_TOKENS))]
    async fn update_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what to change.")] input: UpdateApiTokenInput,
    ) -> Result<ApiTokenPayload> {
        into_payload(ctx, update(ctx, input).await)
    }

    /// Revokes an API token at once and for good: one's own in a session, or with the permission that of a user who can
    /// do no more than the caller. An API token can revoke itself.
    #[graphql(directive = guard::apply(rule::MANAGE_API_TOKENS))]
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeApiTokenInput,
    ) -> Result<ApiTokenPayload> {
        into_payload(ctx, revoke(ctx, &input).await)
    }
}

async fn create(ctx: &Context<'_>, input: CreateApiTokenInput) -> crate::error::Result<CreateApiTokenPayload> {
    let requester = ctx.requester()?;
    requester.authorize(rule::CREATE_API_TOKEN)?;
    let draft = NewApiToken {
        name: Name::parse(&input.name).map_err(|refusal| refusal.for_field("name"))?,
        note: input.note.as_deref().map(Note::parse).transpose()?,
        permissions: Some(input.permissions.into_iter().map(rule::Permission::from).collect()),
        scopes: Scopes::parse(input.scopes)?,
        lifetime: input.expires_in.map(new_token::parse_lifetime).transpose()?,
    };
    let made = crate::account::api_token::create(ctx.app()?, requester, draft, SecretFormat::Dotted).await?;
    let token = made.secret.expose_secret().to_owned();
    Ok(CreateApiTokenPayload { api_token: Some(ApiToken(made.token)), token: Some(token), errors: Vec::new() })
}

async fn update(ctx: &Context<'_>, input: UpdateApiTokenInput) -> crate::error::Result<ApiTokenPayload> {
    let requester = ctx.requester()?;
    requester.caller()?;
    let id = parse_object_id(&input.api_token_id, "apiTokenId")?;
    let update = ApiTokenUpdate {
        name: Name::parse_on("name", input.name.as_deref())?,
        note: nullable(&input.note).map(|note| note.map(Note::parse).transpose()).transpose()?,
        enabled: input.enabled,
        lifetime: match input.expires_in {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(seconds) => Some(Some(new_token::parse_lifetime(seconds)?)),
        },
        permissions: input.permissions.map(|names| names.into_iter().map(rule::Permission::from).collect()),
        scopes: input.scopes.map(Scopes::parse).transpose()?,
        version: input.version,
    };
    let (token, _) = crate::account::api_token::update(ctx.app()?, requester, id, update).await?;
    Ok(ApiTokenPayload { api_token: Some(ApiToken(token)), errors: Vec::new() })
}

async fn revoke(ctx: &Context<'_>, input: &RevokeApiTokenInput) -> crate::error::Result<ApiTokenPayload> {
    let requester = ctx.requester()?;
    requester.caller()?;
    let id = parse_object_id(&input.api_token_id, "apiTokenId")?;
    let (token, _) = tokens::revoke(ctx.app()?, requester, id).await?;
    Ok(ApiTokenPayload { api_token: Some(ApiToken(token)), errors: Vec::new() })
}
