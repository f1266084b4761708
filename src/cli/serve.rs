//! `accountd serve`: runs the server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::account::event::failure_audit;
use crate::account::operator::bootstrap;
use crate::clock::SystemClock;
use crate::config::{Config, ListenAddress};
use crate::entropy::SystemEntropy;
use crate::http::server::{Listener, descriptors, serve};
use crate::{http, startup};

/// Serves until SIGTERM or SIGINT, then drains in-flight requests; a second signal aborts them.
pub(super) async fn run(mut config: Config) -> Result<ExitCode> {
    crate::http::route_conflicts::check(&config.rest)?;
    let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
    cancel_by_signal(stop.clone(), abort.clone())?;
    // Bind before opening the database, so that a second server does not touch the first one's database.
    let listener =
        Listener::bind(&config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    if !config.service_variables.is_empty() {
        let variables = config.service_variables.join(" ");
        tracing::warn!(
            variables,
            "ignoring variables that Kubernetes sets for services with our prefix (set enableServiceLinks: false to \
             remove them)"
        );
    }
    let max_connections = descriptors::raise_file_limit(config.server.max_connections);
    if max_connections < config.server.max_connections {
        tracing::warn!(
            "open file limit (ulimit -n) too low: at most {max_connections} connections instead of {}",
            config.server.max_connections
        );
        config.server.max_connections = max_connections;
    }
    let app = startup::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
    let router = http::router(app.clone())?;
    let app_at_stop = app.clone();
    let stop = async move {
        stop.cancelled().await;
        // Long-poll clients get their response and close.
        app_at_stop.revocation_list.close();
    };
    match listener.address()? {
        ListenAddress::Tcp(address) if app.config.server.trusted_proxies.is_empty() => {
            let place = browser_url(address);
            tracing::info!("accountd is ready: open {place} in a browser, or send GraphQL to {place}/graphql");
        }
        place => tracing::info!("accountd is ready: forward requests from a proxy to {place}"),
    }
    if !bootstrap::has_admin(&app).await.unwrap_or(true) {
        tracing::info!("no administrator yet: create one with `accountd admin create NAME` and the same settings");
    }
    let (jobs, stop_jobs) = (TaskTracker::new(), CancellationToken::new());
    jobs.spawn(stop_jobs.clone().run_until_cancelled_owned(startup::background(app.clone())));
    serve(listener, router, &app.config.server, stop, abort.cancelled_owned()).await;
    // Unfinished work is repeated by the next process.
    stop_jobs.cancel();
    jobs.close();
    jobs.wait().await;
    if let Err(error) = failure_audit::flush(&app).await {
        tracing::warn!(%error, "cannot record counted failures");
    }
    app.db.close().await?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// The address for a browser: development pages are of the site `localhost`, and cookies are for one site.
fn browser_url(address: SocketAddr) -> String {
    let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    match here.contains(&address.ip()) || address.ip().is_unspecified() {
        true => format!("http://localhost:{}", address.port()),
        false => format!("http://{address}"),
    }
}

/// Cancels `stop` at the first stop signal and `abort` at the second.
fn cancel_by_signal(stop: CancellationToken, abort: CancellationToken) -> Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping: draining in-flight requests; another signal aborts them");
            if stop.is_cancelled() {
                abort.cancel();
            }
            stop.cancel();
        }
    });
    Ok(())
}
