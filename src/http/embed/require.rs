//! Layers for routes of an embedding application: they require a role or a permission.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{Request, Response};
use axum::response::IntoResponse;
use tower::{Layer, Service, ServiceExt};

use super::current_user::authenticate;
use super::rejection::rejection;
use crate::app::App;
use crate::error::Error;

/// The requirement on a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    Role(Arc<str>),
    Permission(Arc<str>),
}

/// A layer that rejects callers without the required role or permission.
#[derive(Clone)]
pub struct RequireLayer {
    app: App,
    requirement: Requirement,
}

/// Requires this role at the time of the request; other callers get 401 or 403.
pub fn require_role(app: &App, name: &str) -> RequireLayer {
    RequireLayer { app: app.clone(), requirement: Requirement::Role(name.into()) }
}

/// Requires this permission, such as `USERS_READ`, at the time of the request; other callers get 401 or 403.
pub fn require_permission(app: &App, name: &str) -> RequireLayer {
    RequireLayer { app: app.clone(), requirement: Requirement::Permission(name.into()) }
}

impl<S> Layer<S> for RequireLayer {
    type Service = RequireService<S>;

    fn layer(&self, inner: S) -> RequireService<S> {
        RequireService { layer: self.clone(), inner }
    }
}

/// The service that [`RequireLayer`] makes.
#[derive(Clone)]
pub struct RequireService<S> {
    layer: RequireLayer,
    inner: S,
}

impl<S> Service<Request<Body>> for RequireService<S>
where
    S: Service<Request<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // `oneshot` polls the inner service for readiness.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (RequireLayer { app, requirement }, inner) = (self.layer.clone(), self.inner.clone());
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let caller = match authenticate(&app, &mut parts).await {
                Ok(caller) => caller,
                Err(response) => return Ok(*response),
            };
            let is_allowed = match &requirement {
                Requirement::Role(name) => caller.has_role(name),
                Requirement::Permission(name) => caller.has_permission(name),
            };
            if !is_allowed {
                return Ok(rejection(&Error::Forbidden, ""));
            }
            inner.oneshot(Request::from_parts(parts, body)).await.map(IntoResponse::into_response)
        })
    }
}
