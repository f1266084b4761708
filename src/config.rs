//! Settings from flags, environment and config file: typed, validated, with all errors reported together.

mod cache;
mod cors;
mod database;
mod file;
mod flags;
mod graphql;
mod ip_networks;
mod limits;
mod listen;
mod log;
mod password;
mod problem;
mod reader;
mod redis;
mod registration;
mod rest;
mod secret_key;
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
pub use ip_networks::IpNetworks;
pub use limits::Limits;
pub use listen::ListenAddress;
pub use log::{Log, LogFormat};
pub use password::Password;
pub use problem::{Problem, Problems};
pub use redis::Redis;
pub use registration::{Registration, RegistrationMode};
pub use rest::{Mount, MountPath, Rest};
pub use server::{ForwardedHeader, Server, Timeouts};
pub(crate) use server_url::{parse_server_url, strip_unknown_parameters};
pub use settings::{SETTINGS, Setting};
pub use token::Token;
pub use webhooks::{WebhookEndpoint, WebhookEvent, Webhooks};

use problem::invalid;
use reader::Reader;

/// All settings, validated.
#[derive(Clone, Debug)]
pub struct Config {
    /// Listen address.
    pub listen: ListenAddress,
    /// Directory of the server's own files: the embedded database and the generated secret.
    pub data_dir: PathBuf,
    /// The database to use.
    pub database: Database,
    /// The server's secret, at least 32 bytes. `None` only with [`Database::Embedded`], where the first start generates
    /// one.
    pub secret_key: Option<SecretString>,
    /// Variables with our prefix that Kubernetes sets for services; they are ignored.
    pub service_variables: Vec<String>,
    /// Logging to standard error.
    pub log: Log,
    /// Who may create users.
    pub registration: Registration,
    /// Rate limits and session limits.
    pub limits: Limits,
    /// Password policy and hashing cost.
    pub password: Password,
    /// Token claims and lifetimes.
    pub token: Token,
    /// REST routes and dialects.
    pub rest: Rest,
    /// GraphQL limits and schema introspection.
    pub graphql: GraphQl,
    /// Access for pages of other origins.
    pub cors: Cors,
    /// The authentication cache.
    pub cache: Cache,
    /// The Redis that nodes share.
    pub redis: Redis,
    /// Connections, timeouts and trusted proxies of the HTTP server.
    pub server: Server,
    /// Webhook endpoints and their networks.
    pub webhooks: Webhooks,
}

impl Config {
    /// Loads the settings: flags override the environment, which overrides the file, which overrides the defaults.
    /// Variables without the prefix `ACCOUNTD_` are ignored; `ACCOUNTD_TEST_` is reserved for the tests.
    ///
    /// # Errors
    ///
    /// All invalid and unknown settings together, without the text of a secret or of a database URL.
    pub fn load(flags: Flags, environment: impl IntoIterator<Item = (String, String)>) -> Result<Config, Problems> {
        let mut reader = Reader::collect(flags, environment);
        let config = Config::read(&mut reader);
        reader.finish(config)
    }

    /// `None` when a problem was recorded. Everything is read before the first `?`, so that one error does not hide
    /// another.
    fn read(reader: &mut Reader) -> Option<Config> {
        let listen: Option<ListenAddress> = reader.read("listen", |text| {
            let fix = "use an address like 127.0.0.1:8080, [::1]:8080, localhost:8080 or unix:/run/accountd/socket";
            text.parse().map_err(|problem| invalid(problem, fix))
        });
        let data_dir = reader.read("data_dir", |text| Ok(PathBuf::from(text)));
        let database = database::read_url(reader, data_dir.as_deref());
        let secret_key = secret_key::read_secret_key(reader, database.as_ref());
        let log = Log::read(reader);
        let registration = Registration::read(reader);
        let limits = Limits::read(reader, listen.as_ref());
        let password = Password::read(reader);
        let token = Token::read(reader);
        let rest = Rest::read(reader);
        let cors = Cors::read(reader);
        let cache = Cache::read(reader);
        let redis = Redis::read(reader);
        let server = Server::read(reader);
        let is_behind_proxy = server.as_ref().is_some_and(|server| !server.trusted_proxies.is_empty());
        let is_loopback = listen.as_ref().is_some_and(ListenAddress::is_loopback);
        let auto_introspection =
            if is_loopback && !is_behind_proxy { SchemaIntrospection::Direct } else { SchemaIntrospection::Closed };
        let graphql = GraphQl::read(reader, auto_introspection);
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
            redis: redis?,
            server: server?,
            webhooks: webhooks?,
        })
    }
}
