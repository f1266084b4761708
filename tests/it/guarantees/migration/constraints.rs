//! Unique indexes and foreign keys of the migrated database.

use entity::timestamp::Timestamp;
use entity::{role, user, user_role};
use sea_orm::prelude::{ChronoDateTimeUtc, Uuid};
use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, PaginatorTrait, Set, SqlErr};

use super::ScratchDatabase;

fn account(number: u128, username: &str, email: Option<&str>) -> user::ActiveModel {
    let now = Timestamp::from(ChronoDateTimeUtc::UNIX_EPOCH);
    user::ActiveModel {
        uid: Set(Uuid::from_u128(number)),
        tenant_id: Set(1),
        username: Set(username.to_owned()),
        username_key: Set(username.to_owned()),
        email: Set(email.map(str::to_owned)),
        email_key: Set(email.map(str::to_owned)),
        must_change_password: Set(false),
        status: Set(user::Status::Active),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
        ..Default::default()
    }
}

/// The program distinguishes violations by the last word of the message.
fn unique_violation(error: &DbErr) -> String {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(message)) => {
            message.split_whitespace().last().unwrap_or_default().to_owned()
        }
        other => panic!("{other:?}: {error}"),
    }
}

#[tokio::test]
async fn unique_indexes_refuse_duplicates() {
    let scratch = ScratchDatabase::migrated().await;
    let db = scratch.db.writer();
    account(1, "ann", Some("ann@example.org")).insert(db).await.unwrap();
    account(2, "bob", None).insert(db).await.unwrap();
    account(3, "cy", None).insert(db).await.expect("two users without an address");
    let username = account(4, "ann", None).insert(db).await.unwrap_err();
    assert!(unique_violation(&username).contains("username_key"), "{username}");
    let email = account(5, "dan", Some("ann@example.org")).insert(db).await.unwrap_err();
    assert!(unique_violation(&email).contains("email_key"), "{email}");
    let uid = account(1, "eve", None).insert(db).await.unwrap_err();
    assert!(unique_violation(&uid).contains("uid"), "{uid}");
    let role = role::Entity::find().one(db).await.unwrap().unwrap();
    let again = role::ActiveModel { id: sea_orm::NotSet, uid: Set(Uuid::from_u128(6)), ..role.into() };
    let name = again.insert(db).await.unwrap_err();
    assert!(unique_violation(&name).contains("name_key"), "{name}");
}

#[tokio::test]
async fn deleting_a_row_deletes_its_dependents() {
    let scratch = ScratchDatabase::migrated().await;
    let db = scratch.db.writer();
    let homeless = user::ActiveModel { tenant_id: Set(99), ..account(1, "ann", None) };
    let error = homeless.insert(db).await.unwrap_err();
    assert!(matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_))), "{error}");
    let ann = account(2, "ann", None).insert(db).await.unwrap();
    let admin = role::Entity::find().one(db).await.unwrap().unwrap();
    user_role::ActiveModel { user_id: Set(ann.id), role_id: Set(admin.id) }.insert(db).await.unwrap();
    user::Entity::delete_by_id(ann.id).exec(db).await.unwrap();
    assert_eq!(user_role::Entity::find().count(db).await.unwrap(), 0);
}
