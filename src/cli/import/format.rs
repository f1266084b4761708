//! The formats that `accountd import` reads: general ones, and those of older services.

use clap::builder::PossibleValue;

use crate::account::import::ImportFormat;
use crate::dialects::import_formats;

/// The format of an import's source.
#[derive(Clone, Copy)]
pub(super) enum Format {
    /// Of an older service.
    Service(ImportFormat),
    /// One JSON object per line.
    Jsonl,
    /// A table with a header line of column names.
    Csv,
}

impl Format {
    /// All formats, with their descriptions.
    pub fn possible_values() -> Vec<PossibleValue> {
        let general = [("jsonl", "One JSON object per line"), ("csv", "A table with a header line of column names")];
        let services = import_formats().map(|format| (format.name, format.about));
        services.chain(general).map(|(name, about)| PossibleValue::new(name).help(about)).collect()
    }

    /// The format with this name; clap rejects other names.
    pub fn named(name: &str) -> Self {
        match import_formats().find(|format| format.name == name) {
            Some(format) => Self::Service(format),
            None if name == "jsonl" => Self::Jsonl,
            None => Self::Csv,
        }
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Service(format) => format.name,
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// The format's key in the records of imported rows; never change it.
    pub fn source_format(self) -> &'static str {
        match self {
            Self::Service(format) => format.name,
            // One format in two notations.
            Self::Jsonl | Self::Csv => "general",
        }
    }
}
