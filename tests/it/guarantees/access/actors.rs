//! The callers of the access tables and the objects they request.

use accountd::account::access::grants::access_of;
use accountd::account::names::id::{SessionId, UserId};
use accountd::config::RegistrationMode;
use entity::{api_token, role, role_permission, session, tenant, user, user_role};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::gateway::{Gateway, claims};
use crate::support::{Actor, PASSWORD, TestApp};

/// The kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// Without credentials.
    Anonymous,
    /// Authenticated, without roles.
    User,
    /// The owner of the object, without roles.
    Owner,
    /// An administrator of the owner's tenant, the default tenant.
    Admin,
    /// An administrator of another tenant.
    Foreigner,
    /// With the token of a user that was disabled afterwards.
    Disabled,
}

/// In the order of the table columns.
pub const ACTORS: [ActorKind; 6] = [
    ActorKind::Anonymous,
    ActorKind::User,
    ActorKind::Owner,
    ActorKind::Admin,
    ActorKind::Foreigner,
    ActorKind::Disabled,
];

/// Enables every optional route; no actor knows the secret.
const SETTINGS: &[(&str, &str)] = &[
    ("ACCOUNTD_TOKEN_INTROSPECTION__SECRET", "q8Zt3LmW0vYx5RbN7kHd2JfS9cGpTe4A"),
    ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
    ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
    ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth"),
    ("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/admin=admin,/app"),
];

/// A service with one object of each kind.
pub struct Fixture {
    pub app: TestApp,
    /// The owner.
    pub ann: Actor,
    /// A session of the owner other than that of the owner's token.
    pub ann_session: String,
    /// An API token of the owner: its id, and an actor that uses it.
    pub ann_token: (String, Actor),
    /// Unrelated to the owner.
    bob: Actor,
    admin: Actor,
    foreigner: Actor,
    disabled: Actor,
    /// A role without permissions, and its id.
    pub role: String,
    /// The tenant of the owner.
    pub tenant: String,
    /// A tenant without users.
    pub spare: String,
}

/// All rows that an operation can change.
#[derive(Debug, PartialEq)]
pub struct Rows(
    Vec<user::Model>,
    Vec<session::Model>,
    Vec<role::Model>,
    Vec<role_permission::Model>,
    Vec<user_role::Model>,
    Vec<api_token::Model>,
    Vec<tenant::Model>,
);

impl Fixture {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same with more settings.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let app = TestApp::with(&[SETTINGS, settings].concat()).await;
        assert_eq!(app.app.config.registration.mode, RegistrationMode::Open);
        let admin = app.admin("root").await;
        let foreigner = app.admin_of_other_tenant("mallory").await;
        let (bob, disabled) = (app.user("bob").await, app.user("dora").await);
        // A user whose credentials every actor may try.
        app.user("eve").await;
        app.user("ann").await;
        let other = app.anonymous().login("ann", PASSWORD).await;
        let ann_session = other.data()["login"]["session"]["id"].as_str().unwrap().to_owned();
        let ann = app.login("ann", PASSWORD).await;
        let ann_token = ann.api_token(&[]).await;
        let arrange = "mutation ($ann: ID!, $dora: ID!) {
            updateUser(input: { userId: $ann, email: \"ann@example.org\" }) { user { tenant { id } } }
            setUserStatus(input: { userId: $dora, status: DISABLED }) { user { id } }
            saveRole(input: { name: \"clerks\", permissions: [] }) { role { id } }
            saveTenant(input: { name: \"spare\" }) { tenant { id } }
        }";
        let arranged = admin.send(arrange, json!({ "ann": ann.id, "dora": disabled.id })).await.data();
        let text = |pointer: &str| arranged.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let (role, tenant) = (text("/saveRole/role/id"), text("/updateUser/user/tenant/id"));
        let spare = text("/saveTenant/tenant/id");
        Self { app, ann, ann_session, ann_token, bob, admin, foreigner, disabled, role, tenant, spare }
    }

    pub fn actor(&self, who: ActorKind) -> Actor {
        match who {
            ActorKind::Anonymous => self.app.anonymous(),
            ActorKind::User => self.bob.clone(),
            ActorKind::Owner => self.ann.clone(),
            ActorKind::Admin => self.admin.clone(),
            ActorKind::Foreigner => self.foreigner.clone(),
            ActorKind::Disabled => self.disabled.clone(),
        }
    }

    /// A user with exactly these permissions.
    pub async fn holder(&self, name: &str, permissions: &[&str]) -> Actor {
        let query = "mutation ($name: String!, $permissions: [Permission!]!, $password: String!) {
            saveRole(input: { name: $name, permissions: $permissions }) { role { id } }
            createUser(input: { username: $name, password: $password, roles: [$name] }) { user { id } }
        }";
        let variables: Value = json!({ "name": name, "permissions": permissions, "password": PASSWORD });
        self.admin.send(query, variables).await.data();
        self.app.login(name, PASSWORD).await
    }

    /// The access tokens of the first hour that a gateway wrongly accepts: the session has ended, the user is disabled
    /// or deleted, or the token names other roles.
    pub async fn wrongly_accepted(&self) -> Vec<String> {
        let gateway = Gateway::of(&self.app).await;
        let db = self.app.app.db.reader();
        let mut mistakes = Vec::new();
        for actor in [&self.ann, &self.bob, &self.admin, &self.foreigner, &self.disabled] {
            let token = actor.token.as_deref().unwrap();
            let claims = claims(token);
            let id: UserId = claims["sub"].as_str().unwrap().parse().unwrap();
            let sid: SessionId = claims["sid"].as_str().unwrap().parse().unwrap();
            let user = user::Entity::find().filter(user::Column::Uid.eq(id.uuid())).one(db).await.unwrap();
            let session = session::Entity::find().filter(session::Column::Uid.eq(sid.uuid())).one(db).await.unwrap();
            let roles = match &user {
                Some(user) => access_of(db, user.id).await.unwrap().roles,
                None => Vec::new(),
            };
            let is_right = user.is_some_and(|user| user.status == user::Status::Active)
                && session.is_some_and(|session| session.ended_at.is_none())
                && claims["roles"] == json!(roles);
            if !is_right && gateway.accepts(token) {
                mistakes.push(format!("a gateway takes {claims} of {:?}", gateway.list));
            }
        }
        mistakes
    }

    /// All stored rows.
    pub async fn rows(&self) -> Rows {
        let db = self.app.app.db.reader();
        Rows(
            user::Entity::find().all(db).await.unwrap(),
            session::Entity::find().all(db).await.unwrap(),
            role::Entity::find().all(db).await.unwrap(),
            role_permission::Entity::find().all(db).await.unwrap(),
            user_role::Entity::find().all(db).await.unwrap(),
            api_token::Entity::find().all(db).await.unwrap(),
            tenant::Entity::find().all(db).await.unwrap(),
        )
    }
}
