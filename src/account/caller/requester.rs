//! The requester: anonymous, rejected, or an authenticated caller.

use std::sync::Arc;

use entity::{session, user};

use super::api_token::ApiToken;
use super::request_context::RequestContext;
use crate::account::access::grants::Access;
use crate::account::names::id::SessionId;
use crate::error::{Error, Result, TokenError};

/// A requester after authentication.
#[derive(Debug, Clone)]
pub struct Requester {
    /// The result of authentication.
    pub identity: Identity,
    /// The request context.
    pub context: RequestContext,
}

/// The result of authentication.
#[derive(Debug, Clone)]
pub enum Identity {
    /// No credentials were sent.
    Anonymous,
    /// Credentials were sent and are not valid.
    Rejected {
        /// The reason.
        error: TokenError,
        /// The session they name, if they expired or were replaced: enough to log out.
        session: Option<SessionId>,
        /// The token id (`jti`), if the server issued the token.
        token_id: Option<String>,
    },
    /// A live session or API token of an active user.
    Authenticated(Arc<Caller>),
}

/// An authenticated requester.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub user: user::Model,
    /// The credential.
    pub credential: Credential,
    /// The effective access: the user's, narrowed by an API token.
    pub access: Access,
}

/// The credential of a caller.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A token of this session.
    Session(session::Model),
    /// An API token of a program that acts for the user.
    ApiToken(ApiToken),
}

impl Identity {
    /// The API token that a login created in place of a session, if the caller has one.
    pub(in crate::account) fn api_token_from_login(&self) -> Option<&ApiToken> {
        let Self::Authenticated(caller) = self else { return None };
        caller.api_token().filter(|token| token.row.from_login)
    }
}

impl Caller {
    /// The session, if the caller has one.
    pub fn session(&self) -> Option<&session::Model> {
        match &self.credential {
            Credential::Session(session) => Some(session),
            Credential::ApiToken(_) => None,
        }
    }

    /// The session.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the caller has an API token.
    pub(in crate::account) fn require_session(&self) -> Result<&session::Model> {
        self.session().ok_or(Error::Forbidden)
    }

    /// The API token, if the caller has one.
    pub fn api_token(&self) -> Option<&ApiToken> {
        match &self.credential {
            Credential::Session(_) => None,
            Credential::ApiToken(token) => Some(token),
        }
    }

    /// Whether the caller acts with all rights of the owner. An API token has only its own permissions, unless it was
    /// given all of its owner's.
    pub fn can_act_as_owner(&self) -> bool {
        self.api_token().is_none_or(|token| token.permissions.is_none())
    }
}
