//! Log settings: format and filter.

use super::problem::invalid;
use super::reader::Reader;

/// Log settings.
#[derive(Clone, Debug)]
pub struct Log {
    /// Text or JSON lines.
    pub format: LogFormat,
    /// Directives for `tracing_subscriber::EnvFilter`, already validated.
    pub filter: String,
}

/// Format of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Human-readable lines.
    Text,
    /// One JSON object per line.
    Json,
}

impl Log {
    pub(super) fn read(reader: &mut Reader) -> Option<Log> {
        let format = reader.one_of("log.format", &[("text", LogFormat::Text), ("json", LogFormat::Json)]);
        let filter = reader.read("log.filter", |text| {
            let fix = "use a level (error, warn, info, debug, trace or off), or directives like info,accountd=debug";
            if let Err(error) = tracing_subscriber::EnvFilter::builder().parse(text) {
                return Err(invalid(&format!("is not a valid filter ({error})"), fix));
            }
            match text.split(',').map(str::trim).find(|directive| is_no_level(directive)) {
                Some(word) => Err(invalid(&format!("has {word:?}, which is not a level"), fix)),
                None => Ok(text.to_owned()),
            }
        });
        Some(Log { format: format?, filter: filter? })
    }
}

/// Whether a directive is a single word but not a level. The filter would take it for a target, log everything of that
/// target and nothing else: a misspelt level would silence the server.
fn is_no_level(directive: &str) -> bool {
    let is_word = directive.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_word
        && !matches!(directive, "" | "accountd")
        && directive.parse::<tracing_subscriber::filter::LevelFilter>().is_err()
}
