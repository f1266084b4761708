//! `accountd import`: imports users from another service.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::operator_error::operator_error;
use crate::account::import::{self, Escape, Quote, Report};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Flags};
use crate::entropy::SystemEntropy;
use crate::startup;

mod format;
mod report;
mod source;

use format::Format;
use report::{progress_bar, render_report};
use source::{read_source, redacted_source};

/// Exit code if some rows were not imported.
const EXIT_ROWS_REFUSED: u8 = 3;

/// Arguments of `import`.
#[derive(Args)]
pub(super) struct Import {
    #[command(flatten)]
    pub flags: Flags,
    /// The format of the file.
    #[arg(value_parser = PossibleValuesParser::new(Format::possible_values()).map(|name| Format::named(&name)))]
    format: Format,
    /// The file, or `-` for standard input; for user-api also the URL of its database, or `-` to read the URL.
    source: String,
    /// The roles of flask-auth-service-mongo, exported like its users.
    #[arg(long, value_name = "FILE")]
    roles: Option<PathBuf>,
    /// The cell separator of a CSV file: one character, or `tab`; detected from the first line by default.
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// The columns of a CSV file without a header line, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// Whether double quotes enclose the cells of a CSV file; by default they do, except between tabs.
    #[arg(long, value_name = "QUOTE", value_parser = PossibleValuesParser::new(["double", "none"]).map(quote))]
    quote: Option<Quote>,
    /// Whether backslashes in a CSV file escape the next character, as in MySQL's files; by default they do where a
    /// cell is `\N`.
    #[arg(long, value_name = "ESCAPE", value_parser = PossibleValuesParser::new(["backslash", "none"]).map(escape))]
    escape: Option<Escape>,
    /// Maps a column of a CSV file or a field of JSON Lines to a field, like `passwordHash=password_hash`; an empty
    /// right side skips it. Repeatable.
    #[arg(long, value_name = "NAME=FIELD")]
    map: Vec<String>,
    /// Change nothing, and report what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Omits the source, which may be a URL with a password.
impl fmt::Debug for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import")
            .field("format", &self.format.name())
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

/// Imports, with or without a running server on the database.
pub(super) async fn run(config: Config, arguments: Import) -> Result<ExitCode> {
    let source =
        read_source(&arguments).await.with_context(|| format!("cannot read {}", redacted_source(&arguments)))?;
    let bar = progress_bar(source.rows.len())?;
    let progress = |rows: usize| bar.inc(u64::try_from(rows).unwrap_or_default());
    let mut report = Report::default();
    let name = arguments.format.source_format();
    let outcome = if arguments.dry_run {
        let db = startup::open_read_only(&config).await?;
        let reader = db.as_ref().map(|db| db.reader());
        let done = import::dry_run(reader, name, source, SystemClock.now(), &mut report, progress).await;
        if let Some(db) = db {
            db.close().await?;
        }
        done
    } else {
        let app = startup::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
        let done = import::run(&app, name, source, &mut report, progress).await;
        app.db.close().await?;
        done
    };
    bar.finish_and_clear();
    let report_written = std::io::stdout().write_all(render_report(&report, arguments.dry_run).as_bytes());
    outcome.map_err(operator_error).context("the import was interrupted: repeat it to continue")?;
    report_written.context("the import is complete, but its report could not be written")?;
    Ok(if report.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_ROWS_REFUSED) })
}

/// Parses one ASCII character.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if matches!(text, "tab" | "\\t") => Ok(b'\t'),
        &[one] if !matches!(one, b'"' | b'\n' | b'\r') => Ok(one),
        _ => Err("use one character, like `;`, or `tab`".to_owned()),
    }
}

/// The value of `--quote`; clap rejects other words.
fn quote(text: String) -> Quote {
    if text == "double" { Quote::Double } else { Quote::None }
}

/// The value of `--escape`; clap rejects other words.
fn escape(text: String) -> Escape {
    if text == "backslash" { Escape::Backslash } else { Escape::None }
}
