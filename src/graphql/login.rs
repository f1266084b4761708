//! `login`: opens a session with a name and a password.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use secrecy::ExposeSecret;

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::session::Session;
use super::token_pair::{TokenPair, TokenTransport};
use super::user::User;
use crate::account::authentication::credentials::{LoginCredentials, NameMatch};
use crate::account::authentication::login::{self, DeviceLogin};
use crate::account::authentication::session::NewSession;
use crate::account::names::name::Name;

/// The credentials of a login.
#[derive(InputObject)]
pub struct LoginInput {
    /// The username or e-mail address; letter case is ignored.
    username: String,
    /// The password.
    #[graphql(secret)]
    password: String,
    /// How the session's tokens are transported.
    #[graphql(default_with = "TokenTransport::Body")]
    transport: TokenTransport,
    /// A name of this device for the list of sessions: one line of at most 200 characters.
    device_name: Option<String>,
    /// The `deviceToken` of the last `login` or `updatePassword` on this device, if any. Each known device has its own
    /// rate limit for wrong passwords, so attempts of other clients cannot lock the user out. A password change
    /// invalidates it.
    #[graphql(secret)]
    device_token: Option<String>,
}

/// The result of `login`.
#[derive(SimpleObject, Default)]
pub struct LoginPayload {
    /// The authenticated user.
    user: Option<User>,
    /// The tokens of the session.
    tokens: Option<TokenPair>,
    /// The new session.
    session: Option<Session>,
    /// A token that identifies this device: store it and send it with the next login.
    device_token: Option<String>,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl Payload for LoginPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

impl LoginPayload {
    fn new(ctx: &Context<'_>, DeviceLogin { issued, device_token }: DeviceLogin) -> crate::error::Result<Self> {
        let requester = Arc::new(issued.requester(ctx.requester()?.context.clone()));
        Ok(Self {
            tokens: Some(TokenPair::issue(ctx, &issued)?),
            user: Some(User::new(issued.user, Arc::clone(&requester))),
            session: Some(Session::new(issued.session, requester)),
            device_token: Some(device_token.expose_secret().to_owned()),
            errors: Vec::new(),
        })
    }
}

/// Mutations that open sessions.
#[derive(Default)]
pub struct LoginMutation;

#[Object]
impl LoginMutation {
    /// Opens a session. An unknown name, a wrong password and a disabled user get the same response. Other credentials
    /// of the request are ignored. A request can verify one password only.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The credentials.")] input: LoginInput,
    ) -> Result<LoginPayload> {
        into_payload(ctx, run(ctx, input).await)
    }
}

async fn run(ctx: &Context<'_>, input: LoginInput) -> crate::error::Result<LoginPayload> {
    let device_name = Name::parse_on("deviceName", input.device_name.as_deref())?;
    let credentials = LoginCredentials {
        device_token: input.device_token.map(Into::into),
        ..LoginCredentials::new(input.username, NameMatch::Any, input.password)
    };
    let new_session = NewSession { transport: input.transport.into(), device_name };
    let context = &ctx.requester()?.context;
    let logged_in = login::login_on_device(ctx.app()?, context, credentials, new_session).await?;
    LoginPayload::new(ctx, logged_in)
}
