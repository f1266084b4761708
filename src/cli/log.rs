//! The log: lines on standard error, for people or for machines.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::thread;

use anyhow::{Context, Result};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};
use crate::database::SILENCED_TARGETS;

/// Starts writing the log.
///
/// # Errors
/// When the filter cannot be read or a log was started before.
pub(super) fn init(settings: &Log) -> Result<()> {
    let mut filter = EnvFilter::try_new(&settings.filter).context("log.filter cannot be read")?;
    for target in SILENCED_TARGETS {
        filter = filter.add_directive(target.parse().context("a directive of our own cannot be read")?);
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match settings.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
    }
    .map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// One line for a panic instead of a stack trace: strangers may be able to cause a panic of a library as often as they
/// like.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let message = panic_message(thread.name().unwrap_or_default(), panic.payload_as_str());
    tracing::error!(thread = thread.name(), place, "panic: {message}");
}

/// What a log may say about a panic. On hashing threads the message may quote a password.
fn panic_message<'a>(thread: &str, message: Option<&'a str>) -> &'a str {
    match message {
        Some(_) if thread.starts_with("hash-") => "its message is left out: it may quote a password",
        Some(message) => message.lines().next().unwrap_or_default(),
        None => "without a message",
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
