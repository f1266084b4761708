//! Administration of users: create, update and delete.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::error::{BAD_REQUEST, LegacyError, Result, first_refusal, is_not_found, map_not_found};
use super::global_id::{self, IdError};
use super::password::{has_legacy_form, require_matching};
use super::user::{KIND, User, parse_user_id};
use crate::account::access::rule;
use crate::account::administration::user_lifecycle;
use crate::account::user::new_user::NewUser;
use crate::account::user::update::UpdateUser;
use crate::error::{Error, RefusalCode};
use crate::graphql::context::ContextExt;

/// The user to create.
#[derive(InputObject)]
#[graphql(rename_fields = "snake_case")]
pub struct CreateUserInput {
    /// The username: at least three characters without a space; stored in lower case.
    username: String,
    /// Whether the user must set a new password at the next login.
    change_password: Option<bool>,
    /// The initial password.
    #[graphql(secret)]
    password: String,
    /// The initial password, repeated.
    #[graphql(secret)]
    password_confirmed: String,
    /// The name of the user's role.
    role: String,
}

/// The result of `create_user`.
#[derive(SimpleObject)]
pub struct CreateUser {
    /// The user after the change.
    user: Option<User>,
}

/// The changes to a user.
#[derive(InputObject)]
#[graphql(rename_fields = "snake_case")]
pub struct UpdateUserInput {
    /// The global id of the user.
    id: ID,
    /// Whether the user must set a new password at the next login.
    change_password: bool,
}

/// The result of `update_user`.
#[derive(SimpleObject)]
#[graphql(name = "UpdateUser")]
pub struct UpdatedUser {
    /// The user after the change.
    user: Option<User>,
}

/// The user to delete.
#[derive(InputObject)]
pub struct DeleteUserInput {
    /// The global id of the user.
    id: ID,
}

/// The result of `delete_user`.
#[derive(SimpleObject)]
pub struct DeleteUser {
    /// Always true.
    ok: Option<bool>,
}

/// Mutations of users.
#[derive(Default)]
pub struct AdministrationMutation;

#[Object(rename_fields = "snake_case", rename_args = "snake_case")]
impl AdministrationMutation {
    /// Creates a user.
    async fn create_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ignored: the value in the input counts.")] change_password: Option<bool>,
        #[graphql(desc = "The user to create.")] input: CreateUserInput,
        #[graphql(desc = "Ignored: the value in the input counts.")] username: Option<String>,
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
            user_lifecycle::create(ctx.app()?, requester, new, vec![input.role]).await.map_err(map_creation_error)?;
        Ok(Some(CreateUser { user: Some(User::new(row, Arc::clone(requester))) }))
    }

    /// Sets whether a user must set a new password at the next login.
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Ignored: the value in the input counts.")] change_password: Option<bool>,
        #[graphql(desc = "The changes.")] input: UpdateUserInput,
        #[graphql(desc = "Ignored: this mutation cannot change the name.")] username: Option<String>,
    ) -> Result<Option<UpdatedUser>> {
        drop((change_password, username));
        let requester = ctx.requester()?;
        requester.authorize(rule::WRITE_USERS)?;
        let id = global_id::parse(KIND, &input.id).map_err(|error| {
            LegacyError::with_message(match error {
                IdError::Malformed => "id_not_valid",
                IdError::WrongType => "bad_request. {'id': ['Is not a valid ID']}",
                IdError::LegacyObjectId => "not_found. ",
            })
        })?;
        let changes = UpdateUser { must_change_password: Some(input.change_password), ..UpdateUser::default() };
        let row = user_lifecycle::update(ctx.app()?, requester, id, changes).await.map_err(|error| {
            if is_not_found(&error) { LegacyError::with_message("not_found. ") } else { error.into() }
        })?;
        Ok(Some(UpdatedUser { user: Some(User::new(row, Arc::clone(requester))) }))
    }

    /// Deletes a user.
    async fn delete_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user to delete.")] input: DeleteUserInput,
    ) -> Result<Option<DeleteUser>> {
        let requester = ctx.requester()?;
        requester.authorize(rule::DELETE_USERS)?;
        user_lifecycle::delete(ctx.app()?, requester, parse_user_id(&input.id)?).await.map_err(map_not_found)?;
        Ok(Some(DeleteUser { ok: Some(true) }))
    }
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
