//! `login`: a name and a password for a session.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use secrecy::ExposeSecret;

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::session::Session;
use super::token_pair::{TokenPair, TokenTransport};
use super::user::User;
use crate::account::authentication::login::{self, Login, LoginResult, NameMatch};
use crate::account::caller::requester::RequestContext;
use crate::account::user::name::Name;

/// Who signs in.
#[derive(InputObject)]
pub struct LoginInput {
    /// Username or e-mail address, in any spelling.
    username: String,
    /// The password.
    #[graphql(secret)]
    password: String,
    /// Where the tokens of the session travel.
    #[graphql(default_with = "TokenTransport::Body")]
    transport: TokenTransport,
    /// How you call this device in the list of your sessions.
    device_name: Option<String>,
    /// The `deviceToken` of the last login or `updatePassword` on this device, if there was one: the known devices of an
    /// account have a budget of attempts of their own, which strangers cannot spend. A new password makes it void.
    #[graphql(secret)]
    device_token: Option<String>,
}

/// The session that was opened.
#[derive(SimpleObject, Default)]
pub struct LoginPayload {
    /// Who signed in.
    user: Option<User>,
    /// The tokens of the session.
    tokens: Option<TokenPair>,
    /// The session.
    session: Option<Session>,
    /// Keep it on this device and send it with the next login.
    device_token: Option<String>,
    /// What the person can fix.
    errors: Vec<AccountError>,
}

impl Payload for LoginPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

impl LoginPayload {
    fn new(LoginResult { issued, device_token }: LoginResult, client: &RequestContext) -> Self {
        let requester = Arc::new(issued.requester(client.clone()));
        Self {
            tokens: Some(TokenPair::of(&issued)),
            user: Some(User::new(issued.user, Arc::clone(&requester))),
            session: Some(Session::new(issued.session, requester)),
            device_token: device_token.map(|token| token.expose_secret().to_owned()),
            errors: Vec::new(),
        }
    }
}

/// Mutations that open sessions.
#[derive(Default)]
pub struct LoginMutation;

#[Object]
impl LoginMutation {
    /// Opens a session. An unknown name, a wrong password and a disabled account get the same answer. Credentials that
    /// come along are not looked at.
    async fn login(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs in.")] input: LoginInput,
    ) -> Result<LoginPayload> {
        into_payload(ctx, run(ctx, input).await)
    }
}

async fn run(ctx: &Context<'_>, input: LoginInput) -> crate::error::Result<LoginPayload> {
    let client = &ctx.requester()?.context;
    let device_name = Name::parse_on("deviceName", input.device_name.as_deref())?;
    let login = Login {
        name: input.username.into(),
        name_match: NameMatch::Any,
        password: input.password.into(),
        transport: input.transport.into(),
        device_name,
        device_token: input.device_token.map(Into::into),
    };
    let logged_in = login::login_on_device(ctx.app()?, client, login).await?;
    Ok(LoginPayload::new(logged_in, client))
}
