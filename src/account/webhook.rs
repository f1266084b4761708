//! Webhooks: others are told of what happened to accounts, at least once each.
//!
//! A message is a row that is written in the transaction that makes it true. Any node sends it, one at a time; it is
//! sent again, later and later, until somebody takes it or nobody does for days.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use entity::webhook_delivery;
use sea_orm::{ConnectionTrait, Set};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::id::{MessageId, SessionId, UserId};
use super::retention;
use super::session::reason_name;
use super::transaction::Fact;
use crate::app::App;
use crate::config::{Endpoint, Event};
use crate::error::Result;
use crate::hooks::User;
use crate::security::signature::signature;
use crate::store::webhook_deliveries as deliveries;

/// The waits after each attempt that came to nothing; after the last one nobody is asked any more (Standard Webhooks
/// 1.0, section "Retries").
const WAITS: [TimeDelta; 9] = [
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

/// When an attempt is taken for lost with the node that made it; an attempt takes seconds.
const LOST: TimeDelta = TimeDelta::minutes(1);

/// Messages that are sent to one endpoint at a time.
const AT_A_TIME: u64 = 8;

/// How long messages are kept that nobody took.
const KEPT: TimeDelta = TimeDelta::days(30);

/// How often is looked for messages that other nodes have left, and for those whose time has come.
const LOOK: Duration = Duration::from_secs(1);

/// How often old messages are thrown away.
const TIDY: Duration = Duration::from_secs(3_600);

/// A point in time as messages tell it.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Writes a message of each fact for each endpoint that wants it; tells whether there are any. `news` are the accounts of
/// the facts.
pub(super) async fn write(
    tx: &impl ConnectionTrait,
    app: &App,
    facts: &[Fact],
    news: &[Option<User>],
    now: DateTime<Utc>,
) -> Result<bool> {
    let mut rows = Vec::new();
    for (fact, user) in facts.iter().zip(news) {
        if app.config.webhooks.endpoints.is_empty() {
            break;
        }
        let uid = app.entropy.uuid(now);
        let (event, data) = told(fact, user.as_ref(), now);
        let payload = json!({ "type": event.name(), "timestamp": time(now), "data": data }).to_string();
        let wanting = app.config.webhooks.endpoints.iter().filter(|endpoint| endpoint.events.contains(&event));
        rows.extend(wanting.map(|endpoint| webhook_delivery::ActiveModel {
            uid: Set(uid),
            endpoint: Set(endpoint.name.clone()),
            payload: Set(payload.clone()),
            created_at: Set(now.into()),
            due_at: Set(now.into()),
            attempts: Set(0),
            failure: Set(None),
            given_up_at: Set(None),
            ..Default::default()
        }));
    }
    let are_there = !rows.is_empty();
    deliveries::insert(tx, rows).await?;
    Ok(are_there)
}

fn told(fact: &Fact, user: Option<&User>, now: DateTime<Utc>) -> (Event, Value) {
    match fact {
        Fact::Created(_) => (Event::UserCreated, json!({ "user": user })),
        Fact::Updated(_) => (Event::UserUpdated, json!({ "user": user })),
        Fact::Deleted(_) => (Event::UserDeleted, json!({ "user": user })),
        Fact::Ended(owner, session, reason) => {
            let session = json!({
                "id": SessionId::from(session.uid).to_string(),
                "userId": UserId::from(owner.uid).to_string(),
                "reason": reason_name(*reason),
                "endedAt": time(now),
            });
            (Event::SessionEnded, json!({ "session": session }))
        }
    }
}

/// Sends what is due, to each endpoint by itself, for as long as it is polled.
pub async fn run(app: App) {
    let mut endpoints = JoinSet::new();
    for endpoint in app.config.webhooks.endpoints.clone() {
        let app = app.clone();
        endpoints.spawn(async move { send_always(&app, &endpoint).await });
    }
    // None of them ends.
    endpoints.join_all().await;
}

async fn send_always(app: &App, endpoint: &Endpoint) {
    let mut rung = app.webhooks_due.subscribe();
    let mut tidied: Option<Instant> = None;
    loop {
        rung.mark_unchanged();
        match send_due_to(app, endpoint).await {
            // There may be more.
            Ok(sent) if sent > 0 => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(endpoint.name, cause = format!("{error:#}"), "messages to webhooks wait"),
        }
        if tidied.is_none_or(|last| last.elapsed() >= TIDY) {
            tidied = Some(Instant::now());
            if let Err(error) = tidy(app).await {
                tracing::warn!(cause = format!("{error:#}"), "old messages to webhooks stay");
            }
        }
        tokio::select! {
            _ = rung.changed() => {}
            () = sleep(LOOK) => {}
        }
    }
}

/// Deletes messages past their retention, by [`retention::reached`]: a clock that runs ahead deletes none too early.
async fn tidy(app: &App) -> Result<()> {
    let old = retention::reached(app).await? - KEPT;
    app.db.retry(|| deliveries::delete_older(app.db.writer(), old)).await
}

/// Sends what is due now, once, and waits for what comes of it; tells how many messages were sent.
///
/// # Errors
/// Internal ones only: that somebody does not take a message is none.
pub async fn send_due(app: &App) -> Result<usize> {
    let mut sent = 0;
    for endpoint in &app.config.webhooks.endpoints {
        sent += send_due_to(app, endpoint).await?;
    }
    Ok(sent)
}

async fn send_due_to(app: &App, endpoint: &Endpoint) -> Result<usize> {
    // A node whose clock runs ahead uses up no attempts too early, and puts off none.
    let now = retention::reached(app).await?;
    let due = deliveries::list_due(app.db.reader(), &endpoint.name, now, AT_A_TIME).await?;
    let mut attempts = JoinSet::new();
    for message in due {
        if app.db.retry(|| deliveries::update_claimed(app.db.writer(), &message, now + LOST)).await? {
            let (app, endpoint) = (app.clone(), endpoint.clone());
            attempts.spawn(async move { attempt(&app, &endpoint, &message, now).await });
        }
    }
    let sent = attempts.len();
    for result in attempts.join_all().await {
        result?;
    }
    Ok(sent)
}

/// Sends a message that was claimed, and notes what came of it.
async fn attempt(app: &App, endpoint: &Endpoint, message: &webhook_delivery::Model, now: DateTime<Utc>) -> Result<()> {
    let (id, at) = (MessageId::from(message.uid).to_string(), now.timestamp());
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("user-agent", "accountd".to_owned()),
        ("webhook-signature", signature(&endpoint.secrets, &id, at, &message.payload)),
        ("webhook-timestamp", at.to_string()),
        ("webhook-id", id.clone()),
    ];
    let failure = match app.outgoing.post(&endpoint.url, &headers, message.payload.clone()).await {
        Ok(200..=299) => return app.db.retry(|| deliveries::delete(app.db.writer(), message.id)).await,
        Ok(status) => format!("the answer was {status}"),
        Err(failure) => failure.to_string(),
    };
    let attempts = message.attempts + 1;
    let wait = usize::try_from(message.attempts).ok().and_then(|number| WAITS.get(number));
    let next_at = wait.map(|wait| now + *wait);
    match next_at {
        Some(next_at) => tracing::warn!(
            endpoint = endpoint.name, message = id, attempts, failure, next_at = %time(next_at), "a webhook failed"
        ),
        None => tracing::error!(endpoint = endpoint.name, message = id, attempts, failure, "a webhook was given up"),
    }
    let count = (message.id, attempts);
    app.db.retry(|| deliveries::update_failed(app.db.writer(), count, &failure, next_at, now)).await
}
