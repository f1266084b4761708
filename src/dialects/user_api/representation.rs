//! A user and a role as the dialect shows them.

use entity::user::{self, Status};
use entity::{role, session};
use serde_json::{Map, Value, json};

use crate::account::authentication::session::expires_at;
use crate::account::user::handle;

/// A user; customers are tenants.
pub(super) fn user_json(user: &user::Model) -> Map<String, Value> {
    Map::from_iter([
        ("id".to_owned(), json!(user.id)),
        ("email".to_owned(), json!(handle::of_user(user))),
        ("name".to_owned(), json!(user.display_name.as_deref().unwrap_or_default())),
        ("active".to_owned(), json!(user.status == Status::Active)),
        ("customer".to_owned(), json!({ "id": user.tenant_id })),
    ])
}

/// A user with roles.
pub(super) fn user_with_roles_json(user: &user::Model, roles: &[role::Model]) -> Map<String, Value> {
    let mut person = user_json(user);
    person.insert("roles".to_owned(), roles.iter().map(role_json).collect());
    person
}

/// Whoever is signed in, and until when: what the old service wrote into its token.
pub(super) fn claims_json(user: &user::Model, roles: &[role::Model], session: &session::Model) -> Map<String, Value> {
    let mut claims = user_with_roles_json(user, roles);
    claims.insert("exp".to_owned(), json!(expires_at(session).timestamp()));
    claims
}

/// A role. Its name is the old service's `code`, and what it is for the `name` that people read.
pub(super) fn role_json(role: &role::Model) -> Value {
    let name = match &role.description {
        // As the old service calls it.
        _ if role.built_in => "Admin",
        Some(description) => description,
        None => &role.name,
    };
    json!({ "id": role.id, "code": role.name, "name": name })
}
