//! Every writing use case checks the privileges of its target.

use std::collections::BTreeSet;

use crate::support::source_files::rust_files;

/// Every writing use case checks the target's privileges, or is listed with the reason for the exception.
#[test]
fn every_use_case_checks_the_target_users_privileges() {
    let without_target = [
        ("administration/replace.rs", "reset_own_password", "session-only, for the owner"),
        ("administration/role_administration.rs", "delete", "checks the holders"),
        ("administration/tenant.rs", "save", "changes a tenant"),
        ("administration/tenant.rs", "set_status", "changes a tenant"),
        ("administration/tenant.rs", "delete", "changes a tenant"),
        ("administration/user_lifecycle.rs", "create_in_tenant", "creates a user"),
        ("administration/user_lifecycle.rs", "delete_own", "session-only, for the owner"),
        ("api_token/create.rs", "create", "session-only, for the owner"),
        ("authentication/activity.rs", "record_activity", "records the caller's own activity"),
        ("authentication/logout.rs", "end_sessions", "ends the caller's own sessions"),
        ("authentication/password.rs", "update", "requires the current password"),
        ("authentication/password.rs", "update_keeping_session", "requires the current password"),
        ("user/profile.rs", "update", "session-only, for the owner"),
    ];
    let mut wrong = Vec::new();
    let mut unused: BTreeSet<_> = without_target.iter().map(|(file, verb, _)| format!("{file} {verb}")).collect();
    let mut checked = 0;
    for file in rust_files(&["src/account"]) {
        let path = file.path.trim_start_matches("src/account/").to_owned();
        let code = file.code();
        let starts: Vec<usize> = code.match_indices("async fn ").map(|(at, _)| at).collect();
        for (number, start) in starts.iter().enumerate() {
            let body = &code[*start..starts.get(number + 1).copied().unwrap_or(code.len())];
            let name = body.trim_start_matches("async fn ").split(['(', '<']).next().unwrap();
            let begins = body.replace(char::is_whitespace, "").contains("app.write");
            if !begins || !body.contains("requester: &Requester") {
                continue;
            }
            checked += 1;
            let (verb, is_checked) = (format!("{path} {name}"), body.contains("user_action::"));
            if !unused.remove(&verb) && !is_checked {
                wrong.push(verb);
            }
        }
    }
    assert!(wrong.is_empty(), "without a privilege check: {wrong:?}");
    assert!(unused.is_empty(), "listed, but gone: {unused:?}");
    assert!(checked > 15, "{checked}");
}
