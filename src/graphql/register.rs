//! `register`: creates a user and opens the first session.

use std::sync::Arc;

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};

use super::context::ContextExt;
use super::error::{AccountError, Payload, Result, into_payload};
use super::session::Session;
use super::token_pair::{TokenPair, TokenTransport};
use super::user::User;
use crate::account::authentication::register;
use crate::account::authentication::session::NewSession;
use crate::account::user::new_user::NewUser;

/// The user to create.
#[derive(InputObject)]
pub struct RegisterInput {
    /// The username: 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or a digit.
    username: String,
    /// The e-mail address, which can also be used to sign in.
    email: Option<String>,
    /// The password: 8 to 256 characters that are hard to guess; the setting `password.min_length` may require more.
    #[graphql(secret)]
    password: String,
    /// The display name: one line of at most 200 characters.
    display_name: Option<String>,
    /// How the session's tokens are transported.
    #[graphql(default_with = "TokenTransport::Body")]
    transport: TokenTransport,
    /// A name of this device for the list of sessions: one line of at most 200 characters.
    device_name: Option<String>,
}

/// The result of a registration.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RegisterStatus {
    /// The user was created and is signed in.
    SignedIn,
    /// No user was created; see `errors`.
    #[default]
    Refused,
}

/// The result of `register`.
#[derive(SimpleObject, Default)]
pub struct RegisterPayload {
    /// Whether the user was created.
    status: RegisterStatus,
    /// The created user.
    user: Option<User>,
    /// The tokens of the user's first session.
    tokens: Option<TokenPair>,
    /// The user's first session.
    session: Option<Session>,
    /// Errors that the user can correct; empty on success.
    errors: Vec<AccountError>,
}

impl Payload for RegisterPayload {
    fn from_errors(errors: Vec<AccountError>) -> Self {
        Self { errors, ..Self::default() }
    }
}

/// Mutations for registration.
#[derive(Default)]
pub struct RegisterMutation;

#[Object]
impl RegisterMutation {
    /// Creates a user and opens the first session, if registration is open. Credentials of the request are ignored.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user to create.")] input: RegisterInput,
    ) -> Result<RegisterPayload> {
        into_payload(ctx, run(ctx, input).await)
    }
}

async fn run(ctx: &Context<'_>, input: RegisterInput) -> crate::error::Result<RegisterPayload> {
    let client = &ctx.requester()?.context;
    let RegisterInput { username, email, password, display_name, transport, device_name } = input;
    let user = NewUser::parse(&username, email.as_deref(), display_name.as_deref(), password.into());
    let (user, device_name) = register::with_device_name(user, device_name.as_deref())?;
    let new_session = NewSession { transport: transport.into(), device_name };
    let issued = register::register(ctx.app()?, client, user, new_session).await?;
    let requester = Arc::new(issued.requester(client.clone()));
    Ok(RegisterPayload {
        status: RegisterStatus::SignedIn,
        tokens: Some(TokenPair::issue(ctx, &issued)?),
        user: Some(User::new(issued.user, Arc::clone(&requester))),
        session: Some(Session::new(issued.session, requester)),
        errors: Vec::new(),
    })
}
