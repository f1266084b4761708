//! `login`: a name and a password for a session.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use secrecy::ExposeSecret;

use super::context::Given;
use super::error::{AccountError, Payload, Result, settle};
use super::session::Session;
use super::tokens::{TokenPair, TokenTransport};
use super::user::User;
use crate::account::login::{self, LoggedIn, Login, Spelling};
use crate::account::name::Name;
use crate::account::requester::Client;

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
    fn refused(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

impl LoginPayload {
    fn new(LoggedIn { sign_in: signed_in, device_token }: LoggedIn, client: &Client) -> Self {
        let viewer = Arc::new(signed_in.requester(client.clone()));
        Self {
            tokens: Some(TokenPair::of(&signed_in)),
            user: Some(User::new(signed_in.user, Arc::clone(&viewer))),
            session: Some(Session::new(signed_in.session, viewer)),
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
        settle(ctx, run(ctx, input).await)
    }
}

async fn run(ctx: &Context<'_>, input: LoginInput) -> crate::error::Result<LoginPayload> {
    let client = &ctx.requester()?.client;
    let device_name = Name::parse_on("deviceName", input.device_name.as_deref())?;
    let login = Login {
        name: input.username.into(),
        spelling: Spelling::Any,
        password: input.password.into(),
        transport: input.transport.into(),
        device_name,
        device_token: input.device_token.map(Into::into),
    };
    let logged_in = login::login_on_device(ctx.app()?, client, login).await?;
    Ok(LoginPayload::new(logged_in, client))
}
