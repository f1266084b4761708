//! One socket from its greeting to its end.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Response as GraphQlResponse, ServerError};
use axum::extract::ws::WebSocket;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::close::Close;
use super::line::Line;
use super::message::{self, Heard};
use crate::account::requester::{Credentials, Visitor};
use crate::app::App;
use crate::error::{Error, TokenFault};
use crate::graphql::error::{Failure, polish, without_place};
use crate::http::authorization;
use crate::http::endpoint::{Endpoint, Parameters, note_end};
use crate::http::server::Stop;

/// How long subscriptions have to tell that the session is over, before the socket is closed for that: a part of the
/// second within which it has to be.
const LAST_WORDS: Duration = Duration::from_millis(400);

/// Answers that wait for their turn on the socket.
const WAITING: usize = 4;

/// Speaks with the client until one of the two has enough.
pub(super) async fn hold(socket: WebSocket, app: App, endpoint: Arc<Endpoint>, visitor: Visitor, mut stop: Stop) {
    let begun = Instant::now();
    let request_id = visitor.client.request_id.clone();
    let mut line = Line::new(socket, app.config.server.deadlines.write);
    let close = tokio::select! {
        biased;
        () = stop.begins() => Close::Stopping,
        close = converse(&mut line, &app, &endpoint, visitor) => close,
    };
    tracing::info!(
        request.id = request_id,
        end = ?close,
        duration_ms = begun.elapsed().as_secs_f64() * 1_000.0,
        "socket closed"
    );
    line.close(close).await;
}

async fn converse(line: &mut Line, app: &App, endpoint: &Arc<Endpoint>, mut visitor: Visitor) -> Close {
    let greeted = timeout(app.config.server.deadlines.init, greeting(line)).await.unwrap_or(Err(Close::Late));
    match greeted {
        Ok(payload) => present(&mut visitor, &payload),
        Err(close) => return close,
    }
    let request_id = visitor.client.request_id.clone();
    let mut vigil = match visitor.clone().stay(app).await {
        Ok(vigil) => vigil,
        Err(error) => {
            note_end(&error, &request_id);
            return Close::of(&error);
        }
    };
    let Some(_seat) = app.streams.take_socket(vigil.user_id()) else { return Close::TooMany };
    if let Err(close) = line.say(message::ack()).await {
        return close;
    }
    let (sender, mut told) = mpsc::channel(WAITING);
    let mut talk = Talk {
        app: app.clone(),
        endpoint: Arc::clone(endpoint),
        visitor,
        running: JoinSet::new(),
        subscriptions: HashMap::new(),
        count: 0,
        sender,
    };
    let deadlines = &app.config.server.deadlines;
    let mut is_over = pin!(vigil.is_over());
    let mut last_words: Option<(Instant, Close)> = None;
    let (mut heard_at, mut is_asked, mut used_at) = (Instant::now(), false, Instant::now());
    loop {
        if !talk.subscriptions.is_empty() {
            used_at = Instant::now();
        }
        if let Some((_, close)) = last_words
            && talk.subscriptions.is_empty()
        {
            return close;
        }
        let silent = heard_at + if is_asked { deadlines.ping * 2 } else { deadlines.ping };
        let done = tokio::select! {
            biased;
            error = &mut is_over, if last_words.is_none() => {
                note_end(&error, &request_id);
                match Close::of(&error) {
                    // The event that says so shall come first.
                    Close::Unauthorized => {
                        last_words = Some((Instant::now() + LAST_WORDS, Close::Unauthorized));
                        Ok(())
                    }
                    close => Err(close),
                }
            }
            close = ends(last_words) => Err(close),
            Some(told) = told.recv() => talk.pass_on(line, told).await,
            Some(done) = talk.running.join_next() => match done {
                Err(error) if error.is_panic() => Err(Close::TryAgain),
                // Those that the client has ended were aborted.
                Ok(()) | Err(_) => Ok(()),
            },
            heard = line.hear() => {
                (heard_at, is_asked) = (Instant::now(), false);
                match heard {
                    Ok(Some(heard)) => talk.answer(line, heard).await,
                    Ok(None) => Ok(()),
                    Err(close) => Err(close),
                }
            }
            () = sleep_until(silent) => {
                if is_asked { Err(Close::Gone) } else { is_asked = true; line.ping().await }
            }
            () = sleep_until(used_at + deadlines.idle), if talk.subscriptions.is_empty() => Err(Close::Idle),
        };
        if let Err(close) = done {
            return close;
        }
    }
}

async fn ends(last_words: Option<(Instant, Close)>) -> Close {
    match last_words {
        Some((until, close)) => {
            sleep_until(until).await;
            close
        }
        None => pending().await,
    }
}

/// Waits for the client to introduce itself, and gives what it says.
async fn greeting(line: &mut Line) -> Result<Value, Close> {
    loop {
        match line.hear().await? {
            Some(Heard::Init(payload)) => return Ok(payload),
            Some(Heard::Ping(payload)) => line.say(message::pong(payload)).await?,
            Some(Heard::Pong) | None => {}
            Some(Heard::Subscribe(..) | Heard::Complete(_)) => return Err(Close::Unauthorized),
        }
    }
}

/// Takes the credentials of the greeting for those of the visitor, unless there are none in it. Browsers cannot send a
/// header with a WebSocket.
fn present(visitor: &mut Visitor, payload: &Value) {
    let credentials = match presented(payload) {
        None => Credentials::None,
        Some(Value::String(text)) => authorization::read(text),
        Some(_) => Credentials::Malformed,
    };
    // `token` is the token alone.
    let credentials = match (credentials, payload.get("token")) {
        (Credentials::None, Some(Value::String(text))) if text.contains(' ') => authorization::read(text),
        (Credentials::None, Some(Value::String(text))) => authorization::read(&format!("Bearer {text}")),
        (Credentials::None, Some(token)) if !token.is_null() => Credentials::Malformed,
        (credentials, _) => credentials,
    };
    if !matches!(credentials, Credentials::None) {
        visitor.credentials = credentials;
    }
}

/// The value of an `Authorization` header in the greeting: a member of it, as graphql-ws shows, or of its `headers`, as
/// Apollo's and urql's older examples do.
fn presented(payload: &Value) -> Option<&Value> {
    let headers = payload.get("headers");
    let members = [Some(payload), headers].into_iter().flatten();
    let mut values = members.flat_map(|one| [one.get("authorization"), one.get("Authorization")]).flatten();
    values.find(|value| !value.is_null())
}

/// What a subscription has to say; `number` tells it from an earlier one with the same id.
struct Told {
    id: String,
    number: u64,
    what: What,
}

enum What {
    Next(GraphQlResponse),
    Refused(Vec<ServerError>),
    Ended(Error),
}

/// Ends a subscription when it is dropped.
struct Running {
    number: u64,
    task: AbortHandle,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The subscriptions of a socket.
struct Talk {
    app: App,
    endpoint: Arc<Endpoint>,
    visitor: Visitor,
    running: JoinSet<()>,
    subscriptions: HashMap<String, Running>,
    count: u64,
    sender: mpsc::Sender<Told>,
}

impl Talk {
    async fn answer(&mut self, line: &mut Line, heard: Heard) -> Result<(), Close> {
        match heard {
            Heard::Init(_) => Err(Close::Again),
            Heard::Ping(payload) => line.say(message::pong(payload)).await,
            Heard::Pong => Ok(()),
            Heard::Complete(id) => {
                self.subscriptions.remove(&id);
                Ok(())
            }
            Heard::Subscribe(id, parameters) => self.subscribe(line, id, *parameters).await,
        }
    }

    async fn subscribe(
        &mut self,
        line: &mut Line,
        id: String,
        parameters: Result<Parameters, String>,
    ) -> Result<(), Close> {
        let most = self.app.config.graphql.max_subscriptions_per_user;
        let is_full = self.subscriptions.len() >= most;
        let Entry::Vacant(place) = self.subscriptions.entry(id) else { return Err(Close::Duplicate) };
        let Ok(parameters) = parameters else { return Err(Close::BadMessage) };
        if is_full {
            return line.say(message::error(place.key(), &errors(Error::TooManySubscriptions { most }))).await;
        }
        self.count += 1;
        let (number, id, sender) = (self.count, place.key().clone(), self.sender.clone());
        let (app, endpoint, visitor) = (self.app.clone(), Arc::clone(&self.endpoint), self.visitor.clone());
        let task = self.running.spawn(async move {
            let told = |what| sender.send(Told { id: id.clone(), number, what });
            let request_id = visitor.client.request_id.clone();
            let last = match endpoint.subscribe(&app, visitor, parameters).await {
                Ok(mut subscription) => loop {
                    match subscription.next().await {
                        Ok(mut response) => {
                            polish(&mut response, &request_id);
                            if told(What::Next(response)).await.is_err() {
                                return;
                            }
                        }
                        Err(error) => break What::Ended(error),
                    }
                },
                Err(response) => What::Refused(response.errors),
            };
            told(last).await.ok();
        });
        place.insert(Running { number, task });
        Ok(())
    }

    /// Says what a subscription has to say, unless the client has ended it.
    async fn pass_on(&mut self, line: &mut Line, Told { id, number, what }: Told) -> Result<(), Close> {
        if self.subscriptions.get(&id).is_none_or(|running| running.number != number) {
            return Ok(());
        }
        let text = match what {
            What::Next(response) => return line.say(message::next(&id, &response)).await,
            What::Refused(refusals) => message::error(&id, &refusals),
            // It was told as the last event.
            What::Ended(Error::Unauthenticated(TokenFault::SessionEnded)) => message::complete(&id),
            What::Ended(error @ (Error::Forbidden | Error::PasswordChangeRequired)) => {
                message::error(&id, &errors(error))
            }
            What::Ended(error) => {
                note_end(&error, &self.visitor.client.request_id);
                return Err(Close::of(&error));
            }
        };
        self.subscriptions.remove(&id);
        line.say(text).await
    }
}

fn errors(error: Error) -> Vec<ServerError> {
    vec![without_place(Failure::from(error))]
}
