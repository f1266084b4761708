//! Subscriptions: the operation is executed once per event, with the caller's current roles.
//!
//! async-graphql keeps the context of the first execution for the whole stream, and with it the roles at that time. So
//! each execution has a short stream of its own: the first one checks the operation, opens the event stream and yields
//! nothing; each later one takes one event and yields its response.

use std::sync::Arc;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, Variables};
use futures_util::StreamExt;

use super::context;
use super::document::Document;
use super::error::{ResolverError, without_location};
use super::event_source::{EventSource, RunInput, single_field_error};
use super::executor::Executor;
use super::limits::response::{ResponseBudget, limit_response_size};
use crate::account::caller::session_monitor::SessionMonitor;
use crate::account::event::account_events::AccountEventStream;
use crate::app::App;
use crate::error::{Error, Result};

/// A running subscription.
pub struct Subscription {
    executor: Executor,
    app: App,
    /// The document, to complete responses.
    document: ExecutableDocument,
    /// The document of the operation alone, to execute.
    executable: ExecutableDocument,
    operation_name: Option<String>,
    variables: Variables,
    stream: Box<AccountEventStream>,
}

impl Executor {
    /// Starts the subscription in `request`, whose `document` has passed [`Self::parse_documents`], for the caller of
    /// `monitor`.
    ///
    /// # Errors
    /// The error response, if the subscription is refused.
    pub async fn subscribe(
        &self,
        request: Request,
        document: Arc<Document>,
        app: &App,
        monitor: SessionMonitor,
    ) -> Result<Subscription, Response> {
        Subscription::start(self.clone(), request, document, app, monitor).await
    }
}

impl Subscription {
    /// Starts the subscription in `request`, whose `document` is within the limits, for the caller of `monitor`.
    ///
    /// # Errors
    /// The error response, if the subscription is refused.
    async fn start(
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
        let (variables, executable) = (prepared.variables, prepared.executable);
        let document = prepared.document.into_owned();
        let requester = monitor.requester();
        let source = EventSource::new(RunInput::Monitor(Box::new(monitor)));
        let request = context::with_request_data(request, app, requester).data(Arc::clone(&source));
        let responses =
            executor.execute_stream(request).flat_map(|response| futures_util::stream::iter(response.errors));
        let errors: Vec<_> = responses.collect().await;
        match source.take() {
            Some(RunInput::Stream(stream)) if errors.is_empty() => {
                Ok(Self { executor, app: app.clone(), document, executable, operation_name, variables, stream })
            }
            _ if errors.is_empty() => {
                Err(Response::from_errors(vec![without_location(ResolverError::from(single_field_error()))]))
            }
            _ => Err(Response::from_errors(errors)),
        }
    }

    /// Waits for the next event and returns the operation's response to it.
    ///
    /// # Errors
    /// The end of the event stream; see its `next`.
    pub async fn next(&mut self) -> Result<Response> {
        let event = self.stream.next().await?;
        let requester = self.stream.requester();
        let mut request = Request::new("").variables(self.variables.clone());
        request.set_parsed_query(self.executable.clone());
        let budget = ResponseBudget::new(&self.app.config.graphql);
        let request = context::with_request_data(request, &self.app, requester).data(budget);
        let request = request.data(EventSource::new(RunInput::Event(Box::new(event))));
        let response = self.executor.execute_stream(request).next().await;
        let mut response =
            response.ok_or_else(|| Error::internal("the subscription yielded no response to an event"))?;
        self.executor.propagate_nulls(&self.document, self.operation_name.as_deref(), &mut response);
        limit_response_size(&mut response, self.app.config.graphql.max_response_bytes);
        Ok(response)
    }
}
