//! Subscriptions: an operation that begins once and is run for each event, with the caller as of then.
//!
//! The library would keep the context of the first run for as long as the stream lasts, and with it the roles of then.
//! So its streams are short here: the first run checks the operation and opens the source of events, and yields nothing;
//! every later one is given an event and yields the answer to it.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Context, Request, Response, Variables};
use futures_util::StreamExt;

use super::account_events::AccountEvent;
use super::context::{self, ContextExt};
use super::document::Document;
use super::error::{ResolverError, without_location};
use super::executor::Executor;
use super::limits::response::{ResponseBudget, limit_response_size};
use crate::account::caller::session_monitor::SessionMonitor;
use crate::account::event::account_events::{self, AccountEventStream};
use crate::app::App;
use crate::error::{Error, Result};

/// What is handed to a run of the operation, or by it.
enum RunInput {
    /// To the first run.
    Monitor(Box<SessionMonitor>),
    /// By the first run.
    Stream(Box<AccountEventStream>),
    /// To each later one.
    Event(Box<AccountEvent>),
}

/// Where events come from, for the resolvers of subscriptions.
pub(super) struct EventSource(Mutex<Option<RunInput>>);

impl EventSource {
    fn new(handed: RunInput) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(handed))))
    }

    /// The source of this run.
    pub fn of<'a>(ctx: &'a Context<'_>) -> Result<&'a Arc<Self>> {
        ctx.data::<Arc<Self>>().map_err(|_| Error::internal("the GraphQL request carries no source of events"))
    }

    /// What this run answers, if it is there to answer something.
    pub async fn resolve(&self, ctx: &Context<'_>) -> Result<Option<AccountEvent>> {
        match self.take() {
            Some(RunInput::Monitor(monitor)) => {
                let stream = account_events::subscribe(ctx.app()?, *monitor).await?;
                self.put(RunInput::Stream(Box::new(stream)));
                Ok(None)
            }
            Some(RunInput::Event(event)) => Ok(Some(*event)),
            Some(RunInput::Stream(_)) | None => Err(single_field_error()),
        }
    }

    fn take(&self) -> Option<RunInput> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, input: RunInput) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(input);
    }
}

/// GraphQL section 5.2.3.1.
fn single_field_error() -> Error {
    Error::BadUserInput {
        argument: "query",
        problem: "a subscription asks for one field, and does not skip it".to_owned(),
    }
}

/// An operation that goes on.
pub struct Subscription {
    executor: Executor,
    app: App,
    /// What it asks for, for whoever reads the answer.
    document: ExecutableDocument,
    /// The same for the executor.
    executable: ExecutableDocument,
    operation_name: Option<String>,
    variables: Variables,
    stream: Box<AccountEventStream>,
}

impl Subscription {
    /// Begins the subscription in `request`, whose document was found within the limits, for whoever keeps the vigil.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub(super) async fn start(
        executor: Executor,
        mut request: Request,
        document: Arc<Document>,
        app: &App,
        monitor: SessionMonitor,
    ) -> Result<Self, Response> {
        let operation_name = request.operation_name.take();
        let prepared = executor.prepare(&document, operation_name.as_deref(), std::mem::take(&mut request.variables));
        let prepared = prepared.map_err(Response::from_errors)?;
        request.variables = prepared.variables.clone();
        request.set_parsed_query(prepared.executable.clone());
        let (variables, executed) = (prepared.variables, prepared.executable);
        let document = prepared.document.into_owned();
        let requester = monitor.requester();
        let source = EventSource::new(RunInput::Monitor(Box::new(monitor)));
        let request = context::with_request_data(request, app, requester).data(Arc::clone(&source));
        let responses =
            executor.execute_stream(request).flat_map(|response| futures_util::stream::iter(response.errors));
        let errors: Vec<_> = responses.collect().await;
        match source.take() {
            Some(RunInput::Stream(stream)) if errors.is_empty() => Ok(Self {
                executor,
                app: app.clone(),
                document,
                executable: executed,
                operation_name,
                variables,
                stream,
            }),
            _ if errors.is_empty() => {
                Err(Response::from_errors(vec![without_location(ResolverError::from(single_field_error()))]))
            }
            _ => Err(Response::from_errors(errors)),
        }
    }

    /// Waits for the next event, and answers the operation for it.
    ///
    /// # Errors
    /// The end; see [`Watcher::next`].
    pub async fn next(&mut self) -> Result<Response> {
        let event = self.stream.next().await?;
        let requester = self.stream.requester();
        let event = AccountEvent::new(event, Arc::new(requester.clone()));
        let mut request = Request::new("").variables(self.variables.clone());
        request.set_parsed_query(self.executable.clone());
        let bounds = ResponseBudget::new(&self.app.config.graphql, false);
        let request = context::with_request_data(request, &self.app, requester).data(bounds);
        let request = request.data(EventSource::new(RunInput::Event(Box::new(event))));
        let response = self.executor.execute_stream(request).next().await;
        let mut response = response.ok_or_else(|| Error::internal("an event came to no answer"))?;
        self.executor.propagate_nulls(&self.document, self.operation_name.as_deref(), &mut response);
        limit_response_size(&mut response, self.app.config.graphql.max_response_bytes);
        Ok(response)
    }
}
