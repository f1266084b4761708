//! Import: users of an older service become accounts here, with the passwords that they have.
//!
//! A reader for each format makes [`Row`]s of what it finds. They are decided on and written in batches, a transaction
//! each, and every row that became an account is noted: an import that was cut short is simply repeated.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::DatabaseConnection;
use serde_json::Value;

use super::user::name::Name;
use crate::app::App;
use crate::error::{Error, Result};

mod batch;
mod candidate;
mod cell;
pub mod csv;
pub mod encoding;
mod existing;
pub(crate) mod fields;
pub mod jsonl;
mod layout;
mod login_names;
mod quoting;
mod records;
mod report;
mod resolve;
pub(crate) mod row;
mod tenants;
mod write;

pub use candidate::Issue;
pub use layout::Layout;
pub use quoting::{Escape, Quote};
pub use report::Report;
pub use row::Row;

use batch::Batch;
use resolve::Claimed;
use write::ImportContext;

/// Rows of one transaction: others who write wait for no longer than this takes.
const BATCH_SIZE: usize = 500;

/// What a reader found.
#[derive(Debug, Default)]
pub struct Source {
    /// The rows, in order.
    pub rows: Vec<Row>,
    /// The numbers of the customers to whom they belong, where the service had any.
    pub customers: Vec<i64>,
    /// What its roles are for, by canonical name, where the service said so.
    pub role_descriptions: HashMap<String, Name>,
}

/// Makes accounts of the rows of an older service of the kind `format`. Only somebody with access to the machine can
/// call this. What became of each is put into `report`, which is good for what was done even if an error cut it short;
/// `progress` is told how many rows more were dealt with.
///
/// # Errors
/// Internal ones, and refusals with [`crate::error::RefusalCode::Conflict`] when others kept getting in the way.
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

/// Tells what [`run`] would do with the database `db`, or with a new one, and changes nothing.
///
/// # Errors
/// Internal ones only.
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

/// The elements of a JSON list.
pub(crate) fn parse_json_list(text: &str) -> Result<Vec<Value>> {
    serde_json::from_str(text).map_err(|error| {
        Error::internal(format!("it is no JSON list: look at line {}, column {}", error.line(), error.column()))
    })
}
