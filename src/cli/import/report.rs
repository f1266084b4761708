//! Shows the progress and the report of an import.

use std::fmt::Write;
use std::io::IsTerminal;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::account::import::{Issue, Report};

/// A progress bar, hidden unless standard error is a terminal.
pub(super) fn progress_bar(rows: usize) -> Result<ProgressBar> {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} rows, {eta} left")?;
    Ok(ProgressBar::with_draw_target(u64::try_from(rows).ok(), target).with_style(style))
}

/// Renders the report: issues by row, then tenants, roles and administrators, then the totals.
pub(super) fn render_report(report: &Report, is_dry_run: bool) -> String {
    let kinds = [(&report.refused, "refused: "), (&report.cannot_sign_in, "cannot sign in: "), (&report.remarks, "")];
    let mut lines: Vec<(&Issue, &str)> =
        kinds.iter().flat_map(|(issues, kind)| issues.iter().map(|issue| (issue, *kind))).collect();
    lines.sort_by_key(|(issue, _)| issue.row);
    let mut text = String::new();
    for (Issue { row, name, message: why }, kind) in lines {
        // The name is untrusted input: escape it for the terminal.
        let name: String = name.chars().take(64).collect();
        // Writing to a string cannot fail.
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
    let (verb, end) = if is_dry_run { ("would be imported", "; nothing was changed") } else { ("imported", "") };
    let (created, known, refused, blocked) =
        (report.created, report.already_imported, report.refused.len(), report.cannot_sign_in.len());
    let accounts = if blocked == 1 { "account" } else { "accounts" };
    let rows = if report.rows == 1 { "row" } else { "rows" };
    writeln!(
        text,
        "{} {rows}: {created} {verb}, {known} imported earlier, {refused} refused; {blocked} {accounts} cannot sign \
         in{end}",
        report.rows,
    )
    .ok();
    text
}
