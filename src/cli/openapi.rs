//! `accountd openapi`: prints the OpenAPI document.

use std::io::Write;

use anyhow::Result;

use crate::config::{Config, Flags};
use crate::http::openapi;

/// Prints the document to standard output.
pub(super) fn run() -> Result<()> {
    let defaults = Config::load(Flags::default(), [])?;
    std::io::stdout().write_all(openapi::document(&defaults.rest)?.as_bytes())?;
    Ok(())
}
