//! One batch of rows: parsed, resolved, and written in a transaction or only reported.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::batch_outcome::Outcome;
use super::candidate::{Candidate, CandidatePassword};
use super::conflict::{MAX_ATTEMPTS, conflict, is_conflict};
use super::existing::Existing;
use super::plain_passwords::{Hashes, hash_missing};
use super::report::Report;
use super::resolve::{Claimed, Decision, resolve};
use super::row::Row;
use super::tenants::TenantIds;
use super::write::{ImportContext, PlannedUser, insert_users, tenant_id_of};
use crate::account::access::permission::DEFAULT_TENANT;
use crate::account::caller::request_context::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::app::App;
use crate::error::{Error, Result};
use crate::store::{Connection, DatabaseConnection, imports};

/// Rows that can become users.
pub(super) struct Batch {
    format: &'static str,
    candidates: Vec<Candidate>,
}

/// Result of a committed batch.
struct CommittedBatch {
    existing: Existing,
    decisions: Vec<Decision>,
    claimed: Claimed,
    /// The id of each created user, in order.
    user_ids: Vec<i64>,
}

impl Batch {
    /// Parses the rows and reports the problems found.
    pub fn parse(format: &'static str, rows: Vec<Row>, now: DateTime<Utc>, report: &mut Report) -> Self {
        let mut candidates = Vec::with_capacity(rows.len());
        for row in rows {
            report.rows += 1;
            match Candidate::parse(format, row, now) {
                Ok(candidate) => candidates.push(candidate),
                Err(issue) => report.refused.push(issue),
            }
        }
        Self { format, candidates }
    }

    /// Reports what an import would do with the rows.
    pub async fn dry_run(
        &self,
        db: Option<&DatabaseConnection>,
        tenants: &TenantIds,
        claimed: &mut Claimed,
        report: &mut Report,
    ) -> Result<()> {
        let existing = match db {
            Some(db) => self.load_existing(db, tenants).await?,
            None => Existing::empty(),
        };
        let (decisions, newly_claimed) = resolve(&self.candidates, &existing, claimed);
        let planned = self.planned_users(&decisions, &Hashes::new());
        let outcome = Outcome { decisions: &decisions, planned: &planned, user_ids: &[], tenants, existing: &existing };
        outcome.add_to(report, &self.candidates);
        claimed.extend(newly_claimed);
        Ok(())
    }

    /// Creates the users in one transaction and reports the result of each row. A batch that the database refuses is
    /// split in halves: the rows before the faulty one are imported, and the error names it.
    ///
    /// # Errors
    /// Internal errors with the row, and [`crate::error::RefusalCode::Conflict`] when concurrent changes persist.
    pub async fn import(
        self,
        app: &App,
        context: &ImportContext,
        claimed: &mut Claimed,
        report: &mut Report,
    ) -> Result<()> {
        let mut hashes = Hashes::new();
        let mut parts = vec![self];
        while let Some(mut part) = parts.pop() {
            match part.import_in_one_transaction(app, context, claimed, &mut hashes, report).await {
                Err(Error::Internal(_)) if part.candidates.len() > 1 => {
                    let candidates = part.candidates.split_off(part.candidates.len() / 2);
                    parts.extend([Self { format: part.format, candidates }, part]);
                }
                Err(Error::Internal(cause)) => return Err(Error::Internal(part.with_row_context(cause))),
                result => result?,
            }
        }
        Ok(())
    }

    /// The cause, with the row if only one is left.
    fn with_row_context(&self, cause: anyhow::Error) -> anyhow::Error {
        match self.candidates.as_slice() {
            [one] => cause.context(format!("row {} {:?} cannot be stored", one.row, one.name)),
            _ => cause,
        }
    }

    async fn import_in_one_transaction(
        &self,
        app: &App,
        context: &ImportContext,
        claimed: &mut Claimed,
        hashes: &mut Hashes,
        report: &mut Report,
    ) -> Result<()> {
        let mut attempt = 1;
        let committed = loop {
            self.hash_plain_passwords(app, claimed, hashes).await?;
            match self.write(app, hashes, context, claimed).await {
                Err(Error::Refused(refusals)) if attempt < MAX_ATTEMPTS && refusals.iter().all(is_conflict) => {
                    attempt += 1
                }
                result => break result?,
            }
        };
        let outcome = Outcome {
            decisions: &committed.decisions,
            planned: &self.planned_users(&committed.decisions, hashes),
            user_ids: &committed.user_ids,
            tenants: &context.tenants,
            existing: &committed.existing,
        };
        outcome.add_to(report, &self.candidates);
        claimed.extend(committed.claimed);
        Ok(())
    }

    async fn write(
        &self,
        app: &App,
        hashes: &Hashes,
        context: &ImportContext,
        claimed: &Claimed,
    ) -> Result<CommittedBatch> {
        let now = app.clock.now();
        app.write(&RequestContext::for_command_line(), now, async |tx| {
            let tenants = self.non_default_tenants(&context.tenants);
            if !tenants.is_empty() {
                imports::lock_tenants(&tx, tenants).await?;
            }
            let existing = self.load_existing(&tx, &context.tenants).await?;
            let (decisions, newly_claimed) = resolve(&self.candidates, &existing, claimed);
            let planned = self.planned_users(&decisions, hashes);
            if planned.iter().any(PlannedUser::is_missing_hash) {
                // A name became free after the passwords were hashed.
                return Err(conflict());
            }
            let user_ids = insert_users(&tx, app, &planned, &existing, context, now).await?;
            if let (Some(first), Some(last)) = (planned.first(), planned.last()) {
                let admins = planned.iter().filter(|planned| existing.is_admin(planned.candidate));
                let admins: Vec<&str> = admins.map(|planned| planned.username.as_str()).collect();
                tx.record(
                    AuditEvent::success(AuditAction::UserImport)
                        .with("format", self.format)
                        .with("rows", vec![first.candidate.row, last.candidate.row])
                        .with("accounts", planned.len())
                        .with("administrators", admins),
                )
                .await?;
            }
            tx.commit(CommittedBatch { existing, decisions, claimed: newly_claimed, user_ids }).await
        })
        .await
    }

    /// Loads what exists already.
    async fn load_existing(&self, db: &impl Connection, tenants: &TenantIds) -> Result<Existing> {
        let mut existing = Existing::load(db, &self.candidates).await?;
        let used = self.non_default_tenants(tenants);
        if !used.is_empty() {
            existing.disabled_tenants = imports::disabled_tenants(db, used).await?;
        }
        Ok(existing)
    }

    /// The tenants of the users that can be disabled; the default tenant cannot.
    fn non_default_tenants(&self, tenants: &TenantIds) -> Vec<i64> {
        let used: BTreeSet<i64> = self.candidates.iter().map(|candidate| tenant_id_of(candidate, tenants)).collect();
        used.into_iter().filter(|tenant| *tenant != DEFAULT_TENANT).collect()
    }

    /// Hashes the plain-text passwords that are not hashed yet, by row, for users that will be created.
    async fn hash_plain_passwords(&self, app: &App, claimed: &Claimed, hashes: &mut Hashes) -> Result<()> {
        if !self.candidates.iter().any(|candidate| matches!(candidate.password, CandidatePassword::Plain(_))) {
            return Ok(());
        }
        let existing = Existing::load(app.db.reader(), &self.candidates).await?;
        let (decisions, _) = resolve(&self.candidates, &existing, claimed);
        let created = self.candidates.iter().zip(&decisions).filter_map(|(candidate, decision)| match decision {
            Decision::Create { .. } => Some(candidate),
            Decision::AlreadyImported | Decision::Refuse(_) => None,
        });
        hash_missing(app, created, hashes).await
    }

    fn planned_users(&self, decisions: &[Decision], hashes: &Hashes) -> Vec<PlannedUser<'_>> {
        let pairs = self.candidates.iter().zip(decisions);
        let plan = |(candidate, decision): (_, &Decision)| match decision {
            Decision::Create { username, id } => Some(PlannedUser::new(candidate, username, *id, hashes)),
            Decision::AlreadyImported | Decision::Refuse(_) => None,
        };
        pairs.filter_map(plan).collect()
    }
}
