//! `accountd serve`.

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::account::bootstrap;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::entropy::SystemEntropy;
use crate::{http, start};

/// Serves until SIGTERM or SIGINT, then finishes the requests in flight.
pub(super) async fn run(config: Config) -> Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: finishing the requests in flight");
    };
    let (address, drain) = (config.listen, config.server.drain);
    // The address is taken before anything is made, so that a second server does not touch the first one's database.
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let app = start::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    let router = http::router(app.clone())?;
    let address = listener.local_addr()?;
    tracing::info!("accountd is ready: open http://{address}/graphql in a browser, or send GraphQL there");
    if !bootstrap::has_admin(&app).await.unwrap_or(true) {
        tracing::info!(
            "there is no administrator yet: make one with `accountd admin create NAME` and the same settings"
        );
    }
    http::server::serve(listener, router, stop, drain).await?;
    app.db.close().await?;
    tracing::info!("stopped");
    Ok(())
}
