//! The log on standard error, as text or JSON.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::thread;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};
use crate::database::SILENCED_TARGETS;

/// Installs the log subscriber and the panic hook.
///
/// # Errors
/// The filter is invalid, or a subscriber is installed already.
pub(super) fn init(settings: &Log) -> Result<()> {
    let mut filter = EnvFilter::try_new(&settings.filter).context("log.filter is invalid")?;
    for target in SILENCED_TARGETS {
        filter = filter.add_directive(target.parse().context("a built-in directive is invalid")?);
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match settings.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
    }
    .map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Logs a panic as one line instead of a stack trace: clients may be able to trigger a library's panic at will.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic_message(thread.name().unwrap_or_default(), panic.payload_as_str());
    tracing::error!(thread = thread.name(), place, "panic: {message}");
}

/// The part of a panic message that may be logged. On hashing threads the message may quote a password.
fn panic_message<'a>(thread: &str, message: Option<&'a str>) -> &'a str {
    match message {
        Some(_) if thread.starts_with("hash-") => "message omitted: it may quote a password",
        Some(message) => message.lines().next().unwrap_or_default(),
        None => "no message",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_log_has_one_line_and_no_password() {
        assert_eq!(panic_message("tokio-rt-worker", Some("no\nstack\ntrace")), "no");
        assert!(!panic_message("hash-0", Some("byte index 1 is not a char boundary of `secret`")).contains("secret"));
    }
}
