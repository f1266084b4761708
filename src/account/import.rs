//! Import of users from an older service, with their passwords.
//!
//! A reader per format produces [`Row`]s, which are resolved and written in batches, one transaction each. Every
//! imported row is recorded, so an interrupted import can be repeated.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::names::name::Name;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::DatabaseConnection;
use crate::strict_json;

mod batch;
mod batch_outcome;
mod candidate;
mod cell;
mod conflict;
pub mod csv;
mod csv_syntax;
pub mod encoding;
mod existing;
pub(crate) mod fields;
mod format;
pub mod jsonl;
mod layout;
mod login_names;
mod plain_passwords;
mod quoting;
mod records;
mod report;
mod resolve;
pub(crate) mod row;
mod tenants;
mod write;

pub(crate) use crate::store::import_sources::{SourceDatabase, SourceRow};
pub use csv_syntax::{Escape, Quote};
pub use format::{DatabaseLocation, ImportFormat, Reader, SourceFuture};
pub use layout::Layout;
pub use report::{Issue, Report};
pub use row::Row;

use batch::Batch;
use resolve::Claimed;
use write::ImportContext;

/// Rows per transaction; bounds how long other writers wait.
const BATCH_SIZE: usize = 500;

/// What a reader returns.
#[derive(Debug, Default)]
pub struct Source {
    /// The rows, in file order.
    pub rows: Vec<Row>,
    /// Ids of the customers that own the users, where the service had customers.
    pub customers: Vec<i64>,
    /// Descriptions of its roles by canonical name, where the service had any.
    pub role_descriptions: HashMap<String, Name>,
}

/// Creates users from the rows of an older service of the kind `format`. Only for callers with access to the machine.
/// `report` collects the result of each row and stays valid if an error interrupts the import. `progress` receives the
/// number of rows handled since its last call.
///
/// # Errors
/// Internal errors, and [`crate::error::RefusalCode::Conflict`] when concurrent changes persist.
pub async fn run(
    app: &App,
    format: &'static str,
    source: Source,
    report: &mut Report,
    progress: impl Fn(usize),
) -> Result<()> {
    let tenants = tenants::create_missing(app, format, &source.customers, report).await?;
    let kept_ids = source.rows.iter().filter_map(|row| row.user.as_ref().ok()?.id);
    let highest = kept_ids.filter(candidate::can_keep_id).max();
    let context = ImportContext { tenants, role_descriptions: source.role_descriptions, highest_id: highest };
    let mut claimed = Claimed::reserving(&source.rows);
    let mut rows = source.rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<Row> = rows.by_ref().take(BATCH_SIZE).collect();
        let count = chunk.len();
        Batch::parse(format, chunk, app.clock.now(), report).import(app, &context, &mut claimed, report).await?;
        progress(count);
    }
    Ok(())
}

/// Reports what [`run`] would do with the database `db`, or with a new one, and changes nothing.
pub async fn dry_run(
    db: Option<&DatabaseConnection>,
    format: &'static str,
    source: Source,
    now: DateTime<Utc>,
    report: &mut Report,
    progress: impl Fn(usize),
) -> Result<()> {
    let tenants = tenants::dry_run(db, format, &source.customers, report).await?;
    let mut claimed = Claimed::reserving(&source.rows);
    let mut rows = source.rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<Row> = rows.by_ref().take(BATCH_SIZE).collect();
        let count = chunk.len();
        Batch::parse(format, chunk, now, report).dry_run(db, &tenants, &mut claimed, report).await?;
        progress(count);
    }
    Ok(())
}

/// The elements of a JSON array, whose objects have each name once.
pub(crate) fn parse_json_list(text: &str) -> Result<Vec<Value>> {
    let malformed = |line, column| Error::internal(format!("expected a JSON array (line {line}, column {column})"));
    match strict_json::parse(text.as_bytes()).map_err(|error| malformed(error.line(), error.column()))? {
        Value::Array(elements) => Ok(elements),
        _ => Err(malformed(1, 0)),
    }
}
