//! One batch of rows: parsed, decided on, and either written in a transaction or only told about.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::thread;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use tokio::task::JoinSet;

use super::candidate::{Candidate, Password};
use super::known::Known;
use super::report::Report;
use super::row::Row;
use super::settle::{Decision, Seen, settle};
use super::tenants::Tenants;
use super::write::{Making, Surroundings, missing, tenant_of, write};
use crate::account::access::INSTALLATION;
use crate::account::audit::Event;
use crate::account::requester::Client;
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode, Result};
use crate::store::imports;

/// How often something is tried that others get in the way of.
pub(super) const ATTEMPTS: usize = 3;

/// Rows that are fit for accounts.
pub(super) struct Batch {
    format: &'static str,
    candidates: Vec<Candidate>,
}

/// What a transaction that was committed made of a batch.
struct Outcome {
    known: Known,
    decisions: Vec<Decision>,
    saw: Seen,
    /// The number of each account that was made, in their order.
    numbers: Vec<i64>,
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
    pub async fn rehearse(
        &self,
        db: Option<&DatabaseConnection>,
        tenants: &Tenants,
        seen: &mut Seen,
        report: &mut Report,
    ) -> Result<()> {
        let known = match db {
            Some(db) => self.known(db, tenants).await?,
            None => Known::of_a_new_database(),
        };
        let (decisions, saw) = settle(&self.candidates, &known, seen);
        let makings = self.makings(&decisions, &HashMap::new());
        self.report(&decisions, &makings, (&[], tenants), &known, report);
        seen.extend(saw);
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
        surroundings: &Surroundings,
        seen: &mut Seen,
        report: &mut Report,
    ) -> Result<()> {
        let mut hashes = HashMap::new();
        let mut parts = vec![self];
        while let Some(mut part) = parts.pop() {
            match part.import_whole(app, surroundings, seen, &mut hashes, report).await {
                Err(Error::Internal(_)) if part.candidates.len() > 1 => {
                    let candidates = part.candidates.split_off(part.candidates.len() / 2);
                    parts.extend([Self { format: part.format, candidates }, part]);
                }
                Err(Error::Internal(cause)) => return Err(Error::Internal(part.blamed(cause))),
                done => done?,
            }
        }
        Ok(())
    }

    /// The cause, with the row that it is about.
    fn blamed(&self, cause: anyhow::Error) -> anyhow::Error {
        match self.candidates.as_slice() {
            [one] => cause.context(format!("row {} {:?} cannot be stored", one.row, one.name)),
            _ => cause,
        }
    }

    async fn import_whole(
        &self,
        app: &App,
        surroundings: &Surroundings,
        seen: &mut Seen,
        hashes: &mut HashMap<u64, String>,
        report: &mut Report,
    ) -> Result<()> {
        let mut tried = 1;
        let outcome = loop {
            self.hash(app, seen, hashes).await?;
            match app.db.retry(|| self.write(app, hashes, surroundings, seen)).await {
                Err(Error::Refused(refusals)) if tried < ATTEMPTS && refusals.iter().all(is_conflict) => tried += 1,
                done => break done?,
            }
        };
        let makings = self.makings(&outcome.decisions, hashes);
        let numbers = (outcome.numbers.as_slice(), &surroundings.tenants);
        self.report(&outcome.decisions, &makings, numbers, &outcome.known, report);
        seen.extend(outcome.saw);
        Ok(())
    }

    async fn write(
        &self,
        app: &App,
        hashes: &HashMap<u64, String>,
        surroundings: &Surroundings,
        seen: &Seen,
    ) -> Result<Outcome> {
        let now = app.clock.now();
        let tx = app.db.begin().await?;
        let tenants = self.tenants(&surroundings.tenants);
        if !tenants.is_empty() {
            imports::lock_tenants(&tx, tenants).await?;
        }
        let known = self.known(&tx, &surroundings.tenants).await?;
        let (decisions, saw) = settle(&self.candidates, &known, seen);
        let makings = self.makings(&decisions, hashes);
        if makings.iter().any(Making::lacks_its_hash) {
            // A name became free after the passwords were hashed.
            return Err(overtaken());
        }
        let numbers = write(&tx, app, &makings, &known, surroundings, now).await?;
        if let (Some(first), Some(last)) = (makings.first(), makings.last()) {
            let admins = makings.iter().filter(|making| known.is_admin(making.candidate));
            let admins: Vec<&str> = admins.map(|making| making.username.as_str()).collect();
            Event::success("user.import")
                .with("format", self.format)
                .with("rows", vec![first.candidate.row, last.candidate.row])
                .with("accounts", makings.len())
                .with("administrators", admins)
                .record(&tx, app, &Client::new(None, None, "command line".to_owned()), now)
                .await?;
        }
        tx.commit().await?;
        Ok(Outcome { known, decisions, saw, numbers })
    }

    /// What is there already.
    async fn known(&self, db: &impl ConnectionTrait, tenants: &Tenants) -> Result<Known> {
        let mut known = Known::load(db, &self.candidates).await?;
        let used = self.tenants(tenants);
        if !used.is_empty() {
            known.disabled_tenants = imports::disabled_tenants(db, used).await?;
        }
        Ok(known)
    }

    /// The tenants of the accounts that can be disabled: the installation's own never is.
    fn tenants(&self, tenants: &Tenants) -> Vec<i64> {
        let used: BTreeSet<i64> = self.candidates.iter().map(|candidate| tenant_of(candidate, tenants)).collect();
        used.into_iter().filter(|tenant| *tenant != INSTALLATION).collect()
    }

    /// Hashes the passwords that stand there in plain text, by row, where that was not done yet; none of accounts that
    /// will not be made.
    async fn hash(&self, app: &App, seen: &Seen, hashes: &mut HashMap<u64, String>) -> Result<()> {
        if !self.candidates.iter().any(|candidate| matches!(candidate.password, Password::Plain(_))) {
            return Ok(());
        }
        let known = Known::load(app.db.reader(), &self.candidates).await?;
        let (decisions, _) = settle(&self.candidates, &known, seen);
        let chosen = self.candidates.iter().zip(&decisions).filter_map(|(candidate, decision)| match decision {
            Decision::Make { .. } => Some(candidate),
            Decision::Known | Decision::Refuse(_) => None,
        });
        let plain = chosen.filter_map(|candidate| match &candidate.password {
            Password::Plain(text) if !hashes.contains_key(&candidate.row) => Some((candidate.row, text.clone())),
            Password::Plain(_) | Password::Hash(_) | Password::None(_) => None,
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

    fn makings(&self, decisions: &[Decision], hashes: &HashMap<u64, String>) -> Vec<Making<'_>> {
        let pairs = self.candidates.iter().zip(decisions);
        let making = |(candidate, decision): (_, &Decision)| match decision {
            Decision::Make { username, number } => Some(Making::new(candidate, username, *number, hashes)),
            Decision::Known | Decision::Refuse(_) => None,
        };
        pairs.filter_map(making).collect()
    }

    fn report(
        &self,
        decisions: &[Decision],
        makings: &[Making<'_>],
        (numbers, tenants): (&[i64], &Tenants),
        known: &Known,
        report: &mut Report,
    ) {
        for (candidate, decision) in self.candidates.iter().zip(decisions) {
            match decision {
                Decision::Make { .. } => report.made += 1,
                Decision::Known => report.known += 1,
                Decision::Refuse(why) => report.refused.push(candidate.finding(why)),
            }
        }
        for (place, making) in makings.iter().enumerate() {
            let candidate = making.candidate;
            let is_disabled = known.disabled_tenants.contains(&tenant_of(candidate, tenants));
            report.shut_out.extend(candidate.is_shut_out(is_disabled).map(|why| candidate.finding(why)));
            if candidate.usernames.len() > 1 {
                report.remarks.push(candidate.finding(format!("its username here is {:?}", making.username.as_str())));
            }
            report.remarks.extend(candidate.left_out.iter().map(|text| candidate.finding(text)));
            if let (Some(old), None) = (candidate.old.number, making.number) {
                let new = numbers.get(place).map_or("another one".to_owned(), i64::to_string);
                report.remarks.push(candidate.finding(format!("its number {old} is taken: here it gets {new}")));
            }
            if known.is_admin(candidate) {
                let of = candidate.old.customer.filter(|customer| tenants.get(customer) != Some(&INSTALLATION));
                let of = of.map_or_else(String::new, |customer| format!(", of customer {customer}"));
                report.administrators.push(format!("{}{of}", making.username.as_str()));
            }
        }
        report.roles.extend(missing(makings, known).into_iter().map(|role| role.as_str().to_owned()));
    }
}

fn overtaken() -> Error {
    Refusal::new(RefusalCode::Conflict, "others kept changing accounts at the same time: repeat the import").into()
}

/// Whether somebody else was faster: with an account, or with a role that both found missing.
pub(super) fn is_conflict(refusal: &Refusal) -> bool {
    matches!(refusal.code, RefusalCode::Conflict | RefusalCode::RoleNameTaken)
}
