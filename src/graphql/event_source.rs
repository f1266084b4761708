//! The event source of subscription resolvers: what one execution of a subscription receives and returns.

use std::sync::Arc;

use async_graphql::Context;
use parking_lot::Mutex;

use super::context::ContextExt;
use crate::account::caller::session_monitor::SessionMonitor;
use crate::account::event::account_events::{self, AccountEventStream, Event};
use crate::error::{Error, Result};

/// Input or output of one execution of the operation.
pub(super) enum RunInput {
    /// Input of the first execution.
    Monitor(Box<SessionMonitor>),
    /// Output of the first execution.
    Stream(Box<AccountEventStream>),
    /// Input of each later execution.
    Event(Box<Event>),
}

/// The event source of subscription resolvers.
pub(super) struct EventSource(Mutex<Option<RunInput>>);

impl EventSource {
    /// The source with the input of an execution.
    pub fn new(input: RunInput) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(input))))
    }

    /// The event source of this execution.
    pub fn of<'a>(ctx: &'a Context<'_>) -> Result<&'a Arc<Self>> {
        ctx.data::<Arc<Self>>().map_err(|_| Error::internal("the GraphQL request has no event source"))
    }

    /// The event of this execution; `None` in the first execution, which opens the event stream.
    pub async fn resolve(&self, ctx: &Context<'_>) -> Result<Option<Event>> {
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

    /// Takes the input or output of the execution.
    pub fn take(&self) -> Option<RunInput> {
        self.0.lock().take()
    }

    fn put(&self, input: RunInput) {
        *self.0.lock() = Some(input);
    }
}

/// GraphQL section 5.2.3.1, single root field.
pub(super) fn single_field_error() -> Error {
    Error::BadUserInput {
        argument: "query",
        problem: "a subscription must select exactly one root field, without @skip or @include".to_owned(),
    }
}
