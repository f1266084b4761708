//! Registration settings: who may create users.

use super::reader::Reader;

/// Registration settings.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// Who may create users.
    pub mode: RegistrationMode,
}

/// Who may create users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Anyone, for themselves.
    Open,
    /// Administrators, for others.
    Admin,
    /// No one, except on the command line.
    Closed,
}

impl Registration {
    pub(super) fn read(reader: &mut Reader) -> Option<Registration> {
        let modes = [
            ("open", RegistrationMode::Open),
            ("admin", RegistrationMode::Admin),
            ("closed", RegistrationMode::Closed),
        ];
        let mode = reader.one_of("registration.mode", &modes)?;
        Some(Registration { mode })
    }
}
