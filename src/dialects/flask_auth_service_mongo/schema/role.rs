//! Roles, and the primary role of each user: the older service had one role per user.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, ID, InputValueError, InputValueResult, Object, Request, Scalar, ScalarType, Value};
use serde_json::json;

use super::error::{LegacyError, Result};
use super::global_id;
use super::page::{Connection, Paging, weight};
use crate::account::access::role::Role as AccountRole;
use crate::account::administration::role as roles;
use crate::account::names::id::RoleId;
use crate::account::user::directory;
use crate::app::App;
use crate::error::Error;
use crate::graphql::context::{ContextExt, clone_error};

/// The type in the global ids of roles.
pub(super) const KIND: &str = "Role";

/// Adds a loader of primary roles to `request`, which reads those of many users with one statement.
pub(super) fn with_role_loader(request: Request, app: &App) -> Request {
    request.data(DataLoader::new(PrimaryRoleLoader(app.clone()), tokio::spawn))
}

struct PrimaryRoleLoader(App);

impl Loader<i64> for PrimaryRoleLoader {
    type Value = AccountRole;
    type Error = Arc<Error>;

    async fn load(&self, user_ids: &[i64]) -> std::result::Result<HashMap<i64, AccountRole>, Arc<Error>> {
        let found = directory::primary_roles(&self.0, user_ids.to_vec()).await.map_err(Arc::new)?;
        Ok(found.into_iter().collect())
    }
}

/// The primary role of the user with this row id, if there is one.
pub(super) async fn primary_role_of(ctx: &Context<'_>, user_id: i64) -> Result<Option<Role>> {
    let missing = |_| Error::internal("the GraphQL request has no loader of roles");
    let loader = ctx.data::<DataLoader<PrimaryRoleLoader>>().map_err(missing)?;
    let found = loader.load_one(user_id).await.map_err(|cause| clone_error(&cause))?;
    Ok(found.map(Role))
}

/// JSON in a string.
pub struct JsonString(serde_json::Value);

/// JSON in a string.
#[Scalar(name = "JSONString")]
impl ScalarType for JsonString {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        serde_json::from_str(text).map(Self).map_err(|_| InputValueError::custom("the text is not JSON"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A named set of permissions.
pub struct Role(pub(super) AccountRole);

impl Role {
    /// The permissions as a JSON object: each name with the value true.
    fn permissions_json(&self) -> serde_json::Value {
        self.0.permissions.iter().map(|permission| (permission.name().to_owned(), json!(true))).collect()
    }
}

/// A named set of permissions.
#[Object]
impl Role {
    /// The global id of the role.
    pub(super) async fn id(&self) -> ID {
        global_id::encode(KIND, RoleId::from(self.0.row.uid))
    }

    /// The name of the role.
    async fn name(&self) -> Option<&str> {
        Some(&self.0.row.name)
    }

    /// The permissions of the role: a JSON object with a member for each.
    async fn permissions(&self) -> Option<JsonString> {
        Some(JsonString(self.permissions_json()))
    }
}

/// Queries for roles.
#[derive(Default)]
pub struct RoleQuery;

#[Object(rename_args = "snake_case")]
impl RoleQuery {
    /// All roles, sorted by name.
    #[graphql(complexity = "weight(first, last, child_complexity)")]
    async fn roles(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the start of the list.")] first: Option<i32>,
        #[graphql(desc = "Page size from the end of the list.")] last: Option<i32>,
        #[graphql(desc = "Only the role with this global id.")] id: Option<ID>,
        #[graphql(desc = "Only the role with this name.")] name: Option<String>,
        #[graphql(desc = "Only roles with exactly these permissions.")] permissions: Option<JsonString>,
    ) -> Result<Option<Connection<Role>>> {
        let listed = roles::list(ctx.app()?, ctx.requester()?).await?;
        let requested = id.map(|id| global_id::parse::<RoleId>(KIND, &id)).transpose();
        let matches = |role: &Role| {
            requested.is_ok_and(|id| id.is_none_or(|id| id.uuid() == role.0.row.uid))
                && name.as_ref().is_none_or(|name| *name == role.0.row.name)
                && permissions.as_ref().is_none_or(|JsonString(expected)| *expected == role.permissions_json())
        };
        let found: Vec<Role> = listed.into_iter().map(Role).filter(matches).collect();
        let window = Paging { before, after, first, last }.window(u64::try_from(found.len()).unwrap_or(0));
        let to_usize = |rows: u64| usize::try_from(rows).map_err(Error::internal).map_err(LegacyError::from);
        let (start, size) = (to_usize(window.start)?, to_usize(window.end - window.start)?);
        Ok(Some(Connection::new(&window, found.into_iter().skip(start).take(size).collect())))
    }
}
