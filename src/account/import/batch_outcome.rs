//! Adds the outcome of a batch to the report.

use super::candidate::{Candidate, CandidatePassword};
use super::existing::Existing;
use super::report::Report;
use super::resolve::Decision;
use super::tenants::TenantIds;
use super::write::{PlannedUser, missing_roles, tenant_id_of};
use crate::account::access::permission::DEFAULT_TENANT;

/// Outcome of a batch, committed or in a dry run.
pub(super) struct Outcome<'a> {
    pub decisions: &'a [Decision],
    pub planned: &'a [PlannedUser<'a>],
    /// The ids of the created users, in order; empty in a dry run.
    pub user_ids: &'a [i64],
    pub tenants: &'a TenantIds,
    pub existing: &'a Existing,
}

impl Outcome<'_> {
    /// Adds the outcome for `candidates`, the rows of the batch.
    pub fn add_to(&self, report: &mut Report, candidates: &[Candidate]) {
        for (candidate, decision) in candidates.iter().zip(self.decisions) {
            match decision {
                Decision::Create { .. } => report.created += 1,
                Decision::AlreadyImported => report.already_imported += 1,
                Decision::Refuse(why) => report.refused.push(candidate.issue(why)),
            }
        }
        for (index, planned) in self.planned.iter().enumerate() {
            self.add_user(report, planned, self.user_ids.get(index));
        }
        report
            .roles
            .extend(missing_roles(self.planned, self.existing).into_iter().map(|role| role.as_str().to_owned()));
    }

    fn add_user(&self, report: &mut Report, planned: &PlannedUser<'_>, new_id: Option<&i64>) {
        let candidate = planned.candidate;
        let obstacles = self.login_obstacles(candidate);
        if !obstacles.is_empty() {
            report.cannot_sign_in.push(candidate.issue(obstacles.join(", and ")));
        }
        if candidate.usernames.len() > 1 {
            report.remarks.push(candidate.issue(format!("its username is now {:?}", planned.username.as_str())));
        }
        report.remarks.extend(candidate.remarks.iter().map(|text| candidate.issue(text)));
        if let (Some(old), None) = (candidate.carried_over.id, planned.id) {
            let new = new_id.map_or("assigned at import".to_owned(), i64::to_string);
            report.remarks.push(candidate.issue(format!("its id {old} is taken: its new id is {new}")));
        }
        if self.existing.is_admin(candidate) {
            let customer = candidate.carried_over.customer;
            let customer = customer.filter(|customer| self.tenants.get(customer) != Some(&DEFAULT_TENANT));
            let of_customer = customer.map_or_else(String::new, |customer| format!(", of customer {customer}"));
            report.administrators.push(format!("{}{of_customer}", planned.username.as_str()));
        }
    }

    /// Why the user cannot sign in; empty if nothing prevents it.
    fn login_obstacles(&self, candidate: &Candidate) -> Vec<String> {
        let is_tenant_disabled = self.existing.disabled_tenants.contains(&tenant_id_of(candidate, self.tenants));
        let disabled = candidate.carried_over.is_disabled.then(|| "it is disabled".to_owned());
        let tenant = is_tenant_disabled.then(|| "its tenant is disabled".to_owned());
        let password = match &candidate.password {
            CandidatePassword::None(why) => Some(why.clone()),
            CandidatePassword::Hash(_) | CandidatePassword::Plain(_) => None,
        };
        [disabled, tenant, password].into_iter().flatten().collect()
    }
}
