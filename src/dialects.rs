//! The REST faces: what gateways ask, which dialects of older services there are, and which is mounted where.

use axum::Router;
use utoipa::openapi::OpenApi;

use crate::app::App;
use crate::config::{Mount, Rest};

mod corvus;
pub mod flask_auth_service_mongo;
mod http_error;
pub mod plantdb;
pub mod tecladocode;
pub mod user_api;
mod werkzeug;

/// Every dialect. It is one line here, one in the table of settings and one file with its name.
const DIALECTS: [Dialect; 5] = [
    dialect("plantdb", plantdb::router, plantdb::describe),
    dialect("tecladocode", tecladocode::router, tecladocode::describe),
    dialect("user-api", user_api::router, user_api::describe),
    dialect("corvus", corvus::router, corvus::describe),
    dialect("auth-service", flask_auth_service_mongo::router, flask_auth_service_mongo::describe),
];

/// The words of an older service, for those who were written against it.
struct Dialect {
    /// Its name in the settings.
    name: &'static str,
    /// Its routes, with the whole path that they have in a place.
    router: fn(&Mount) -> Router<App>,
    /// The same, for the OpenAPI document.
    describe: fn(&Mount) -> OpenApi,
}

const fn dialect(name: &'static str, router: fn(&Mount) -> Router<App>, describe: fn(&Mount) -> OpenApi) -> Dialect {
    Dialect { name, router, describe }
}

/// A dialect in one of its places.
pub struct MountedDialect {
    /// The dialect's name in the settings.
    pub dialect: &'static str,
    /// The place.
    pub mount: Mount,
    /// What its routes there take and answer.
    pub description: OpenApi,
}

/// The routes of every dialect in all its places, which have been checked to be no two at the same path.
pub fn router(settings: &Rest) -> Router<App> {
    let places = DIALECTS.iter().flat_map(|dialect| settings.mounts(dialect.name).iter().map(move |at| (dialect, at)));
    places.fold(Router::new(), |router, (dialect, mount)| router.merge((dialect.router)(mount)))
}

/// Every dialect in all its places.
pub fn describe(settings: &Rest) -> Vec<MountedDialect> {
    let mut places = Vec::new();
    for Dialect { name, describe, .. } in &DIALECTS {
        for (number, mount) in settings.mounts(name).iter().enumerate() {
            let mut description = describe(mount);
            if number > 0 {
                // An operation's name is the document's, not the place's.
                crate::openapi_builder::append_to_operation_ids(&mut description, &format!("@{}", mount.path));
            }
            places.push(MountedDialect { dialect: name, mount: mount.clone(), description });
        }
    }
    places
}

/// A dialect's routes in this place.
fn nest_at(mount: &Mount, routes: Router<App>) -> Router<App> {
    // axum has no nesting at the root.
    if mount.path.as_str() == "/" { routes } else { Router::new().nest(mount.path.as_str(), routes) }
}
