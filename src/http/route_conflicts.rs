//! Route conflicts: no path belongs both to the server's own routes and to a mounted dialect, or to two dialects.

use utoipa::openapi::{PathItem, Paths};

use super::openapi::service_routes;
use super::pages::console;
use crate::config::{Problem, Problems, Rest};
use crate::dialects::{self, MountedDialect};

/// The routes of one owner: the server or a mounted dialect.
struct RouteOwner {
    /// The dialect; `None` is the server itself.
    dialect: Option<&'static str>,
    /// The name in error messages.
    label: String,
    /// Each path with its methods.
    paths: Vec<(String, Vec<&'static str>)>,
}

/// Finds paths that two dialects, one dialect twice, or a dialect and the server would serve.
///
/// # Errors
/// One problem for each pair of owners with a route in common.
pub fn check(settings: &Rest) -> Result<(), Problems> {
    let graphql = ("/graphql".to_owned(), vec!["GET", "POST"]);
    let mut own = described_paths(&service_routes(settings));
    own.push(graphql);
    own.extend(console::PATHS.map(|path| (path.to_owned(), vec!["GET"])));
    let mut owners = vec![RouteOwner { dialect: None, label: "the server".to_owned(), paths: own }];
    let mut problems = Vec::new();
    for MountedDialect { dialect, mount, description } in dialects::describe(settings) {
        let title = format!("{dialect} at {}", mount.path);
        let owner = RouteOwner { dialect: Some(dialect), label: title, paths: described_paths(&description.paths) };
        problems.extend(owners.iter().filter_map(|earlier| find_conflict(earlier, &owner)));
        owners.push(owner);
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

/// The first route that both own, as a configuration problem.
fn find_conflict(earlier: &RouteOwner, later: &RouteOwner) -> Option<Problem> {
    let pairs = || later.paths.iter().flat_map(|claimed| earlier.paths.iter().map(move |other| (claimed, other)));
    let routes = pairs().filter(|((path, _), (other, _))| overlaps(path, other));
    // Every route also serves OPTIONS.
    let route = routes
        .map(|((path, methods), (_, others))| {
            (methods.iter().find(|method| others.contains(*method)).copied().unwrap_or("OPTIONS"), path)
        })
        .min_by_key(|(method, _)| *method == "OPTIONS");
    route.map(|(method, path)| Problem {
        setting: Rest::mount_setting(later.dialect.unwrap_or_default()),
        source: None,
        problem: format!("{} and {} both serve {method} {path}", earlier.label, later.label),
        fix: "mount one of them at another path, or set it to off".to_owned(),
    })
}

/// Whether one request path can match both patterns; `{name}` matches any segment.
fn overlaps(left: &str, right: &str) -> bool {
    let (left, right): (Vec<&str>, Vec<&str>) = (left.split('/').collect(), right.split('/').collect());
    let is_parameter = |segment: &str| segment.starts_with('{');
    left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| *left == right || is_parameter(left) || is_parameter(right))
}

fn described_paths(described: &Paths) -> Vec<(String, Vec<&'static str>)> {
    let methods = |item: &PathItem| {
        let all = [
            (&item.get, "GET"),
            (&item.post, "POST"),
            (&item.put, "PUT"),
            (&item.patch, "PATCH"),
            (&item.delete, "DELETE"),
        ];
        all.into_iter().filter(|(operation, _)| operation.is_some()).map(|(_, method)| method).collect()
    };
    described.paths.iter().map(|(path, item)| (path.clone(), methods(item))).collect()
}
