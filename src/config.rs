//! The settings: the only reader of the environment and the config file, typed, all mistakes told at once.

mod cache;
mod cors;
mod database;
mod flags;
mod graphql;
mod listen;
mod password;
mod problem;
mod reader;
mod rest;
mod server;
mod server_url;
mod settings;
mod sources;
#[cfg(test)]
mod tests;
mod token;
mod webhooks;

use std::path::PathBuf;

use secrecy::SecretString;

pub use cache::Cache;
pub use cors::{Cors, Origin};
pub use database::Database;
pub use flags::Flags;
pub use graphql::{GraphQl, OperationLimits, SchemaIntrospection};
pub use listen::ListenAddress;
pub use password::Password;
pub use problem::{Problem, Problems};
pub use rest::{Mount, MountPath, Rest};
pub use server::{ForwardedHeader, Server, Timeouts, TrustedProxies};
pub(crate) use server_url::{parse_server_url, strip_unknown_parameters};
pub use settings::{SETTINGS, Setting};
pub use token::Token;
pub use webhooks::{IpNetworks, WebhookEndpoint, WebhookEvent, Webhooks};

use reader::Reader;

/// Everything the server is told from outside, already checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the server listens.
    pub listen: ListenAddress,
    /// Where the server keeps its own files: the embedded database and the secret it makes.
    pub data_dir: PathBuf,
    /// Where accounts are kept.
    pub database: Database,
    /// The server's secret, at least 32 bytes. `None` only beside [`Database::Embedded`], where one
    /// is made at the first start.
    pub secret_key: Option<SecretString>,
    /// Variables with names like ours that Kubernetes sets for services; they are not read.
    pub service_variables: Vec<String>,
    /// What is written to standard error.
    pub log: Log,
    /// Who may make accounts.
    pub registration: Registration,
    /// Protection against too much.
    pub limits: Limits,
    /// What passwords must be and what hashing them costs.
    pub password: Password,
    /// What tokens say and how long they live.
    pub token: Token,
    /// The REST faces.
    pub rest: Rest,
    /// The GraphQL face.
    pub graphql: GraphQl,
    /// What browsers are told.
    pub cors: Cors,
    /// What nodes keep in memory, and what they share.
    pub cache: Cache,
    /// How the server itself behaves.
    pub server: Server,
    /// Who is told of what happens.
    pub webhooks: Webhooks,
}

/// What is logged, and how it looks.
#[derive(Clone, Debug)]
pub struct Log {
    /// For people or for machines.
    pub format: LogFormat,
    /// Directives for `tracing_subscriber::EnvFilter`, known to parse.
    pub filter: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How accounts come to be.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The mode.
    pub mode: RegistrationMode,
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationMode {
    /// Anyone.
    Open,
    /// Administrators, for others.
    Admin,
    /// Nobody.
    Closed,
}

/// The limits on attempts and requests.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `false` is for load tests, and only possible on a loopback address.
    pub is_enabled: bool,
    /// Failed logins of one address at once.
    pub failed_logins_burst: i32,
    /// Failed logins of one address in the long run.
    pub failed_logins_per_minute: i32,
    /// Registrations of one address.
    pub registrations_per_hour: i32,
    /// Questions of one address whether a username is taken.
    pub username_checks_per_minute: i32,
    /// Live sessions of one user.
    pub max_sessions_per_user: u64,
}

impl Config {
    /// Reads the settings: a flag beats the environment, the environment beats the file, the file
    /// beats the default. Variables that do not begin with `ACCOUNTD_` are none of ours, and those
    /// that begin with `ACCOUNTD_TEST_` belong to the tests.
    ///
    /// # Errors
    ///
    /// Every wrong or unknown setting, together. No text of a secret or of a database URL is in it.
    pub fn load(flags: Flags, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config, Problems> {
        let mut reader = Reader::collect(flags, environment);
        let config = Config::read(&mut reader);
        reader.finish(config)
    }

    /// `None` when a problem was noted. Everything is read before the first `?`, so that one mistake
    /// does not hide the next.
    fn read(reader: &mut Reader) -> Option<Config> {
        let listen: Option<ListenAddress> = reader.read("listen", |text| {
            let fix = "write it like 127.0.0.1:8080, [::1]:8080, localhost:8080 or unix:/run/accountd/socket";
            text.parse().map_err(|problem| invalid(problem, fix))
        });
        let data_dir = reader.read("data_dir", |text| Ok(PathBuf::from(text)));
        let database = database::read_url(reader, data_dir.as_deref());
        let secret_key = database::read_secret_key(reader, database.as_ref());
        let log = Log::read(reader);
        let registration = Registration::read(reader);
        let limits = Limits::read(reader, listen.as_ref());
        let password = Password::read(reader);
        let token = Token::read(reader);
        let rest = Rest::read(reader);
        let cors = Cors::read(reader);
        let cache = Cache::read(reader);
        let server = Server::read(reader);
        let is_behind_proxy = server.as_ref().is_some_and(|server| !server.trusted_proxies.is_empty());
        let is_loopback = listen.as_ref().is_some_and(ListenAddress::is_loopback);
        let graphql = GraphQl::read(reader, is_loopback, is_behind_proxy);
        let webhooks = Webhooks::read(reader);
        Some(Config {
            listen: listen?,
            data_dir: data_dir?,
            database: database?,
            secret_key,
            service_variables: reader.service_variables(),
            log: log?,
            registration: registration?,
            limits: limits?,
            password: password?,
            token: token?,
            rest: rest?,
            graphql: graphql?,
            cors: cors?,
            cache: cache?,
            server: server?,
            webhooks: webhooks?,
        })
    }
}

impl Log {
    fn read(reader: &mut Reader) -> Option<Log> {
        let format = reader.one_of("log.format", &[("text", LogFormat::Text), ("json", LogFormat::Json)]);
        let filter = reader.read("log.filter", |text| {
            let wanted =
                "write a level (error, warn, info, debug, trace or off), or directives like info,accountd=debug";
            if let Err(error) = tracing_subscriber::EnvFilter::builder().parse(text) {
                return Err(invalid(&format!("is not a filter ({error})"), wanted));
            }
            match text.split(',').map(str::trim).find(|directive| is_no_level(directive)) {
                Some(word) => Err(invalid(&format!("has {word:?}, which is no level"), wanted)),
                None => Ok(text.to_owned()),
            }
        });
        Some(Log { format: format?, filter: filter? })
    }
}

/// Whether a directive is a single word that is no level. To the filter that is a part of the program which logs
/// everything, and nothing else logs anything: a misspelt level would silence the server.
fn is_no_level(directive: &str) -> bool {
    let is_word = directive.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_word
        && !matches!(directive, "" | "accountd")
        && directive.parse::<tracing_subscriber::filter::LevelFilter>().is_err()
}

impl Registration {
    fn read(reader: &mut Reader) -> Option<Registration> {
        let modes = [
            ("open", RegistrationMode::Open),
            ("admin", RegistrationMode::Admin),
            ("closed", RegistrationMode::Closed),
        ];
        let mode = reader.one_of("registration.mode", &modes)?;
        Some(Registration { mode })
    }
}

impl Limits {
    fn read(reader: &mut Reader, listen: Option<&ListenAddress>) -> Option<Limits> {
        let enabled = reader.bool("limits.enabled");
        let burst = reader.integer("limits.failed_logins_burst", 1..=1_000);
        let per_minute = reader.integer("limits.failed_logins_per_minute", 1..=1_000);
        let registrations = reader.integer("limits.registrations_per_hour", 1..=1_000);
        let username_checks = reader.integer("limits.username_checks_per_minute", 1..=1_000);
        let sessions = reader.integer("limits.max_sessions_per_user", 1..=10_000);
        if let Some(listen) = listen
            && enabled == Some(false)
            && !listen.is_loopback()
        {
            reader.reject(
                "limits.enabled",
                format!("false is for load tests only, and {listen} can be reached from outside this machine"),
                "set it to true, or listen on 127.0.0.1 or [::1]".to_owned(),
            );
        }
        Some(Limits {
            is_enabled: enabled?,
            failed_logins_burst: burst?,
            failed_logins_per_minute: per_minute?,
            registrations_per_hour: registrations?,
            username_checks_per_minute: username_checks?,
            max_sessions_per_user: sessions?,
        })
    }
}

/// What is wrong with a value, and what to do about it.
pub(crate) struct InvalidValue {
    pub(crate) problem: String,
    pub(crate) fix: String,
}

fn invalid(problem: &str, fix: &str) -> InvalidValue {
    InvalidValue { problem: problem.to_owned(), fix: fix.to_owned() }
}
