//! Layers for routes of a program that embeds the service: they let pass who has a role or a permission now.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{Request, Response};
use axum::response::IntoResponse;
use tower::{Layer, Service, ServiceExt};

use super::current_user::current;
use super::error::refused;
use crate::app::App;
use crate::error::Error;

/// What a caller has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Role(Arc<str>),
    Permission(Arc<str>),
}

/// A layer that lets pass who has what is wanted.
#[derive(Clone)]
pub struct Require {
    app: App,
    wanted: Wanted,
}

/// Lets callers pass who have this role at the time of the request; others get 401 or 403.
pub fn require_role(app: &App, name: &str) -> Require {
    Require { app: app.clone(), wanted: Wanted::Role(name.into()) }
}

/// Lets callers pass who have this permission, such as `USERS_READ`, at the time of the request; others get 401 or 403.
pub fn require_permission(app: &App, name: &str) -> Require {
    Require { app: app.clone(), wanted: Wanted::Permission(name.into()) }
}

impl<S> Layer<S> for Require {
    type Service = Required<S>;

    fn layer(&self, inner: S) -> Required<S> {
        Required { require: self.clone(), inner }
    }
}

/// What stands behind the layer.
#[derive(Clone)]
pub struct Required<S> {
    require: Require,
    inner: S,
}

impl<S> Service<Request<Body>> for Required<S>
where
    S: Service<Request<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The inner service is asked when its turn has come.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (Require { app, wanted }, inner) = (self.require.clone(), self.inner.clone());
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let caller = match current(&app, &mut parts).await {
                Ok(caller) => caller,
                Err(answer) => return Ok(*answer),
            };
            let has_it = match &wanted {
                Wanted::Role(name) => caller.has_role(name),
                Wanted::Permission(name) => caller.has_permission(name),
            };
            if !has_it {
                return Ok(refused(&Error::Forbidden, ""));
            }
            inner.oneshot(Request::from_parts(parts, body)).await.map(IntoResponse::into_response)
        })
    }
}
