//! What administrators do to users: make, change and delete them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::error::{BAD_REQUEST, LegacyError, Result, first_refusal};
use super::global_id::{self, IdError};
use super::password::{has_legacy_form, require_matching};
use super::user::{KIND, User};
use crate::account::access::rule;
use crate::account::user::administration::{self, UpdateUser};
use crate::account::user::id::UserId;
use crate::account::user::query::NewUser;
use crate::error::{Error, RefusalCode};
use crate::graphql::context::ContextExt;

/// An account that shall be made.
#[derive(InputObject)]
#[graphql(rename_fields = "snake_case")]
pub struct CreateUserInput {
    /// The name to sign in with: three characters or more, without a space; it is stored in lower case.
    username: String,
    /// Whether the owner has to choose another password first.
    change_password: Option<bool>,
    /// The first password.
    #[graphql(secret)]
    password: String,
    /// The same again.
    #[graphql(secret)]
    password_confirmed: String,
    /// The name of the role.
    role: String,
}

/// The account that was made.
#[derive(SimpleObject)]
pub struct CreateUser {
    /// The account.
    user: Option<User>,
}

/// What shall change.
#[derive(InputObject)]
#[graphql(rename_fields = "snake_case")]
pub struct UpdateUserInput {
    /// Whose.
    id: ID,
    /// Whether the owner has to choose another password first.
    change_password: bool,
}

/// The account that was changed.
#[derive(SimpleObject)]
#[graphql(name = "UpdateUser")]
pub struct UpdatedUser {
    /// The account.
    user: Option<User>,
}

/// Which account shall go.
#[derive(InputObject)]
pub struct DeleteUserInput {
    /// Whose.
    id: ID,
}

/// That it went.
#[derive(SimpleObject)]
pub struct DeleteUser {
    /// True.
    ok: Option<bool>,
}

/// Mutations of users.
#[derive(Default)]
pub struct AdministrationMutation;

#[Object(rename_fields = "snake_case", rename_args = "snake_case")]
impl AdministrationMutation {
    /// Makes an account.
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Means nothing; it stands in the input.")] change_password: Option<bool>,
        #[graphql(desc = "The account.")] input: CreateUserInput,
        #[graphql(desc = "Means nothing; it stands in the input.")] username: Option<String>,
    ) -> Result<Option<CreateUser>> {
        drop((change_password, username));
        let requester = ctx.requester()?;
        requester.authorize(rule::WRITE_USERS)?;
        let username = input.username.to_lowercase();
        if !has_legacy_form(&username) || !has_legacy_form(&input.password) {
            return Err(LegacyError::with_message(BAD_REQUEST));
        }
        require_matching(&input.password, &input.password_confirmed)?;
        let new = NewUser::parse(&username, None, None, input.password.into()).map_err(map_creation_error)?;
        let new = NewUser { must_change_password: input.change_password.unwrap_or(false), ..new };
        let row =
            administration::create(ctx.app()?, requester, new, vec![input.role]).await.map_err(map_creation_error)?;
        Ok(Some(CreateUser { user: Some(User::new(row, Arc::clone(requester))) }))
    }

    /// Says whether the owner of an account has to choose another password first.
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Means nothing; it stands in the input.")] change_password: Option<bool>,
        #[graphql(desc = "The change.")] input: UpdateUserInput,
        #[graphql(desc = "Means nothing; names do not change here.")] username: Option<String>,
    ) -> Result<Option<UpdatedUser>> {
        drop((change_password, username));
        let requester = ctx.requester()?;
        requester.authorize(rule::WRITE_USERS)?;
        let id = global_id::parse(KIND, &input.id).map_err(|fault| {
            LegacyError::with_message(match fault {
                IdError::Malformed => "id_not_valid",
                IdError::WrongType => "bad_request. {'id': ['Is not a valid ID']}",
                IdError::LegacyObjectId => "not_found. ",
            })
        })?;
        let changes = UpdateUser { must_change_password: Some(input.change_password), ..UpdateUser::default() };
        let row = administration::update(ctx.app()?, requester, id, changes).await.map_err(|error| {
            if is_not_found(&error) { LegacyError::with_message("not_found. ") } else { error.into() }
        })?;
        Ok(Some(UpdatedUser { user: Some(User::new(row, Arc::clone(requester))) }))
    }

    /// Deletes an account.
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] input: DeleteUserInput,
    ) -> Result<Option<DeleteUser>> {
        let requester = ctx.requester()?;
        requester.authorize(rule::DELETE_USERS)?;
        administration::delete(ctx.app()?, requester, parse_user_id(&input.id)?).await.map_err(map_not_found)?;
        Ok(Some(DeleteUser { ok: Some(true) }))
    }
}

/// The account that an id means.
pub(super) fn parse_user_id(id: &ID) -> Result<UserId> {
    global_id::parse(KIND, id).map_err(|fault| {
        LegacyError::with_message(match fault {
            IdError::Malformed => "id_not_valid",
            IdError::WrongType => BAD_REQUEST,
            IdError::LegacyObjectId => "not_found",
        })
    })
}

fn is_not_found(error: &Error) -> bool {
    first_refusal(error) == Some(RefusalCode::NotFound)
}

/// Why nothing was done to an account.
pub(super) fn map_not_found(error: Error) -> LegacyError {
    if is_not_found(&error) { LegacyError::with_message("not_found") } else { error.into() }
}

fn map_creation_error(error: Error) -> LegacyError {
    match first_refusal(&error) {
        Some(RefusalCode::UnknownRole) => LegacyError::with_message("Role does not exist"),
        Some(RefusalCode::UsernameTaken) => LegacyError::with_message("Username already exists"),
        Some(RefusalCode::InvalidUsername | RefusalCode::TooLong | RefusalCode::WeakPassword) => {
            LegacyError::with_message(BAD_REQUEST)
        }
        _ => error.into(),
    }
}
