//! Users of an older service: with passwords that today's policy refuses, as an import creates them.

use accountd::account::names::canonical::canonical;
use accountd::store::users::NewRow;
use accountd::store::{roles, users};
use entity::secret::SecretText;
use entity::user::{Model, Status};

use crate::support::TestApp;

/// Creates the user `name` with this password; `change` sets the rest of its row.
pub async fn create_user(
    app: &TestApp,
    name: &str,
    password: &str,
    role_names: &[&str],
    change: impl FnOnce(&mut NewRow),
) -> Model {
    let (app, now) = (&app.app, app.app.clock.now());
    let hash = app.hasher.hash(&password.to_owned().into()).await.unwrap();
    let mut row = NewRow {
        id: None,
        uid: app.entropy.uuid(now),
        tenant_id: 1,
        tenant_disabled: false,
        username: (name.to_owned(), canonical(name)),
        email: None,
        display_name: None,
        password_hash: Some(SecretText::new(hash)),
        password_changed_at: None,
        must_change_password: false,
        status: Status::Active,
        last_login_at: None,
        created_at: now.into(),
        updated_at: now.into(),
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
pub fn set_display_name(row: &mut NewRow, display_name: &str) {
    row.display_name = Some((display_name.to_owned(), canonical(display_name)));
}
