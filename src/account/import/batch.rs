//! One batch of rows: parsed, decided on, and either written in a transaction or only told about.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::thread;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::task::JoinSet;

use super::candidate::{Candidate, CandidatePassword};
use super::existing::Existing;
use super::report::Report;
use super::resolve::{Claimed, Decision, resolve};
use super::row::Row;
use super::tenants::TenantIds;
use super::write::{ImportContext, PlannedUser, insert_users, missing_roles, tenant_id_of};
use crate::account::access::rule::DEFAULT_TENANT;
use crate::account::caller::requester::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::imports;

/// How often something is tried that others get in the way of.
pub(super) const MAX_ATTEMPTS: usize = 3;

/// Rows that are fit for accounts.
pub(super) struct Batch {
    format: &'static str,
    candidates: Vec<Candidate>,
}

/// What a transaction that was committed made of a batch.
struct CommittedBatch {
    existing: Existing,
    decisions: Vec<Decision>,
    claimed: Claimed,
    /// The number of each account that was made, in their order.
    user_ids: Vec<i64>,
}

impl Batch {
    /// Parses the rows; what is wrong with them is reported.
    pub fn parse(format: &'static str, rows: Vec<Row>, now: DateTime<Utc>, report: &mut Report) -> Self {
        let mut candidates = Vec::with_capacity(rows.len());
        for row in rows {
            report.rows += 1;
            match Candidate::parse(format, row, now) {
                Ok(candidate) => candidates.push(candidate),
                Err(finding) => report.refused.push(finding),
            }
        }
        Self { format, candidates }
    }

    /// Reports what would become of the rows.
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
        let planned = self.planned_users(&decisions, &HashMap::new());
        self.report(&decisions, &planned, (&[], tenants), &existing, report);
        claimed.extend(newly_claimed);
        Ok(())
    }

    /// Makes the accounts in one transaction, and reports what became of the rows. A batch that the database does not
    /// take is done by halves: what is before the row that is to blame comes along, and the error names it.
    ///
    /// # Errors
    /// Internal ones with the row, and refusals with [`RefusalCode::Conflict`] when others kept getting in the way.
    pub async fn import(
        self,
        app: &App,
        context: &ImportContext,
        claimed: &mut Claimed,
        report: &mut Report,
    ) -> Result<()> {
        let mut hashes = HashMap::new();
        let mut parts = vec![self];
        while let Some(mut part) = parts.pop() {
            match part.import_in_one_transaction(app, context, claimed, &mut hashes, report).await {
                Err(Error::Internal(_)) if part.candidates.len() > 1 => {
                    let candidates = part.candidates.split_off(part.candidates.len() / 2);
                    parts.extend([Self { format: part.format, candidates }, part]);
                }
                Err(Error::Internal(cause)) => return Err(Error::Internal(part.with_row_context(cause))),
                done => done?,
            }
        }
        Ok(())
    }

    /// The cause, with the row that it is about.
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
        hashes: &mut HashMap<u64, String>,
        report: &mut Report,
    ) -> Result<()> {
        let mut tried = 1;
        let outcome = loop {
            self.hash_plain_passwords(app, claimed, hashes).await?;
            match app.db.retry(|| self.write(app, hashes, context, claimed)).await {
                Err(Error::Refused(refusals)) if tried < MAX_ATTEMPTS && refusals.iter().all(is_conflict) => tried += 1,
                done => break done?,
            }
        };
        let planned = self.planned_users(&outcome.decisions, hashes);
        let ids_and_tenants = (outcome.user_ids.as_slice(), &context.tenants);
        self.report(&outcome.decisions, &planned, ids_and_tenants, &outcome.existing, report);
        claimed.extend(outcome.claimed);
        Ok(())
    }

    async fn write(
        &self,
        app: &App,
        hashes: &HashMap<u64, String>,
        context: &ImportContext,
        claimed: &Claimed,
    ) -> Result<CommittedBatch> {
        let now = app.clock.now();
        let tx = app.db.begin().await?;
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
            let admins = planned.iter().filter(|making| existing.is_admin(making.candidate));
            let admins: Vec<&str> = admins.map(|making| making.username.as_str()).collect();
            AuditEvent::success("user.import")
                .with("format", self.format)
                .with("rows", vec![first.candidate.row, last.candidate.row])
                .with("accounts", planned.len())
                .with("administrators", admins)
                .record(&tx, app, &RequestContext::new(None, None, "command line".to_owned()), now)
                .await?;
        }
        tx.commit().await?;
        Ok(CommittedBatch { existing, decisions, claimed: newly_claimed, user_ids })
    }

    /// What is there already.
    async fn load_existing(&self, db: &impl ConnectionTrait, tenants: &TenantIds) -> Result<Existing> {
        let mut known = Existing::load(db, &self.candidates).await?;
        let used = self.non_default_tenants(tenants);
        if !used.is_empty() {
            known.disabled_tenants = imports::disabled_tenants(db, used).await?;
        }
        Ok(known)
    }

    /// The tenants of the accounts that can be disabled: the installation's own never is.
    fn non_default_tenants(&self, tenants: &TenantIds) -> Vec<i64> {
        let used: BTreeSet<i64> = self.candidates.iter().map(|candidate| tenant_id_of(candidate, tenants)).collect();
        used.into_iter().filter(|tenant| *tenant != DEFAULT_TENANT).collect()
    }

    /// Hashes the passwords that stand there in plain text, by row, where that was not done yet; none of accounts that
    /// will not be made.
    async fn hash_plain_passwords(
        &self,
        app: &App,
        claimed: &Claimed,
        hashes: &mut HashMap<u64, String>,
    ) -> Result<()> {
        if !self.candidates.iter().any(|candidate| matches!(candidate.password, CandidatePassword::Plain(_))) {
            return Ok(());
        }
        let existing = Existing::load(app.db.reader(), &self.candidates).await?;
        let (decisions, _) = resolve(&self.candidates, &existing, claimed);
        let chosen = self.candidates.iter().zip(&decisions).filter_map(|(candidate, decision)| match decision {
            Decision::Create { .. } => Some(candidate),
            Decision::AlreadyImported | Decision::Refuse(_) => None,
        });
        let plain = chosen.filter_map(|candidate| match &candidate.password {
            CandidatePassword::Plain(text) if !hashes.contains_key(&candidate.row) => {
                Some((candidate.row, text.clone()))
            }
            CandidatePassword::Plain(_) | CandidatePassword::Hash(_) | CandidatePassword::None(_) => None,
        });
        let mut plain = plain.collect::<Vec<_>>().into_iter();
        // One for each thread that hashes, so that none of them waits for long.
        let threads = app.config.password.hash_threads.or(thread::available_parallelism().ok());
        let threads = threads.map_or(1, NonZeroUsize::get);
        let mut jobs = JoinSet::new();
        loop {
            while jobs.len() < threads
                && let Some((row, text)) = plain.next()
            {
                let app = app.clone();
                jobs.spawn(async move { app.hasher.hash(&text).await.map(|hash| (row, hash)) });
            }
            let Some(done) = jobs.join_next().await else { return Ok(()) };
            hashes.extend([done.map_err(Error::internal)??]);
        }
    }

    fn planned_users(&self, decisions: &[Decision], hashes: &HashMap<u64, String>) -> Vec<PlannedUser<'_>> {
        let pairs = self.candidates.iter().zip(decisions);
        let plan = |(candidate, decision): (_, &Decision)| match decision {
            Decision::Create { username, id: number } => Some(PlannedUser::new(candidate, username, *number, hashes)),
            Decision::AlreadyImported | Decision::Refuse(_) => None,
        };
        pairs.filter_map(plan).collect()
    }

    fn report(
        &self,
        decisions: &[Decision],
        planned: &[PlannedUser<'_>],
        (numbers, tenants): (&[i64], &TenantIds),
        existing: &Existing,
        report: &mut Report,
    ) {
        for (candidate, decision) in self.candidates.iter().zip(decisions) {
            match decision {
                Decision::Create { .. } => report.created += 1,
                Decision::AlreadyImported => report.already_imported += 1,
                Decision::Refuse(why) => report.refused.push(candidate.issue(why)),
            }
        }
        for (place, making) in planned.iter().enumerate() {
            let candidate = making.candidate;
            let is_disabled = existing.disabled_tenants.contains(&tenant_id_of(candidate, tenants));
            report.cannot_sign_in.extend(candidate.reason_cannot_sign_in(is_disabled).map(|why| candidate.issue(why)));
            if candidate.usernames.len() > 1 {
                report.remarks.push(candidate.issue(format!("its username here is {:?}", making.username.as_str())));
            }
            report.remarks.extend(candidate.remarks.iter().map(|text| candidate.issue(text)));
            if let (Some(old), None) = (candidate.carried_over.id, making.id) {
                let new = numbers.get(place).map_or("another one".to_owned(), i64::to_string);
                report.remarks.push(candidate.issue(format!("its number {old} is taken: here it gets {new}")));
            }
            if existing.is_admin(candidate) {
                let of =
                    candidate.carried_over.customer.filter(|customer| tenants.get(customer) != Some(&DEFAULT_TENANT));
                let of = of.map_or_else(String::new, |customer| format!(", of customer {customer}"));
                report.administrators.push(format!("{}{of}", making.username.as_str()));
            }
        }
        report.roles.extend(missing_roles(planned, existing).into_iter().map(|role| role.as_str().to_owned()));
    }
}

fn conflict() -> Error {
    Refusal::new(RefusalCode::Conflict, "others kept changing accounts at the same time: repeat the import").into()
}

/// Whether somebody else was faster: with an account, or with a role that both found missing.
pub(super) fn is_conflict(refusal: &Refusal) -> bool {
    matches!(refusal.code, RefusalCode::Conflict | RefusalCode::RoleNameTaken)
}
