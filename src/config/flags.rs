//! Settings that command-line flags can set.

use std::fmt;
use std::path::PathBuf;

/// Settings from flags, not yet validated. The secret key has no flag, because all users of the machine can read the
/// arguments of a process.
#[derive(Clone, Default, clap::Args)]
pub struct Flags {
    /// Read settings from this TOML file [env: ACCOUNTD_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Listen on this address [env: ACCOUNTD_LISTEN] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Keep the embedded database and the generated secret here [env: ACCOUNTD_DATA_DIR] [default: ./data]
    #[arg(long, value_name = "DIRECTORY")]
    pub data_dir: Option<PathBuf>,
    /// Use this database (sqlite:, postgres:// or mysql://) [env: ACCOUNTD_DATABASE_URL] [default: accountd.db in the data directory]
    ///
    /// Other users of the machine can see arguments: pass a URL with a password through the environment.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

/// Omits the database URL, which may hold a password.
impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flags")
            .field("config", &self.config)
            .field("listen", &self.listen)
            .field("data_dir", &self.data_dir)
            .finish_non_exhaustive()
    }
}
