//! Users of an older service: with passwords that today's policy refuses, as an import creates them.

use accountd::account::names::canonical::canonical;
use accountd::store::{roles, users};
use entity::secret::SecretText;
use entity::user::{ActiveModel, Model, Status};
use sea_orm::Set;

use crate::support::TestApp;

/// Creates the user `name` with this password; `change` sets the rest of its row.
pub async fn create_user(
    app: &TestApp,
    name: &str,
    password: &str,
    role_names: &[&str],
    change: impl FnOnce(&mut ActiveModel),
) -> Model {
    let (app, now) = (&app.app, app.app.clock.now());
    let hash = app.hasher.hash(&password.to_owned().into()).await.unwrap();
    let mut row = ActiveModel {
        uid: Set(app.entropy.uuid(now)),
        tenant_id: Set(1),
        username: Set(name.to_owned()),
        username_key: Set(canonical(name)),
        password_hash: Set(Some(SecretText::new(hash))),
        must_change_password: Set(false),
        status: Set(Status::Active),
        created_at: Set(now.into()),
        updated_at: Set(now.into()),
        version: Set(1),
        ..Default::default()
    };
    change(&mut row);
    let tx = app.db.begin().await.unwrap();
    let user = users::insert(&tx, row).await.unwrap();
    let keys: Vec<String> = role_names.iter().map(|name| (*name).to_owned()).collect();
    let chosen = roles::list_by_name(&tx, &keys).await.unwrap();
    assert_eq!(chosen.len(), role_names.len());
    let ids = chosen.iter().map(|(role, _)| role.id).collect();
    roles::insert_of_user(&tx, user.id, &ids).await.unwrap();
    tx.commit().await.unwrap();
    user
}

/// Sets the display name of the row.
pub fn set_display_name(row: &mut ActiveModel, display_name: &str) {
    row.display_name = Set(Some(display_name.to_owned()));
    row.display_name_key = Set(Some(canonical(display_name)));
}
