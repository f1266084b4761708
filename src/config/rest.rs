//! REST settings: dialect mounts, the username check and the secret of token introspection.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;

use super::problem::{InvalidValue, invalid};
use super::reader::Reader;
use super::secret_key::read_secret;
use super::settings::SETTINGS;

/// Prefix of the setting of a dialect, before its name.
const DIALECT_PREFIX: &str = "rest.dialects.";

/// The dialect whose mounts can require a role.
const DIALECT_WITH_ROLES: &str = "flask-auth-service-mongo";

/// REST settings.
#[derive(Clone, Debug)]
pub struct Rest {
    /// Whether `GET /login` answers username checks.
    pub has_username_check: bool,
    /// Secret of callers of `POST /introspect`; without it the route does not exist.
    pub token_introspection_secret: Option<SecretString>,
    /// Mounts by dialect; empty if it is off.
    mounts: BTreeMap<&'static str, Vec<Mount>>,
}

/// A path at which a dialect is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Prefix of its routes.
    pub path: MountPath,
    /// Role that a login there requires.
    pub role: Option<String>,
}

/// A mount path: `/`, or segments without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountPath(String);

impl MountPath {
    /// The path in the router's syntax.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Accepts segments of RFC 3986's unreserved characters (section 2.3), which routers and proxies read alike.
    fn parse(text: &str) -> Result<MountPath, InvalidValue> {
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_unreserved);
        let is_path = text.strip_prefix('/').is_some_and(|rest| rest.is_empty() || rest.split('/').all(is_segment));
        if is_path {
            return Ok(MountPath(text.to_owned()));
        }
        Err(invalid(
            "is not a valid mount path",
            "use / or a path like /api/v1 of letters, digits and -._~ without a trailing slash, several separated \
             by commas, or off",
        ))
    }
}

impl fmt::Display for MountPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Mount {
    /// The route `path`, which begins with a slash, below this mount.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.path.as_str().trim_end_matches('/'))
    }

    /// Parses `PATH`, or `PATH=ROLE` for a dialect with roles.
    fn parse(text: &str, dialect: &str) -> Result<Mount, InvalidValue> {
        let has_roles = dialect == DIALECT_WITH_ROLES;
        let (path, role) = match text.split_once('=') {
            None => (text, None),
            Some((path, role)) if has_roles && !role.is_empty() => (path, Some(role.to_owned())),
            Some(_) if has_roles => {
                return Err(invalid("has a path with = but no role", "use a form like /admin=admin, or remove the ="));
            }
            Some(_) => {
                return Err(invalid("names a role, which this dialect does not support", "use the path alone"));
            }
        };
        Ok(Mount { path: MountPath::parse(path)?, role })
    }
}

impl Rest {
    pub(super) fn read(reader: &mut Reader) -> Option<Rest> {
        let username_check = reader.bool("rest.username_check");
        let mut mounts = BTreeMap::new();
        let mut is_complete = true;
        for setting in SETTINGS {
            let Some(dialect) = setting.name.strip_prefix(DIALECT_PREFIX) else { continue };
            let read = reader.read(setting.name, |text| match text {
                "off" => Ok(Vec::new()),
                list => list.split(',').map(|mount| Mount::parse(mount.trim(), dialect)).collect(),
            });
            is_complete &= read.is_some();
            mounts.insert(dialect, read.unwrap_or_default());
        }
        let introspection =
            reader.is_set("token_introspection.secret").then(|| read_secret(reader, "token_introspection.secret"));
        let is_complete = is_complete && introspection.as_ref().is_none_or(Option::is_some);
        let (username_check, introspection) = (username_check?, introspection.flatten());
        is_complete.then_some(Rest {
            has_username_check: username_check,
            token_introspection_secret: introspection,
            mounts,
        })
    }

    /// The mounts of the dialect.
    pub fn mounts(&self, dialect: &str) -> &[Mount] {
        self.mounts.get(dialect).map(Vec::as_slice).unwrap_or_default()
    }

    /// The setting that mounts the dialect.
    pub fn mount_setting(dialect: &str) -> String {
        format!("{DIALECT_PREFIX}{dialect}")
    }
}
