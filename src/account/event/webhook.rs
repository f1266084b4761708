//! Webhooks: at-least-once delivery of user and session events.
//!
//! A message is a row, written in the transaction of its event. At any time at most one node delivers it, with growing
//! delays between attempts, until the endpoint accepts it or the last attempt fails after days.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::webhook_delivery;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::domain_event::{DomainEvent, format_time, reason_name};
use crate::account::names::id::{MessageId, SessionId, UserId};
use crate::account::retention;
use crate::app::App;
use crate::config::{WebhookEndpoint, WebhookEvent};
use crate::error::Result;
use crate::hooks::User;
use crate::security::webhook_signature::signature_header;
use crate::store::Connection;
use crate::store::webhook_deliveries as deliveries;

/// Delays after failed attempts; after the last one the message is given up (Standard Webhooks 1.0, section "Retries").
const RETRY_DELAYS: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];

/// How long a claimed attempt may take, normally seconds, before another node retries it.
const CLAIM_TIMEOUT: TimeDelta = TimeDelta::minutes(1);

/// Concurrent messages per endpoint.
const CONCURRENCY: u64 = 8;

/// How long undelivered messages are kept.
const RETENTION: TimeDelta = TimeDelta::days(30);

/// Poll interval for messages that other nodes left, and for retries that are due.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Interval of the deletion of old messages.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(3_600);

/// Stores a message of each event for each subscribed endpoint; returns whether there are any. `users` are the
/// snapshots of the events' users.
pub(in crate::account) async fn enqueue(
    tx: &impl Connection,
    app: &App,
    events: &[DomainEvent],
    users: &[Option<User>],
    now: DateTime<Utc>,
) -> Result<bool> {
    let mut rows = Vec::new();
    for (domain_event, user) in events.iter().zip(users) {
        if app.config.webhooks.endpoints.is_empty() {
            break;
        }
        let uid = app.entropy.uuid(now);
        let (event, data) = event_payload(domain_event, user.as_ref(), now);
        let payload = json!({ "type": event.name(), "timestamp": format_time(now), "data": data }).to_string();
        let subscribed = app.config.webhooks.endpoints.iter().filter(|endpoint| endpoint.events.contains(&event));
        rows.extend(subscribed.map(|endpoint| deliveries::NewRow {
            uid,
            endpoint: endpoint.name.clone(),
            payload: payload.clone(),
            created_at: now.into(),
        }));
    }
    let has_messages = !rows.is_empty();
    deliveries::insert(tx, rows).await?;
    Ok(has_messages)
}

fn event_payload(event: &DomainEvent, user: Option<&User>, now: DateTime<Utc>) -> (WebhookEvent, Value) {
    match event {
        DomainEvent::UserCreated(_) => (WebhookEvent::UserCreated, json!({ "user": user })),
        DomainEvent::UserUpdated(_) => (WebhookEvent::UserUpdated, json!({ "user": user })),
        DomainEvent::UserDeleted(..) => (WebhookEvent::UserDeleted, json!({ "user": user })),
        DomainEvent::SessionEnded(owner, session, reason) => {
            let session = json!({
                "id": SessionId::from(session.uid).to_string(),
                "userId": UserId::from(owner.uid).to_string(),
                "reason": reason_name(*reason),
                "endedAt": format_time(now),
            });
            (WebhookEvent::SessionEnded, json!({ "session": session }))
        }
    }
}

/// Delivers due messages, each endpoint independently, while polled.
pub async fn run(app: App) {
    let mut endpoints = JoinSet::new();
    for endpoint in app.config.webhooks.endpoints.clone() {
        let app = app.clone();
        endpoints.spawn(async move { run_endpoint(&app, &endpoint).await });
    }
    // None of them ends.
    endpoints.join_all().await;
}

async fn run_endpoint(app: &App, endpoint: &WebhookEndpoint) {
    let mut due = app.webhooks_due.subscribe();
    let mut cleaned_at: Option<Instant> = None;
    loop {
        due.mark_unchanged();
        match send_due_to(app, endpoint).await {
            // There may be more.
            Ok(sent) if sent > 0 => continue,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(endpoint.name, cause = format!("{error:#}"), "cannot deliver webhook messages")
            }
        }
        if cleaned_at.is_none_or(|last| last.elapsed() >= CLEANUP_INTERVAL) {
            cleaned_at = Some(Instant::now());
            if let Err(error) = delete_expired(app).await {
                tracing::warn!(cause = format!("{error:#}"), "cannot delete old webhook messages");
            }
        }
        tokio::select! {
            _ = due.changed() => {}
            () = sleep(POLL_INTERVAL) => {}
        }
    }
}

/// Deletes messages past their retention, by [`retention::safe_now`]: a clock that runs ahead deletes none early.
async fn delete_expired(app: &App) -> Result<()> {
    let old = retention::safe_now(app).await? - RETENTION;
    app.db.retry(|| deliveries::delete_created_before(app.db.writer(), old)).await
}

/// Delivers due messages once and waits for the results; returns the number of messages sent. A failed delivery is not
/// an error.
pub async fn send_due(app: &App) -> Result<usize> {
    let mut sent = 0;
    for endpoint in &app.config.webhooks.endpoints {
        sent += send_due_to(app, endpoint).await?;
    }
    Ok(sent)
}

async fn send_due_to(app: &App, endpoint: &WebhookEndpoint) -> Result<usize> {
    // A node whose clock runs ahead neither uses up attempts early nor delays any.
    let now = retention::safe_now(app).await?;
    let due = deliveries::list_due(app.db.reader(), &endpoint.name, now, CONCURRENCY).await?;
    let mut attempts = JoinSet::new();
    for message in due {
        let claim = app.db.retry(|| deliveries::update_claimed(app.db.writer(), &message, now + CLAIM_TIMEOUT));
        if let Some(message) = claim.await? {
            let (app, endpoint) = (app.clone(), endpoint.clone());
            attempts.spawn(async move { deliver(&app, &endpoint, &message, now).await });
        }
    }
    let sent = attempts.len();
    for result in attempts.join_all().await {
        result?;
    }
    Ok(sent)
}

/// Delivers a claimed message and records the result.
async fn deliver(
    app: &App,
    endpoint: &WebhookEndpoint,
    message: &webhook_delivery::Model,
    now: DateTime<Utc>,
) -> Result<()> {
    let (id, at) = (MessageId::from(message.uid).to_string(), now.timestamp());
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("user-agent", "accountd".to_owned()),
        ("webhook-signature", signature_header(&endpoint.secrets, &id, at, &message.payload)),
        ("webhook-timestamp", at.to_string()),
        ("webhook-id", id.clone()),
    ];
    let failure = match app.http_client.post(&endpoint.url, &headers, message.payload.clone()).await {
        Ok(200..=299) => return app.db.retry(|| deliveries::delete(app.db.writer(), message.id)).await,
        Ok(status) => format!("response status {status}"),
        Err(failure) => failure.to_string(),
    };
    let attempts = message.attempts;
    let wait = usize::try_from(attempts - 1).ok().and_then(|number| RETRY_DELAYS.get(number));
    let next_at = wait.map(|wait| now + *wait);
    match next_at {
        Some(next_at) => tracing::warn!(
            endpoint = endpoint.name,
            message = id,
            attempts,
            failure,
            next_at = %format_time(next_at),
            "webhook delivery failed"
        ),
        None => tracing::error!(endpoint = endpoint.name, message = id, attempts, failure, "webhook delivery given up"),
    }
    app.db.retry(|| deliveries::update_failed(app.db.writer(), message, &failure, next_at, now)).await
}
