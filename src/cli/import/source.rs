//! Reads the source of an import: a file, standard input or a database.

use std::io::Read;
use std::path::Path;

use anyhow::{Result, ensure};
use secrecy::SecretString;

use super::Import;
use super::format::Format;
use crate::account::import::{self, DatabaseLocation, ImportFormat, Layout, Reader, Source};
use crate::cli::operator_error::operator_error;
use crate::config::{parse_server_url, strip_unknown_parameters};
use crate::dialects::import_formats;

/// Reads the source in its format.
pub(super) async fn read_source(arguments: &Import) -> Result<Source> {
    let path = Path::new(&arguments.source);
    ensure!(
        takes_roles(arguments.format) || arguments.roles.is_none(),
        "--roles is only for {}",
        formats_with_roles().join(", ")
    );
    let is_general = matches!(arguments.format, Format::Csv | Format::Jsonl);
    ensure!(is_general || arguments.map.is_empty(), "--map is only for csv and jsonl");
    let is_table = matches!(arguments.format, Format::Csv);
    ensure!(is_table || arguments.columns.is_empty(), "--columns is only for csv");
    ensure!(is_table || arguments.delimiter.is_none(), "--delimiter is only for csv");
    ensure!(is_table || arguments.quote.is_none(), "--quote is only for csv");
    ensure!(is_table || arguments.escape.is_none(), "--escape is only for csv");
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
        Format::Service(format) => match format.reader {
            Reader::Text(read) => read(&read_text(path)?),
            Reader::TextWithRoles(read) => {
                let roles = arguments.roles.as_deref().map(read_text).transpose()?;
                read(&read_text(path)?, roles.as_deref())
            }
            Reader::File(read) => read(path).await,
            Reader::Database(read) => read(database_location(&arguments.source)?).await,
        },
        Format::Jsonl => Ok(import::jsonl::read_with(&read_text(path)?, &layout)),
        Format::Csv => import::csv::read_with(&read_text(path)?, &layout),
    };
    source.map_err(operator_error)
}

fn takes_roles(format: Format) -> bool {
    matches!(format, Format::Service(ImportFormat { reader: Reader::TextWithRoles(_), .. }))
}

fn formats_with_roles() -> Vec<&'static str> {
    import_formats().filter(|format| takes_roles(Format::Service(*format))).map(|format| format.name).collect()
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

fn database_location(source: &str) -> Result<DatabaseLocation<'_>> {
    Ok(if source == "-" {
        DatabaseLocation::Url(parse_url(std::io::read_to_string(std::io::stdin())?.trim())?)
    } else if source.contains("://") {
        DatabaseLocation::Url(parse_url(source)?)
    } else {
        DatabaseLocation::File(Path::new(source))
    })
}

/// The URL of another database. Its errors never quote it, because it may hold a password.
fn parse_url(text: &str) -> Result<SecretString> {
    if text.starts_with("sqlite:") {
        return Ok(SecretString::from(text));
    }
    let example = "use a URL like mysql://user:password@host/database";
    let url = parse_server_url(text, example);
    let url = url.map_err(|refused| anyhow::anyhow!("the URL {}; fix: {}", refused.problem, refused.fix))?;
    let (url, _) = strip_unknown_parameters(url).ok_or_else(|| anyhow::anyhow!("the URL is malformed"))?;
    Ok(SecretString::from(url))
}

/// The source for error messages, without a URL, which may hold a password.
pub(super) fn redacted_source(arguments: &Import) -> &str {
    match arguments.source.as_str() {
        "-" if !reads_database(arguments.format) => "standard input",
        source if source == "-" || source.contains("://") || source.contains('@') => "the database of the URL",
        source => source,
    }
}

fn reads_database(format: Format) -> bool {
    matches!(format, Format::Service(ImportFormat { reader: Reader::Database(_), .. }))
}
