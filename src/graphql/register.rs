//! `register`: makes an account and signs in to it.

use std::sync::Arc;

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::session::Session;
use super::token_pair::{TokenPair, TokenTransport};
use super::user::User;
use crate::account::authentication::register;
use crate::account::user::query::NewUser;

/// The account to make.
#[derive(InputObject)]
pub struct RegisterInput {
    /// The name to sign in with: 1 to 64 letters, digits, dots, dashes and underscores.
    username: String,
    /// An e-mail address; it may be used to sign in, too.
    email: Option<String>,
    /// The password: 8 to 256 characters that are hard to guess.
    #[graphql(secret)]
    password: String,
    /// The name to show.
    display_name: Option<String>,
    /// Where the tokens of the session travel.
    #[graphql(default_with = "TokenTransport::Body")]
    transport: TokenTransport,
    /// How you call this device in the list of your sessions.
    device_name: Option<String>,
}

/// What came of a registration.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RegisterStatus {
    /// The account is made and signed in.
    SignedIn,
    /// No account was made; `errors` says why.
    #[default]
    Refused,
}

/// The new account and its first session.
#[derive(SimpleObject, Default)]
pub struct RegisterPayload {
    /// What came of it.
    status: RegisterStatus,
    /// The account.
    user: Option<User>,
    /// The tokens of its first session.
    tokens: Option<TokenPair>,
    /// Its first session.
    session: Option<Session>,
    /// What the person can fix.
    errors: Vec<AccountError>,
}

impl Payload for RegisterPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Mutations of strangers.
#[derive(Default)]
pub struct RegisterMutation;

#[Object]
impl RegisterMutation {
    /// Makes an account and signs in to it, if registration is open. Credentials that come along are not looked at.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account to make.")] input: RegisterInput,
    ) -> Result<RegisterPayload> {
        into_payload(ctx, run(ctx, input).await)
    }
}

async fn run(ctx: &Context<'_>, input: RegisterInput) -> crate::error::Result<RegisterPayload> {
    let client = &ctx.requester()?.context;
    let RegisterInput { username, email, password, display_name, transport, device_name } = input;
    let user = NewUser::parse(&username, email.as_deref(), display_name.as_deref(), password.into());
    let (user, device_name) = register::with_device_name(user, device_name.as_deref())?;
    let issued = register::register(ctx.app()?, client, user, device_name, transport.into()).await?;
    let requester = Arc::new(issued.requester(client.clone()));
    Ok(RegisterPayload {
        status: RegisterStatus::SignedIn,
        tokens: Some(TokenPair::of(&issued)),
        user: Some(User::new(issued.user, Arc::clone(&requester))),
        session: Some(Session::new(issued.session, requester)),
        errors: Vec::new(),
    })
}
