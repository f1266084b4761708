//! An axum application with accounts: it nests accountd's router, protects its own routes and receives an event for
//! each new user.
//!
//! Run it with `ACCOUNTD_LISTEN=127.0.0.1:8081 cargo run --example embedded`; it reads accountd's settings.

use std::net::SocketAddr;
use std::sync::Arc;

use accountd::clock::SystemClock;
use accountd::config::{Config, Flags};
use accountd::entropy::SystemEntropy;
use accountd::{App, CurrentUser, background, require_role};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let environment = std::env::vars_os();
    let environment =
        environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let config = Config::load(Flags::default(), environment)?;
    let listener = TcpListener::bind(config.listen.to_string()).await?;
    let accounts = accountd::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    accounts.hooks.on_user_created(async |user| println!("welcome, {}", user.username));
    tokio::spawn(background(accounts.clone()));
    // Limits per address need the peer address.
    let service = router(accounts)?.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

/// The application's routes, and accountd's under `/accounts`.
pub fn router(accounts: App) -> anyhow::Result<Router> {
    Ok(Router::new()
        .route("/", get(welcome))
        .route("/notes", get(notes))
        .route("/report", get(report).layer(require_role(&accounts, "admin")))
        .nest("/accounts", accountd::router(accounts.clone())?)
        .with_state(accounts))
}

/// Public.
async fn welcome(user: Option<CurrentUser>) -> String {
    user.map_or("sign in at /accounts/graphql".to_owned(), |user| format!("hello, {}", user.username()))
}

/// For authenticated users; others get 401.
async fn notes(user: CurrentUser) -> Json<Value> {
    Json(json!({ "of": user.username(), "notes": [] }))
}

/// For administrators: the layer rejects other users with 403.
async fn report() -> &'static str {
    "all is well"
}
