//! Users of PlantDB.

use entity::throttle;
use entity::user::Status;
use sea_orm::EntityTrait;

use crate::capability::import::{can_sign_in, find_user, reported, run};
use crate::support::TestApp;

/// The output of PlantDB 0.15.1.
const PLANTDB: &str = r#"[
  {"username": "admin", "fullname": "PlantDB Admin",
   "password_hash": "$argon2id$v=19$m=65536,t=3,p=4$2nTMmx7/aXwUN4jOW9jEow$FOo+iA365ZvzJipdc99BixqsRgeTiUExtfGAab7ig4o",
   "roles": ["admin"], "created_at": "2026-01-15T09:00:00.123456", "_extra_permissions": [],
   "last_login": "2026-02-01T10:00:00", "is_active": true, "failed_attempts": 0, "last_failed_attempt": null,
   "locked_until": null, "password_last_change": "2026-01-20T00:00:00"},
  {"username": "batman", "fullname": "Bruce Wayne",
   "password_hash": "$argon2id$v=19$m=65536,t=3,p=4$2nTMmx7/aXwUN4jOW9jEow$FOo+iA365ZvzJipdc99BixqsRgeTiUExtfGAab7ig4o",
   "roles": ["reader", "contributor"], "created_at": "2026-01-15T09:00:00", "_extra_permissions": ["delete"],
   "last_login": null, "is_active": true, "failed_attempts": 3, "last_failed_attempt": "2026-03-01T11:59:59",
   "locked_until": "2026-03-01T12:14:59", "password_last_change": null},
  {"username": "joker", "fullname": "", "password_hash": "x", "roles": [], "is_active": false,
   "created_at": "2099-01-01T00:00:00", "failed_attempts": "many"},
  {"username": "robin", "fullname": "", "password_hash": "", "roles": ["reader"], "is_active": false,
   "created_at": "2099-01-01T00:00:00"}
]"#;

#[tokio::test]
async fn plantdb_import_carries_over_roles_names_and_failures() {
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let report = run(&app, "plantdb", accountd::dialects::plantdb::import::read(PLANTDB).unwrap()).await;
    assert_eq!(reported(&report.refused), [(3, "`failed_attempts` is not an integer")]);
    assert_eq!(reported(&report.cannot_sign_in), [(4, "it is disabled, and it has no password")]);
    assert_eq!(reported(&report.remarks), [(2, "its extra permissions are not imported")]);
    assert_eq!(report.administrators, ["admin"]);
    assert_eq!(report.roles.iter().collect::<Vec<_>>(), ["contributor", "reader"]);

    let batman = find_user(&app, "batman").await;
    assert_eq!(batman.display_name.as_deref(), Some("Bruce Wayne"));
    let robin = find_user(&app, "robin").await;
    assert_eq!((robin.status, robin.display_name, robin.created_at), (Status::Disabled, None, robin.updated_at));
    let admin = find_user(&app, "admin").await;
    let at = |time: &str| Some(time.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into());
    assert_eq!(Some(admin.created_at), at("2026-01-15T09:00:00.123Z"));
    assert_eq!(admin.last_login_at, at("2026-02-01T10:00:00Z"));
    assert_eq!(admin.password_changed_at, at("2026-01-20T00:00:00Z"));

    // The three failures are kept: the next attempt must wait, and success clears them.
    let failures = throttle::Entity::find_by_id(format!("user:{}", batman.id)).one(app.app.db.reader()).await.unwrap();
    assert_eq!(failures.unwrap().failures, 3);
    let early = app.anonymous().login("batman", "Alfred123!").await;
    assert_eq!(early.payload_error("login").as_deref(), Some("TOO_MANY_ATTEMPTS"));
    app.clock.advance(chrono::TimeDelta::minutes(15));
    can_sign_in(&app, "batman", "batman", "Alfred123!").await;
    can_sign_in(&app, "admin", "admin", "Alfred123!").await;
}
