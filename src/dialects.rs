//! REST dialects of older services: the list of them, and the mount paths of each.

use axum::Router;
use utoipa::openapi::OpenApi;

use crate::account::import::ImportFormat;
use crate::app::App;
use crate::config::{Mount, Rest};

mod corvus;
pub mod flask_auth_service_mongo;
mod http_error;
mod mount;
pub mod plantdb;
pub mod tecladocode;
pub mod user_api;
mod werkzeug;

/// Every dialect. Adding one takes a line here, a line in the table of settings, and a folder of its name; without
/// these lines and the folder, a dialect is gone.
const DIALECTS: &[Dialect] = &[
    dialect("plantdb", plantdb::router, plantdb::describe).importing(plantdb::import::FORMAT),
    dialect("tecladocode", tecladocode::router, tecladocode::describe).importing(tecladocode::import::FORMAT),
    dialect("user-api", user_api::router, user_api::describe).importing(user_api::import::FORMAT),
    dialect("corvus", corvus::router, corvus::describe),
    dialect("flask-auth-service-mongo", flask_auth_service_mongo::router, flask_auth_service_mongo::describe)
        .importing(flask_auth_service_mongo::import::FORMAT),
];

/// The REST API of an older service, served to its existing clients.
struct Dialect {
    /// Name in the settings.
    name: &'static str,
    /// Builds the routes, with their full paths, for one mount.
    router: fn(&Mount) -> Router<App>,
    /// Describes the same routes for the OpenAPI document.
    describe: fn(&Mount) -> OpenApi,
    /// How `accountd import` reads the service's users.
    import: Option<ImportFormat>,
}

impl Dialect {
    const fn importing(self, format: ImportFormat) -> Self {
        Self { import: Some(format), ..self }
    }
}

const fn dialect(name: &'static str, router: fn(&Mount) -> Router<App>, describe: fn(&Mount) -> OpenApi) -> Dialect {
    Dialect { name, router, describe, import: None }
}

/// A dialect at one of its mounts.
pub struct MountedDialect {
    /// Name of the dialect in the settings.
    pub dialect: &'static str,
    /// Path, and role if the mount is restricted to one.
    pub mount: Mount,
    /// OpenAPI description of its routes at this mount.
    pub description: OpenApi,
}

/// The import formats of the older services.
pub fn import_formats() -> impl Iterator<Item = ImportFormat> {
    DIALECTS.iter().filter_map(|dialect| dialect.import)
}

/// Routes of every dialect at all its mounts. The caller has checked that no two share a path.
pub fn router(settings: &Rest) -> Router<App> {
    let mounted =
        DIALECTS.iter().flat_map(|dialect| settings.mounts(dialect.name).iter().map(move |mount| (dialect, mount)));
    mounted.fold(Router::new(), |router, (dialect, mount)| router.merge((dialect.router)(mount)))
}

/// Every dialect at each of its mounts.
pub fn describe(settings: &Rest) -> Vec<MountedDialect> {
    let mut mounted = Vec::new();
    for Dialect { name, describe, .. } in DIALECTS {
        for (index, mount) in settings.mounts(name).iter().enumerate() {
            let mut description = describe(mount);
            if index > 0 {
                // Operation ids are unique in the document, not per mount.
                crate::openapi_builder::append_to_operation_ids(&mut description, &format!("@{}", mount.path));
            }
            mounted.push(MountedDialect { dialect: name, mount: mount.clone(), description });
        }
    }
    mounted
}
