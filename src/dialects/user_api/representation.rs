//! JSON of users and roles.

use entity::user::{self, Status};
use entity::{role, session};
use serde_json::{Map, Value, json};

use crate::account::session_lifetime::expires_at;
use crate::account::user::handle;

/// A user without roles; a customer is a tenant.
pub(super) fn user_json(user: &user::Model) -> Map<String, Value> {
    Map::from_iter([
        ("id".to_owned(), json!(user.id)),
        ("email".to_owned(), json!(handle::of_user(user))),
        ("name".to_owned(), json!(user.display_name.as_deref().unwrap_or_default())),
        ("active".to_owned(), json!(user.status == Status::Active)),
        ("customer".to_owned(), json!({ "id": user.tenant_id })),
    ])
}

/// A user with its roles.
pub(super) fn user_with_roles_json(user: &user::Model, roles: &[role::Model]) -> Map<String, Value> {
    let mut members = user_json(user);
    members.insert("roles".to_owned(), roles.iter().map(role_json).collect());
    members
}

/// The old service's token claims: the user with roles, and `exp`, in seconds since the Unix epoch.
pub(super) fn claims_json(user: &user::Model, roles: &[role::Model], session: &session::Model) -> Map<String, Value> {
    let mut claims = user_with_roles_json(user, roles);
    claims.insert("exp".to_owned(), json!(expires_at(session).timestamp()));
    claims
}

/// A role: `code` is its name here, `name` its description.
pub(super) fn role_json(role: &role::Model) -> Value {
    let name = match &role.description {
        // The old service's name.
        _ if role.built_in => "Admin",
        Some(description) => description,
        None => &role.name,
    };
    json!({ "id": role.id, "code": role.name, "name": name })
}
