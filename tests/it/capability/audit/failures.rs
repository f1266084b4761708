//! Repeated failures: a bounded number of audit rows.

use super::{Record, uid};
use crate::support::TestApp;
use entity::audit_event::{self, Outcome};

/// Failures of one address are a bounded number of rows with correct sums, also across a restart; rows are never
/// updated.
#[tokio::test]
async fn audit_of_repeated_failures_is_bounded_and_sums_up() {
    use accountd::account::event::failure_audit::flush;
    use accountd::limits::failure_windows::{MAX_IMMEDIATE, WINDOW};
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut record = Record { seen: 0 };
    record.next(&app).await;
    let fail = async |app: &TestApp, name: &str| {
        let answer = app.anonymous().at_address("192.0.2.7").login(name, "wrong").await;
        assert_eq!(answer.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"));
    };
    for number in 0..100 {
        fail(&app, &format!("nobody{number}")).await;
        fail(&app, "ann").await;
    }
    let at_once = record.next(&app).await;
    assert_eq!(at_once.len(), MAX_IMMEDIATE);
    assert!(at_once.iter().all(|event| event.details.is_none()));
    flush(&app.app).await.unwrap();
    let finished = record.next(&app).await;
    let count = |event: &audit_event::Model| {
        let details: serde_json::Value = serde_json::from_str(event.details.as_deref().unwrap()).unwrap();
        assert!(details["since"].is_string() && details["until"].is_string(), "{details}");
        details["count"].as_u64().unwrap()
    };
    let hers = uid(&app, "ann").await;
    let of = |target| finished.iter().filter(|event| event.target_uid == target).map(count).collect::<Vec<_>>();
    assert_eq!((of(Some(hers)), of(None)), (vec![99], vec![200 - 99 - MAX_IMMEDIATE as u64]));
    assert!(finished.iter().all(|event| event.action == "login" && event.outcome == Outcome::Failed));
    assert!(finished.iter().all(|event| event.address.as_deref() == Some("192.0.2.7")));

    // Immediate records survive a kill; at most one window is lost.
    fail(&app, "ann").await;
    fail(&app, "ann").await;
    let app = app.restart().await;
    assert_eq!(record.next(&app).await.len(), 1);
    fail(&app, "ann").await;
    fail(&app, "ann").await;
    assert_eq!(record.next(&app).await.len(), 1);
    // The next failure after a window completes it.
    app.clock.advance(WINDOW);
    fail(&app, "ann").await;
    while record_is_short(&app, &mut record, 2).await {}
}

/// Whether fewer than `most` rows were added; they are written after the responses.
async fn record_is_short(app: &TestApp, record: &mut Record, most: usize) -> bool {
    let seen = record.seen;
    let events = record.next(app).await;
    if events.len() < most {
        record.seen = seen;
        tokio::task::yield_now().await;
        return true;
    }
    assert_eq!(events.len(), most, "{events:?}");
    false
}
