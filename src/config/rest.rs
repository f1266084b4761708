//! Which REST dialects are mounted, and where.

use std::fmt;

use super::reader::Reader;
use super::{Refused, refused};

/// The REST side.
#[derive(Clone, Debug)]
pub struct Rest {
    /// Whether a caller may ask at `GET /login` if a username is taken.
    pub username_check: bool,
    /// Where the PlantDB dialect is mounted; `None`: nowhere.
    pub plantdb: Option<MountPath>,
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
    fn parse(text: &str) -> Result<MountPath, Refused> {
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_unreserved);
        let is_path = text.strip_prefix('/').is_some_and(|rest| rest.is_empty() || rest.split('/').all(is_segment));
        if is_path {
            return Ok(MountPath(text.to_owned()));
        }
        Err(refused(
            "is not a path to mount routes under",
            "write / or a path like /api/v1 of letters, digits and -._~ without a slash at the end; off mounts nothing",
        ))
    }
}

impl fmt::Display for MountPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Rest {
    pub(super) fn read(reader: &mut Reader) -> Option<Rest> {
        let username_check = reader.switch("rest.username_check");
        let plantdb = reader.read("rest.dialects.plantdb", |text| match text {
            "off" => Ok(None),
            path => MountPath::parse(path).map(Some),
        });
        Some(Rest { username_check: username_check?, plantdb: plantdb? })
    }
}
