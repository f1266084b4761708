//! Which REST dialects are mounted, and where.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;

use super::reader::Reader;
use super::settings::SETTINGS;
use super::{InvalidValue, database, invalid};

/// What the setting of a dialect begins with; the dialect's name follows.
const DIALECT_PREFIX: &str = "rest.dialects.";

/// The dialect whose login is for people of a role.
const DIALECT_WITH_ROLES: &str = "auth-service";

/// The REST side.
#[derive(Clone, Debug)]
pub struct Rest {
    /// Whether a caller may ask at `GET /login` if a username is taken.
    pub has_username_check: bool,
    /// What callers of `POST /introspect` have to know; without it there is no such route.
    pub token_introspection_secret: Option<SecretString>,
    /// By dialect, where it is mounted; nowhere, if it is off.
    mounts: BTreeMap<&'static str, Vec<Mount>>,
}

/// A place where a dialect is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The path that its routes begin with.
    pub path: MountPath,
    /// The role that a login there asks for.
    pub role: Option<String>,
}

/// A path that routes can be mounted under: `/`, or segments without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountPath(String);

impl MountPath {
    /// The path, as a router takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes segments of RFC 3986's unreserved characters (section 2.3): nothing that a router or a
    /// proxy could read in two ways.
    fn parse(text: &str) -> Result<MountPath, InvalidValue> {
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_unreserved);
        let is_path = text.strip_prefix('/').is_some_and(|rest| rest.is_empty() || rest.split('/').all(is_segment));
        if is_path {
            return Ok(MountPath(text.to_owned()));
        }
        Err(invalid(
            "is not a path to mount routes under",
            "write / or a path like /api/v1 of letters, digits and -._~ without a slash at the end, several with \
             commas between; off mounts nothing",
        ))
    }
}

impl fmt::Display for MountPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Mount {
    /// `path`, which begins with a slash, in this place.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.path.as_str().trim_end_matches('/'))
    }

    /// `PATH`, or `PATH=ROLE` for a dialect that knows roles.
    fn parse(text: &str, may_have_role: bool) -> Result<Mount, InvalidValue> {
        let (path, role) = match text.split_once('=') {
            None => (text, None),
            Some((path, role)) if may_have_role && !role.is_empty() => (path, Some(role.to_owned())),
            Some(_) if may_have_role => {
                return Err(invalid("has a path with = and no role", "write /admin=admin, or leave out the ="));
            }
            Some(_) => {
                return Err(invalid("names a role, which this dialect does not ask for", "write the path alone"));
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
                list => {
                    list.split(',').map(|mount| Mount::parse(mount.trim(), dialect == DIALECT_WITH_ROLES)).collect()
                }
            });
            is_complete &= read.is_some();
            mounts.insert(dialect, read.unwrap_or_default());
        }
        let introspection =
            reader.is_set("introspection.secret").then(|| database::read_secret(reader, "introspection.secret"));
        let is_complete = is_complete && introspection.as_ref().is_none_or(Option::is_some);
        let (username_check, introspection) = (username_check?, introspection.flatten());
        is_complete.then_some(Rest {
            has_username_check: username_check,
            token_introspection_secret: introspection,
            mounts,
        })
    }

    /// Where the dialect is mounted.
    pub fn mounts(&self, dialect: &str) -> &[Mount] {
        self.mounts.get(dialect).map(Vec::as_slice).unwrap_or_default()
    }

    /// The name of the setting that says where the dialect is mounted.
    pub fn mount_setting(dialect: &str) -> String {
        format!("{DIALECT_PREFIX}{dialect}")
    }
}
