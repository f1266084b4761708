//! PlantDB releases, whose paths and responses differ.

/// PlantDB release whose paths a request uses; a few responses differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    /// 0.15.
    Old,
    /// 0.16 and later.
    New,
}

impl Release {
    /// Paths for token validation, refresh and API token creation.
    pub fn token_paths(self) -> [&'static str; 3] {
        match self {
            Self::Old => ["/token-validation", "/token-refresh", "/create-api-token"],
            Self::New => ["/token/validation", "/token/refresh", "/token/create-api-token"],
        }
    }
}
