//! Subscriptions: an operation that begins once and is run for each event, with the caller as of then.
//!
//! The library would keep the context of the first run for as long as the stream lasts, and with it the roles of then.
//! So its streams are short here: the first run checks the operation and opens the source of events, and yields nothing;
//! every later one is given an event and yields the answer to it.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Context, Request, Response, Variables};
use futures_util::StreamExt;

use super::context::{self, Given};
use super::documents::Document;
use super::error::{Failure, without_place};
use super::events::AccountEvent;
use super::face::Face;
use super::response_limit::{ResponseBounds, fit};
use crate::account::events::{self, Watcher};
use crate::account::requester::Vigil;
use crate::app::App;
use crate::error::{Error, Result};

/// What is handed to a run of the operation, or by it.
enum Handed {
    /// To the first run.
    Vigil(Box<Vigil>),
    /// By the first run.
    Watcher(Box<Watcher>),
    /// To each later one.
    Event(Box<AccountEvent>),
}

/// Where events come from, for the resolvers of subscriptions.
pub(super) struct Source(Mutex<Option<Handed>>);

impl Source {
    fn new(handed: Handed) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(handed))))
    }

    /// The source of this run.
    pub fn of<'a>(ctx: &'a Context<'_>) -> Result<&'a Arc<Self>> {
        ctx.data::<Arc<Self>>().map_err(|_| Error::internal("the GraphQL request carries no source of events"))
    }

    /// What this run answers, if it is there to answer something.
    pub async fn run(&self, ctx: &Context<'_>) -> Result<Option<AccountEvent>> {
        match self.take() {
            Some(Handed::Vigil(vigil)) => {
                let watcher = events::watch(ctx.app()?, *vigil).await?;
                self.put(Handed::Watcher(Box::new(watcher)));
                Ok(None)
            }
            Some(Handed::Event(event)) => Ok(Some(*event)),
            Some(Handed::Watcher(_)) | None => Err(one_field()),
        }
    }

    fn take(&self) -> Option<Handed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, handed: Handed) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(handed);
    }
}

/// GraphQL section 5.2.3.1.
fn one_field() -> Error {
    Error::BadUserInput {
        argument: "query",
        problem: "a subscription asks for one field, and does not skip it".to_owned(),
    }
}

/// An operation that goes on.
pub struct Subscription {
    face: Face,
    app: App,
    /// What it asks for, for whoever reads the answer.
    document: ExecutableDocument,
    /// The same for the executor.
    executed: ExecutableDocument,
    name: Option<String>,
    variables: Variables,
    watcher: Box<Watcher>,
}

impl Subscription {
    /// Begins the subscription in `request`, whose document was found within the limits, for whoever keeps the vigil.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub(super) async fn begin(
        face: Face,
        mut request: Request,
        document: Arc<Document>,
        app: &App,
        vigil: Vigil,
    ) -> Result<Self, Response> {
        let name = request.operation_name.take();
        let prepared = face.prepare(&document, name.as_deref(), std::mem::take(&mut request.variables));
        let prepared = prepared.map_err(Response::from_errors)?;
        request.variables = prepared.variables.clone();
        request.set_parsed_query(prepared.executed.clone());
        let (variables, executed) = (prepared.variables, prepared.executed);
        let document = prepared.document.into_owned();
        let requester = vigil.requester();
        let source = Source::new(Handed::Vigil(Box::new(vigil)));
        let request = context::data(request, app, requester).data(Arc::clone(&source));
        let refusals = face.stream(request).flat_map(|response| futures_util::stream::iter(response.errors));
        let refusals: Vec<_> = refusals.collect().await;
        match source.take() {
            Some(Handed::Watcher(watcher)) if refusals.is_empty() => {
                Ok(Self { face, app: app.clone(), document, executed, name, variables, watcher })
            }
            _ if refusals.is_empty() => Err(Response::from_errors(vec![without_place(Failure::from(one_field()))])),
            _ => Err(Response::from_errors(refusals)),
        }
    }

    /// Waits for the next event, and answers the operation for it.
    ///
    /// # Errors
    /// The end; see [`Watcher::next`].
    pub async fn next(&mut self) -> Result<Response> {
        let event = self.watcher.next().await?;
        let requester = self.watcher.requester();
        let event = AccountEvent::new(event, Arc::new(requester.clone()));
        let mut request = Request::new("").variables(self.variables.clone());
        request.set_parsed_query(self.executed.clone());
        let bounds = ResponseBounds::new(&self.app.config.graphql, false);
        let request = context::data(request, &self.app, requester).data(bounds);
        let request = request.data(Source::new(Handed::Event(Box::new(event))));
        let response = self.face.stream(request).next().await;
        let mut response = response.ok_or_else(|| Error::internal("an event came to no answer"))?;
        self.face.complete(&self.document, self.name.as_deref(), &mut response);
        fit(&mut response, self.app.config.graphql.max_response_bytes);
        Ok(response)
    }
}
