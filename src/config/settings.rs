//! The table of settings: names, defaults and descriptions.

use super::problem::{InvalidValue, invalid};

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Name in the file: `key`, or `section.key`.
    pub name: &'static str,
    /// The name in earlier versions, still accepted.
    pub earlier_name: Option<&'static str>,
    /// Default, written as in the environment; `None` where the description states it.
    pub default: Option<&'static str>,
    /// Description, with unit and bounds.
    pub description: &'static str,
}

/// All settings; others are rejected.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    setting("config", None, "path of the config file (TOML); by flag or environment only; default: none"),
    setting("listen", Some("127.0.0.1:8080"), "listen address: IP address and port, `localhost:8080`, or `unix:/run/accountd/socket` for a proxy on this machine, whose requests count as from 127.0.0.1"),
    setting("data_dir", Some("./data"), "directory of the embedded database and of the secret generated at first start"),
    setting("database_url", None, "`sqlite:PATH`, or a `postgres://` or `mysql://` URL; default: `accountd.db` in the data directory"),
    setting("redis_url", None, "URL of a Redis that nodes share, like `redis://:password@host:6379/0`: for rate limits per address and, with MySQL, for change notifications; default: none"),
    setting("secret_key", None, "the server's secret, at least 32 bytes; by environment or file only; default: generated at first start with an embedded database, required with any other"),
    setting("log.format", Some("text"), "`text` or `json`"),
    setting("log.filter", Some("info"), "a level, or `tracing` directives like `info,accountd=debug`"),
    setting("registration.mode", Some("open"), "who creates users: `open` (anyone), `admin` (administrators) or `closed` (no one)"),
    setting("limits.enabled", Some("true"), "rate limits; `false` is for load tests, on a loopback address only"),
    setting("limits.failed_logins_burst", Some("10"), "burst of failed logins per client address (IPv6: per /64), 1 to 1000"),
    setting("limits.failed_logins_per_minute", Some("10"), "sustained rate of failed logins per client address, 1 to 1000"),
    setting("limits.registrations_per_hour", Some("3"), "registrations per client address, 1 to 1000"),
    setting("limits.username_checks_per_minute", Some("120"), "username checks at `GET /login` per client address, 1 to 1000"),
    setting("limits.max_sessions_per_user", Some("100"), "active sessions per user, 1 to 10000; above it each login ends the oldest; applies even where `limits.enabled` is `false`"),
    setting("password.min_length", Some("8"), "minimum characters of a new password, 8 to 64"),
    setting("password.min_score", Some("2"), "minimum zxcvbn score of a new password, 1 to 4"),
    setting("password.argon2_memory_kib", Some("19456"), "Argon2id memory per hash in KiB, 12288 to 262144; the minimum depends on the iterations"),
    setting("password.argon2_iterations", Some("2"), "Argon2id iterations, 1 to 10"),
    setting("password.argon2_parallelism", Some("1"), "Argon2id lanes, 1 to 16"),
    setting("password.hash_threads", Some("0"), "hashing threads, up to 1024; 0: one per core"),
    setting("token.issuer", Some("accountd"), "`iss` of every token, up to 255 bytes"),
    setting("token.audience", Some("accountd"), "`aud` of every token, up to 255 bytes"),
    setting("token.access_lifetime_seconds", Some("900"), "lifetime of an access token, 1 to 86400"),
    setting("token.refresh_idle_seconds", Some("1209600"), "lifetime of a session without a refresh; from the access token's lifetime to the absolute lifetime"),
    setting("token.refresh_absolute_seconds", Some("2592000"), "absolute lifetime of a session, up to 31536000"),
    setting("token.refresh_grace_seconds", Some("30"), "how long after a rotation the previous refresh token is replayed although the new access token was used, 0 to 300").also("token.replay_window_seconds"),
    setting("rest.username_check", Some("true"), "whether `GET /login` reports if a username is taken"),
    setting("rest.dialects.plantdb", Some("/"), "path where the PlantDB dialect is mounted, several as in `/,/plants`, or `off`"),
    setting("rest.dialects.tecladocode", Some("off"), "the same for the dialect of the course \"REST APIs with Flask\", formerly at `/flask`"),
    setting("rest.dialects.user-api", Some("off"), "path where the user-api dialect is mounted, like `/api`, several separated by commas, or `off`"),
    setting("rest.dialects.corvus", Some("off"), "path where the Corvus dialect is mounted, several as in `/auth,/corvus`, or `off`; for a path ending in `/auth` its users are at the sibling path `/user`, else below it"),
    setting("rest.dialects.flask-auth-service-mongo", Some("off"), "path where the dialect of flask_auth_service_mongo is mounted, optionally with the role that its login requires, several as in `/admin=admin,/app`, or `off`").also("rest.dialects.auth-service"),
    setting("graphql.introspection", Some("auto"), "schema introspection and the playground; `auto`: on a loopback address without `server.trusted_proxies`, for requests without forwarding headers such as `X-Forwarded-For` or `Via`"),
    setting("graphql.max_batch", Some("0"), "maximum requests in a batch array, as Apollo's `BatchHttpLink` sends them, up to 10; 0: arrays are refused; a batch shares the limits of one request").also("graphql.batch_max"),
    setting("graphql.max_response_bytes", Some("1048576"), "maximum bytes of a response, 65536 to 16777216; a batch shares them"),
    setting("graphql.max_subscriptions_per_user", Some("20"), "maximum open subscriptions, and WebSockets for them, per user and node, 1 to 1000"),
    setting("graphql.max_query_bytes", Some("16384"), "maximum bytes of a query, 256 to 65536"),
    setting("graphql.max_tokens", Some("1000"), "maximum lexical tokens of a query, 50 to 10000"),
    setting("graphql.max_depth", Some("10"), "maximum depth of fields, 3 to 30; in introspection only lists of types count, nested twice at most"),
    setting("graphql.max_aliases", Some("15"), "maximum aliases of a query, up to 1000"),
    setting("graphql.max_root_fields", Some("10"), "maximum root fields of an operation, 1 to 100"),
    setting("graphql.max_directives", Some("20"), "maximum directives of a query, up to 1000"),
    setting("graphql.max_operations", Some("5"), "maximum operations in a query, 1 to 100"),
    setting("graphql.max_selections", Some("1000"), "maximum fields of a query, counted per fragment spread, 50 to 10000"),
    setting("graphql.max_variables", Some("100"), "maximum variables of a request, up to 1000"),
    setting("graphql.max_variable_bytes", Some("32768"), "maximum bytes of a request's variables, 256 to 65536"),
    setting("graphql.max_complexity", Some("5000"), "maximum query complexity, 100 to 100000; list fields multiply by their page size; ten introspection fields count as one"),
    setting("cors.origins", Some("none"), "origins whose pages may call the server and use cookies, exactly as browsers send them, like `https://app.example.com,http://localhost:5173`, or `none`; the server's own origin needs no entry; `capacitor://localhost`, `ionic://…`, `tauri://…`, `chrome-extension://…` and similar ones belong to applications"),
    setting("cors.allowed_headers", Some("traceparent,tracestate,baggage,sentry-trace,b3,x-b3-traceid,x-b3-spanid,x-b3-parentspanid,x-b3-sampled,uber-trace-id,x-datadog-trace-id,x-datadog-parent-id,x-datadog-origin,x-datadog-sampling-priority,newrelic,request-id,request-context,x-request-id,x-correlation-id,x-requested-with,x-apollo-operation-id,cache-control,pragma"), "comma-separated headers that pages of these origins may send besides those that the server reads, or `none`; by default those of tracing and of common clients"),
    setting("cache.max_callers", Some("20000"), "entries of the authentication cache, up to 1000000, about 1 KiB each; 0 disables it").also("cache.callers"),
    setting("server.max_connections", Some("10000"), "maximum concurrent connections, 16 to 1000000; fewer where the process may not open that many files"),
    setting("server.max_connections_per_address", Some("256"), "maximum concurrent connections per client address (IPv6: per /64), 1 to 1000000; trusted proxies are exempt"),
    setting("server.trusted_proxies", Some("none"), "networks of the proxies whose `X-Forwarded-For` (or `Forwarded`) and `X-Request-Id` are trusted, like `10.1.0.0/16,fd00::/8`, or `none`"),
    setting("server.forwarded_header", Some("x-forwarded-for"), "header in which the proxies send the client's address, `x-forwarded-for` or `forwarded` (RFC 7239); the other one is ignored"),
    setting("server.hsts", Some("false"), "send `Strict-Transport-Security` for one year; for servers behind TLS"),
    setting("server.drain_seconds", Some("15"), "seconds for in-flight requests to finish after SIGTERM, 1 to 300"),
    setting("token_introspection.secret", None, "shared secret of callers of `POST /introspect`, at least 32 bytes; by environment or file only; default: none, and the route does not exist").also("introspection.secret"),
    setting("webhooks.endpoints", Some("none"), "webhook endpoints as space-separated `name=url` pairs, like `crm=https://crm.example.org/accounts`, or `none`"),
    setting("webhooks.secrets", None, "signing secret of each endpoint, like `crm=whsec_…`; two for one name during a rotation, the new one first; by environment or file only; required for each endpoint"),
    setting("webhooks.events", Some("all"), "events of each endpoint, like `crm=user.created,user.deleted`, separated by spaces; endpoints not named receive all events, and so do all endpoints with `all`"),
    setting("webhooks.allowed_networks", Some("none"), "private networks that webhooks may call, also by http, like `10.1.0.0/16,127.0.0.1`, or `none`"),
    setting("webhooks.ca_file", None, "path of a PEM file with certificate authorities that webhooks trust besides Mozilla's list; default: none"),
];

const fn setting(name: &'static str, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting { name, earlier_name: None, default, description: meaning }
}

/// Prefix of our environment variables.
pub(super) const VARIABLE_PREFIX: &str = "ACCOUNTD_";

impl Setting {
    /// Keeps an earlier name valid.
    const fn also(self, name: &'static str) -> Self {
        Self { earlier_name: Some(name), ..self }
    }

    /// The names that sources may use, today's first.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.earlier_name)
    }

    /// The environment variable: `token.issuer` is `ACCOUNTD_TOKEN__ISSUER`, and `-` becomes `_`.
    pub fn variable(&self) -> String {
        variable(self.name)
    }

    /// Whether its value may hold a secret, which no message may quote.
    pub fn is_secret(&self) -> bool {
        matches!(
            self.name,
            "database_url"
                | "redis_url"
                | "secret_key"
                | "token_introspection.secret"
                | "webhooks.endpoints"
                | "webhooks.secrets"
        )
    }

    /// The command-line flag, if it has one.
    pub fn flag(&self) -> Option<&'static str> {
        match self.name {
            "config" => Some("--config"),
            "listen" => Some("--listen"),
            "data_dir" => Some("--data-dir"),
            "database_url" => Some("--database-url"),
            _ => None,
        }
    }
}

fn variable(name: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", name.replace('.', "__").replace('-', "_").to_uppercase())
}

/// The setting with this name, today's or an earlier one.
pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.names().any(|known| known == name))
}

/// The setting with this environment variable, today's or an earlier one.
pub(super) fn find_variable(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.names().any(|known| variable(known) == name))
}

/// Whether settings are below this name.
pub(super) fn is_section(name: &str) -> bool {
    let within = |known: &str| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    SETTINGS.iter().any(|setting| setting.names().any(within))
}

/// The problem with an unknown name; `written` is how the source writes the name of a setting.
pub(super) fn unknown(name: &str, written: impl Fn(&Setting) -> String) -> InvalidValue {
    if name == "config" {
        return invalid("is not allowed in a config file", "name the file by --config or ACCOUNTD_CONFIG");
    }
    if is_section(name) {
        return invalid("is a section, not a setting", "set its settings one by one");
    }
    match suggest(name).map(written) {
        Some(meant) => invalid("is not a setting", &format!("did you mean {meant}? Otherwise remove it")),
        None => invalid("is not a setting", "remove it; docs/configuration.md lists all settings"),
    }
}

/// The setting that was probably meant: a similar name, or the same key in another section.
fn suggest(name: &str) -> Option<&'static Setting> {
    let max_edits = 2.max(name.chars().count() / 5);
    let close = SETTINGS
        .iter()
        .map(|setting| (edit_distance(name, setting.name), setting))
        .filter(|(distance, _)| *distance <= max_edits)
        .min_by_key(|(distance, _)| *distance);
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    close.map(|(_, setting)| setting).or_else(|| SETTINGS.iter().find(|setting| last(setting.name) == last(name)))
}

/// Levenshtein distance: characters to insert, delete or replace.
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, left) in from.chars().enumerate() {
        let mut cost = line + 1;
        let mut next = vec![cost];
        for (right, (diagonal, above)) in to.iter().zip(row.iter().zip(row.iter().skip(1))) {
            let replaced = diagonal + usize::from(left != *right);
            cost = replaced.min(above + 1).min(cost + 1);
            next.push(cost);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
