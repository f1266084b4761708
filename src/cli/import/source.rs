//! Reads the source of an import: a file, standard input or a database.

use std::io::Read;
use std::path::Path;

use anyhow::{Result, ensure};
use secrecy::SecretString;

use super::{Format, Import};
use crate::account::import::{self, Layout, Source};
use crate::cli::operator_error::operator_error;
use crate::config::{parse_server_url, strip_unknown_parameters};
use crate::dialects::user_api::import::DatabaseLocation;

/// Reads the source in its format.
pub(super) async fn read_source(arguments: &Import) -> Result<Source> {
    let path = Path::new(&arguments.source);
    let is_mongo = arguments.format == Format::FlaskAuthServiceMongo;
    ensure!(is_mongo || arguments.roles.is_none(), "--roles is only for flask-auth-service-mongo");
    let is_general = matches!(arguments.format, Format::Csv | Format::Jsonl);
    ensure!(is_general || arguments.map.is_empty(), "--map is only for csv and jsonl");
    let is_table = arguments.format == Format::Csv;
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
        "-" if arguments.format != Format::UserApi => "standard input",
        source if source == "-" || source.contains("://") || source.contains('@') => "the database of the URL",
        source => source,
    }
}
