//! `accountd schema`: prints the GraphQL schema.

use std::io::Write;

use anyhow::Result;

use crate::graphql;

/// Prints the schema to standard output.
pub(super) fn run() -> Result<()> {
    std::io::stdout().write_all(graphql::sdl().as_bytes())?;
    Ok(())
}
