//! Endpoints with an event filter.

use super::*;

/// A service with these endpoints and this event filter.
async fn with_event_filter(events: &str, receivers: [&Receiver; 2]) -> TestApp {
    let [crm, lake] = receivers.map(|receiver| receiver.address);
    TestApp::with(&[
        ("ACCOUNTD_WEBHOOKS__ENDPOINTS", &format!("crm=http://{crm}/ lake=http://{lake}/")),
        ("ACCOUNTD_WEBHOOKS__SECRETS", &format!("crm={SECRET} lake={OTHER}")),
        ("ACCOUNTD_WEBHOOKS__EVENTS", events),
        ("ACCOUNTD_WEBHOOKS__ALLOWED_NETWORKS", "127.0.0.1"),
    ])
    .await
}

/// Causes every event once.
async fn cause_all_events(app: &TestApp) {
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    ann.mutate_ok("updateProfile", json!({ "displayName": "Ann" }), "user { id }").await;
    ann.send("mutation { logout { ok } }", json!({})).await.data();
    root.mutate_ok("deleteUser", json!({ "userId": ann.id }), "deletedUserId").await;
}

#[tokio::test]
async fn webhook_endpoint_receives_its_configured_events() {
    let (crm, lake) = (Receiver::new().await, Receiver::new().await);
    let app = with_event_filter("crm=user.created,user.deleted lake=session.ended", [&crm, &lake]).await;
    cause_all_events(&app).await;
    assert_eq!(queued_count(&app).await, 4, "nothing is queued for endpoints without the event");
    assert_eq!(kinds(&deliveries(&app, &crm).await), ["user.created", "user.created", "user.deleted"]);
    assert_eq!(kinds(&deliveries(&app, &lake).await), ["session.ended"]);
}

#[tokio::test]
async fn webhook_endpoint_without_filter_receives_all_events() {
    let (crm, lake) = (Receiver::new().await, Receiver::new().await);
    let app = with_event_filter("crm=user.deleted", [&crm, &lake]).await;
    cause_all_events(&app).await;
    assert_eq!(kinds(&deliveries(&app, &crm).await), ["user.deleted"]);
    let all = ["session.ended", "user.created", "user.created", "user.deleted", "user.updated"];
    assert_eq!(kinds(&deliveries(&app, &lake).await), all);
}

#[test]
fn webhook_event_filter_uses_the_event_type_names() {
    let crm = ("ENDPOINTS", "crm=https://crm.example.org/");
    let secret = format!("crm={SECRET}");
    let loaded = |events| config(&[crm, ("SECRETS", &secret), ("EVENTS", events)]);
    assert!(loaded("all").is_ok() && loaded("crm=user.created,session.ended").is_ok());
    for (events, why) in [
        ("crm=user.renamed", "\"user.renamed\", which is not an event"),
        ("crm=user.created,", "\"\", which is not an event"),
        ("crm=", "\"\", which is not an event"),
        ("crm=USER.CREATED", "\"USER.CREATED\", which is not an event"),
        ("user.created", "without a name"),
        ("erp=user.created", "names erp, which is not an endpoint"),
        ("crm=user.created crm=user.deleted", "names it twice"),
    ] {
        let error = loaded(events).unwrap_err();
        assert!(error.contains(why) && error.contains("webhooks.events"), "{events}: {error}");
    }
}
