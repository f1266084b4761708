//! `accountd import`.

use std::fmt::{self, Write as _};
use std::io::{IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use secrecy::SecretString;

use super::admin::operator_error;
use crate::account::import::{self, Escape, Issue, Layout, Quote, Report, Source};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Flags, parse_server_url, strip_unknown_parameters};
use crate::dialects::user_api::import::DatabaseLocation;
use crate::entropy::SystemEntropy;
use crate::startup;

/// How the process ends if some rows became no accounts.
const EXIT_ROWS_REFUSED: u8 = 3;

/// What `import` is told.
#[derive(Args)]
pub(super) struct Import {
    #[command(flatten)]
    pub flags: Flags,
    /// What wrote the file.
    format: Format,
    /// The file, or `-` for standard input; for user-api also the URL of its database, or `-` to read the URL.
    source: String,
    /// The roles of flask-auth-service-mongo, exported like its users.
    #[arg(long, value_name = "FILE")]
    roles: Option<PathBuf>,
    /// What stands between the cells of a CSV file: one character, or `tab`. Without it the first line tells.
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// The columns of a CSV file whose first line does not name them, with commas between.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    columns: Vec<String>,
    /// Whether double quotes stand around cells of a CSV file. Without it they do, but not between tabs.
    #[arg(long, value_name = "QUOTE", value_parser = PossibleValuesParser::new(["double", "none"]).map(quote))]
    quote: Option<Quote>,
    /// Whether backslashes in a CSV file escape what is behind them, as MySQL writes them. Without it they do where a
    /// cell is `\N`.
    #[arg(long, value_name = "ESCAPE", value_parser = PossibleValuesParser::new(["backslash", "none"]).map(escape))]
    escape: Option<Escape>,
    /// Which field a column of a CSV file or a field of JSON Lines is, like `passwordHash=password_hash`; nothing
    /// behind the `=` passes it over. May be given again.
    #[arg(long, value_name = "NAME=FIELD")]
    map: Vec<String>,
    /// Change nothing, and tell what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// The source may be a URL with a password, so it is left out.
impl fmt::Debug for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Import").field("format", &self.format).field("dry_run", &self.dry_run).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// PlantDB's users.json.
    Plantdb,
    /// The SQLite file of tecladocode's course.
    Tecladocode,
    /// The database of user-api: an SQLite file or a mysql:// URL.
    UserApi,
    /// What mongoexport makes of flask_auth_service_mongo's users.
    FlaskAuthServiceMongo,
    /// One JSON object per line.
    Jsonl,
    /// A table with a first line of column names.
    Csv,
}

impl Format {
    /// What rows are known again by; never to be changed.
    fn source_format(self) -> &'static str {
        match self {
            Self::Plantdb => "plantdb",
            Self::Tecladocode => "tecladocode",
            Self::UserApi => "user-api",
            Self::FlaskAuthServiceMongo => "flask-auth-service-mongo",
            // One form with two spellings.
            Self::Jsonl | Self::Csv => "general",
        }
    }
}

/// Imports, whether a server runs on the database or not.
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
    outcome.map_err(operator_error).context("the import was cut short: repeat it to go on")?;
    report_written.context("the import was done, and only its report could not be written")?;
    Ok(if report.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_ROWS_REFUSED) })
}

async fn read_source(arguments: &Import) -> Result<Source> {
    let path = Path::new(&arguments.source);
    let is_mongo = arguments.format == Format::FlaskAuthServiceMongo;
    ensure!(is_mongo || arguments.roles.is_none(), "--roles belongs to flask-auth-service-mongo");
    let is_general = matches!(arguments.format, Format::Csv | Format::Jsonl);
    ensure!(is_general || arguments.map.is_empty(), "--map belongs to csv and jsonl");
    let is_table = arguments.format == Format::Csv;
    ensure!(is_table || arguments.columns.is_empty(), "--columns belongs to csv");
    ensure!(is_table || arguments.delimiter.is_none(), "--delimiter belongs to csv");
    ensure!(is_table || arguments.quote.is_none(), "--quote belongs to csv");
    ensure!(is_table || arguments.escape.is_none(), "--escape belongs to csv");
    let mut layout = Layout {
        delimiter: arguments.delimiter,
        columns: arguments.columns.clone(),
        quote: arguments.quote,
        escape: arguments.escape,
        ..Layout::default()
    };
    for text in &arguments.map {
        layout.rename(text).map_err(|why| anyhow::anyhow!("--map: {why}"))?;
    }
    let source = match arguments.format {
        Format::Plantdb => crate::dialects::plantdb::import::read(&read_text(path)?),
        Format::Tecladocode => crate::dialects::tecladocode::import::read(path).await,
        Format::UserApi => crate::dialects::user_api::import::read(database_location(&arguments.source)?).await,
        Format::FlaskAuthServiceMongo => {
            let roles = arguments.roles.as_deref().map(read_text).transpose()?;
            crate::dialects::flask_auth_service_mongo::import::read(&read_text(path)?, roles.as_deref())
        }
        Format::Jsonl => Ok(crate::account::import::jsonl::read_with(&read_text(path)?, &layout)),
        Format::Csv => crate::account::import::csv::read_with(&read_text(path)?, &layout),
    };
    source.map_err(operator_error)
}

/// The text of a file, or of standard input.
fn read_text(path: &Path) -> Result<String> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes)?;
        bytes
    } else {
        std::fs::read(path)?
    };
    import::encoding::decode(bytes).map_err(anyhow::Error::msg)
}

/// One character of ASCII.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if matches!(text, "tab" | "\\t") => Ok(b'\t'),
        &[one] if !matches!(one, b'"' | b'\n' | b'\r') => Ok(one),
        _ => Err("use one character, like `;`, or `tab`".to_owned()),
    }
}

/// What `--quote` says; clap has refused other words.
fn quote(text: String) -> Quote {
    if text == "double" { Quote::Double } else { Quote::None }
}

/// What `--escape` says; clap has refused other words.
fn escape(text: String) -> Escape {
    if text == "backslash" { Escape::Backslash } else { Escape::None }
}

fn database_location(source: &str) -> Result<DatabaseLocation<'_>> {
    Ok(if source == "-" {
        DatabaseLocation::Url(parse_url(std::io::read_to_string(std::io::stdin())?.trim())?)
    } else if source.contains("://") {
        DatabaseLocation::Url(parse_url(source)?)
    } else {
        DatabaseLocation::File(Path::new(source))
    })
}

/// The URL of another database, if it is one: what could not be read of it would otherwise be told with its password.
fn parse_url(text: &str) -> Result<SecretString> {
    if text.starts_with("sqlite:") {
        return Ok(SecretString::from(text));
    }
    let example = "write it like mysql://user:password@host/database";
    let url = parse_server_url(text, example);
    let url = url.map_err(|refused| anyhow::anyhow!("the URL {}; fix: {}", refused.problem, refused.fix))?;
    let (url, _) = strip_unknown_parameters(url).ok_or_else(|| anyhow::anyhow!("the URL cannot be read"))?;
    Ok(SecretString::from(url))
}

/// A URL may hold a password.
fn redacted_source(arguments: &Import) -> &str {
    match arguments.source.as_str() {
        "-" if arguments.format != Format::UserApi => "standard input",
        source if source == "-" || source.contains("://") || source.contains('@') => "the database of the URL",
        source => source,
    }
}

/// Draws on a terminal only.
fn progress_bar(rows: usize) -> Result<ProgressBar> {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} rows, {eta} left")?;
    Ok(ProgressBar::with_draw_target(u64::try_from(rows).ok(), target).with_style(style))
}

/// What the import did, for the person who ran it: what is about one row by rows, then the rest, and the sum.
fn render_report(report: &Report, is_dry: bool) -> String {
    let kinds = [(&report.refused, "refused: "), (&report.cannot_sign_in, "cannot sign in: "), (&report.remarks, "")];
    let mut lines: Vec<(&Issue, &str)> =
        kinds.iter().flat_map(|(findings, kind)| findings.iter().map(|finding| (finding, *kind))).collect();
    lines.sort_by_key(|(finding, _)| finding.row);
    let mut text = String::new();
    for (Issue { row, name, message: why }, kind) in lines {
        // The name is as the file has it: nothing in it may reach the terminal as it stands.
        let name: String = name.chars().take(64).collect();
        // Nothing can go wrong when text is added to text.
        writeln!(text, "row {row} {name:?}: {kind}{why}").ok();
    }
    for tenant in &report.tenants {
        writeln!(text, "{tenant}").ok();
    }
    for role in &report.roles {
        writeln!(text, "role {role:?}: new, without permissions").ok();
    }
    for name in &report.administrators {
        writeln!(text, "administrator: {name}").ok();
    }
    let (verb, end) = if is_dry { ("would be imported", "; nothing was changed") } else { ("imported", "") };
    let (made, known, refused, shut_out) =
        (report.created, report.already_imported, report.refused.len(), report.cannot_sign_in.len());
    let accounts = if shut_out == 1 { "account" } else { "accounts" };
    let rows = if report.rows == 1 { "row" } else { "rows" };
    writeln!(
        text,
        "{} {rows}: {made} {verb}, {known} imported earlier, {refused} refused; {shut_out} {accounts} cannot sign in{end}",
        report.rows,
    )
    .ok();
    text
}
