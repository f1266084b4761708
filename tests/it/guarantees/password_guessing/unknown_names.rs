//! Unknown names are counted like users, in a bounded number of rows.

use accountd::account::authentication::unknown_names::delete_surplus;
use accountd::account::retention::{COUNTER_RETENTION, purge};
use accountd::clock::Clock;
use chrono::TimeDelta;
use sea_orm::EntityTrait;

use super::{LIMITED, invalid_credentials, login, login_error, too_many_attempts};
use crate::support::TestApp;

/// B5: a user and an unknown name leave the same rows, for the same time.
#[tokio::test]
async fn failed_logins_of_unknown_names_are_limited_like_users() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    let rows = async || entity::throttle::Entity::find().all(app.app.db.reader()).await.unwrap();
    for _ in 0..3 {
        for name in ["ann", "nobody"] {
            assert_eq!(login_error(&login(&app.anonymous(), name, "x", None).await), invalid_credentials());
        }
        app.clock.advance(TimeDelta::seconds(10));
    }
    let found = rows().await;
    assert_eq!(found.iter().map(|row| row.failures).collect::<Vec<_>>(), [3, 3, 3, 3]);
    let of = |kinds: [&str; 2]| {
        let rows = found.iter().filter(|row| kinds.iter().any(|kind| row.subject.starts_with(kind)));
        rows.map(|row| (row.blocked_until, row.updated_at)).collect::<Vec<_>>()
    };
    for same in [of(["name:", "name:"]), of(["user:", "nobody:"])] {
        assert_eq!((same.len(), same[0]), (2, same[1]));
    }
    let mut names = found.iter().filter_map(|row| row.subject.split_once(':'));
    assert!(names.all(|(_, name)| !name.contains("nobody")), "entered unknown names are not stored");
    let last = app.clock.now() - TimeDelta::seconds(10);
    assert_eq!(purge(&app.app, last + COUNTER_RETENTION).await.unwrap(), 0);
    assert_eq!(purge(&app.app, last + COUNTER_RETENTION + TimeDelta::milliseconds(1)).await.unwrap(), 4, "all at once");
}

/// A9, B5: names use a bounded number of rows, known or unknown; locked ones are evicted last, and users stay.
#[tokio::test]
async fn unknown_names_use_a_bounded_number_of_rows() {
    let app = TestApp::with(LIMITED).await;
    app.user("ann").await;
    for _ in 0..3 {
        login(&app.anonymous(), "locked", "x", None).await;
        app.clock.advance(TimeDelta::seconds(1));
    }
    app.clock.advance(TimeDelta::seconds(-3));
    login(&app.anonymous(), "ann", "x", None).await;
    for number in 0..20 {
        assert_eq!(
            login_error(&login(&app.anonymous(), &format!("n{number}"), "x", None).await),
            invalid_credentials()
        );
    }
    assert_eq!(delete_surplus(&app.app, 22).await.unwrap(), 0);
    assert_eq!(delete_surplus(&app.app, 1).await.unwrap(), 21 + 20);
    assert_eq!(login_error(&login(&app.anonymous(), "locked", "x", None).await).0, "TOO_MANY_ATTEMPTS");
    for name in ["ann", "n0"] {
        assert_eq!(login_error(&login(&app.anonymous(), name, "x", None).await), invalid_credentials(), "{name}");
    }
    let rows = entity::throttle::Entity::find().all(app.app.db.reader()).await.unwrap();
    let account = rows.iter().find(|row| row.subject.starts_with("user:")).unwrap();
    assert_eq!(account.failures, 2, "rows that lock a user stay");
}

/// An overlong name is counted like any other unknown name.
#[tokio::test]
async fn login_with_overlong_name_counts_as_unknown_name() {
    let app = TestApp::with(LIMITED).await;
    let long = "x".repeat(20_000);
    assert_eq!(login_error(&login(&app.anonymous(), &long, "x", None).await), invalid_credentials());
    assert_eq!(login_error(&login(&app.anonymous(), &long, "x", None).await), too_many_attempts(1));
    assert_eq!(login_error(&login(&app.anonymous(), &format!("{long}x"), "x", None).await), invalid_credentials());
}
