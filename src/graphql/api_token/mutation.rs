//! Mutations of API tokens: create, update and revoke.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use secrecy::ExposeSecret;

use super::ApiToken;
use crate::account::access::{permission, rule};
use crate::account::api_token::new_token::{self, NewApiToken, Note, Scopes};
use crate::account::api_token::{ApiTokenUpdate, SecretFormat, token as tokens};
use crate::account::names::name::Name;
use crate::graphql::context::ContextExt;
use crate::graphql::error::{AccountError, Payload, Result, into_payload};
use crate::graphql::guard::{Permission, guard};
use crate::graphql::object_id::parse_object_id;

/// The API token to create.
#[derive(InputObject)]
pub struct CreateApiTokenInput {
    /// The name: one line of at most 200 characters.
    name: String,
    /// A free text of at most 1,000 characters.
    note: Option<String>,
    /// Its permissions; the caller must hold all of them.
    permissions: Vec<Permission>,
    /// Scopes for other services: at most 100 of at most 255 characters each, and 16 KiB together.
    #[graphql(default)]
    scopes: Vec<String>,
    /// Lifetime in seconds, at least 1; omitted or null: it does not expire.
    expires_in: Option<i64>,
}

/// The result of `createApiToken`.
#[derive(SimpleObject, Default)]
pub struct CreateApiTokenPayload {
    /// The created API token.
    api_token: Option<ApiToken>,
    /// The token itself; send it as `Authorization: Bearer <token>`. It is returned once and stored only as a hash.
    token: Option<String>,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl Payload for CreateApiTokenPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// The changes to an API token; omitted fields are unchanged.
#[derive(InputObject)]
pub struct UpdateApiTokenInput {
    /// The id of the API token.
    api_token_id: ID,
    /// The new name.
    name: Option<String>,
    /// The new note; null removes it.
    note: MaybeUndefined<String>,
    /// Whether it can be used; a disabled token is refused until it is enabled again.
    enabled: Option<bool>,
    /// The new permissions. Only the owner can set them, and must hold all of them.
    permissions: Option<Vec<Permission>>,
    /// The new scopes.
    scopes: Option<Vec<String>>,
    /// The new lifetime in seconds from now; null: it does not expire.
    expires_in: MaybeUndefined<i64>,
    /// The expected `version`; if the current one differs, the change is refused with CONFLICT.
    version: Option<i64>,
}

/// The API token to revoke.
#[derive(InputObject)]
pub struct RevokeApiTokenInput {
    /// The id of the API token.
    api_token_id: ID,
}

/// The result of changing or revoking an API token.
#[derive(SimpleObject, Default)]
pub struct ApiTokenPayload {
    /// The API token after the change.
    api_token: Option<ApiToken>,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl Payload for ApiTokenPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Mutations of API tokens.
#[derive(Default)]
pub struct ApiTokenMutation;

#[Object]
impl ApiTokenMutation {
    /// Creates an API token of the caller, at most 100 active ones. It requires a session: API tokens cannot create API
    /// tokens.
    #[graphql(directive = guard::apply(rule::CREATE_API_TOKEN))]
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API token to create.")] input: CreateApiTokenInput,
    ) -> Result<CreateApiTokenPayload> {
        into_payload(ctx, create(ctx, input).await)
    }

    /// Changes an API token of the caller, in a session. Callers with SESSIONS_REVOKE and every permission of the owner
    /// can disable a token of another user or shorten its lifetime, and nothing else. The change takes effect with the
    /// token's next request.
    #[graphql(directive = guard::apply(rule::MANAGE_API_TOKENS))]
    async fn update_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API token and the changes.")] input: UpdateApiTokenInput,
    ) -> Result<ApiTokenPayload> {
        into_payload(ctx, update(ctx, input).await)
    }

    /// Revokes an API token immediately and permanently: the caller's own in a session, or with SESSIONS_REVOKE that of
    /// a user whose permissions the caller holds. An API token can revoke itself.
    #[graphql(directive = guard::apply(rule::MANAGE_API_TOKENS))]
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The API token to revoke.")] input: RevokeApiTokenInput,
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
        permissions: Some(input.permissions.into_iter().map(permission::Permission::from).collect()),
        scopes: Scopes::parse(input.scopes)?,
        lifetime: input.expires_in.map(new_token::parse_lifetime).transpose()?,
    };
    let created = crate::account::api_token::create(ctx.app()?, requester, draft, SecretFormat::Dotted).await?;
    let token = created.secret.expose_secret().to_owned();
    Ok(CreateApiTokenPayload { api_token: Some(ApiToken(created.token)), token: Some(token), errors: Vec::new() })
}

async fn update(ctx: &Context<'_>, input: UpdateApiTokenInput) -> crate::error::Result<ApiTokenPayload> {
    let requester = ctx.requester()?;
    requester.caller()?;
    let id = parse_object_id(&input.api_token_id, "apiTokenId")?;
    let update = ApiTokenUpdate {
        name: Name::parse_on("name", input.name.as_deref())?,
        note: input.note.as_opt_deref().map(|note| note.map(Note::parse).transpose()).transpose()?,
        enabled: input.enabled,
        lifetime: match input.expires_in {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(seconds) => Some(Some(new_token::parse_lifetime(seconds)?)),
        },
        permissions: input.permissions.map(|names| names.into_iter().map(permission::Permission::from).collect()),
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
