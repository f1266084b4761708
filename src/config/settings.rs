//! The table of settings: what is known, what the defaults are, what each means.

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name in the file: `key`, or `section.key`.
    pub name: &'static str,
    /// What it is when nobody sets it, written as in the environment; `None` where `meaning` tells.
    pub default: Option<&'static str>,
    /// What it does, with unit and bounds.
    pub description: &'static str,
}

/// Every setting there is. Anything else is refused.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    setting("config", None, "path of the config file (TOML); by flag or environment only; default: none"),
    setting("listen", Some("127.0.0.1:8080"), "where to listen: an address and a port, `localhost:8080`, or `unix:/run/accountd/socket` for a proxy on this machine, whose requests come from 127.0.0.1"),
    setting("data_dir", Some("./data"), "directory of the embedded database and of the secret made at first start"),
    setting("database_url", None, "`sqlite:PATH`, or a `postgres://` or `mysql://` URL; default: `accountd.db` in the data directory"),
    setting("redis_url", None, "the URL of a Redis that nodes share, like `redis://:password@host:6379/0`: for the counters of addresses, and beside MySQL for news of changes; default: none"),
    setting("secret_key", None, "the server's secret, at least 32 bytes; by environment or file only; default: made at first start beside an embedded database, required beside any other"),
    setting("log.format", Some("text"), "`text` or `json`"),
    setting("log.filter", Some("info"), "a level, or `tracing` directives like `info,accountd=debug`"),
    setting("registration.mode", Some("open"), "who makes accounts: `open` (anyone), `admin` (administrators) or `closed` (nobody)"),
    setting("limits.enabled", Some("true"), "limits on attempts and requests; `false` is for load tests, on a loopback address only"),
    setting("limits.failed_logins_burst", Some("10"), "failed logins of one address (IPv6: of one /64) at once, 1 to 1000"),
    setting("limits.failed_logins_per_minute", Some("10"), "failed logins of one address in the long run, 1 to 1000"),
    setting("limits.registrations_per_hour", Some("3"), "registrations of one address, 1 to 1000"),
    setting("limits.username_checks_per_minute", Some("120"), "questions of one address at `GET /login`, 1 to 1000"),
    setting("limits.max_sessions_per_user", Some("100"), "live sessions of one user, 1 to 10000; past it each login ends the oldest; holds also where `limits.enabled` is `false`"),
    setting("password.min_length", Some("8"), "characters a new password needs, 8 to 64"),
    setting("password.min_score", Some("2"), "zxcvbn score a new password needs, 1 to 4"),
    setting("password.argon2_memory_kib", Some("19456"), "Argon2id memory of one hash in KiB, 12288 to 262144; the floor depends on the iterations"),
    setting("password.argon2_iterations", Some("2"), "Argon2id iterations, 1 to 10"),
    setting("password.argon2_parallelism", Some("1"), "Argon2id lanes, 1 to 16"),
    setting("password.hash_threads", Some("0"), "threads that hash passwords, up to 1024; 0: one for each core"),
    setting("token.issuer", Some("accountd"), "`iss` of every token, up to 255 bytes"),
    setting("token.audience", Some("accountd"), "`aud` of every token, up to 255 bytes"),
    setting("token.access_lifetime_seconds", Some("900"), "life of an access token, 1 to 86400"),
    setting("token.refresh_idle_seconds", Some("1209600"), "life of a session without a refresh; from the access token's life to the absolute life"),
    setting("token.refresh_absolute_seconds", Some("2592000"), "life of a session, up to 31536000"),
    setting("token.replay_window_seconds", Some("30"), "how long a refresh whose answer was lost can be asked again, 0 to 300"),
    setting("rest.username_check", Some("true"), "answer at `GET /login` whether a username is taken"),
    setting("rest.dialects.plantdb", Some("/"), "path where the PlantDB dialect is mounted, several as in `/,/plants`, or `off`"),
    setting("rest.dialects.tecladocode", Some("off"), "the same for the dialect of the course \"REST APIs with Flask\", whose place was `/flask`"),
    setting("rest.dialects.user-api", Some("off"), "path where the user-api dialect is mounted, several with commas between, like `/api`, or `off`"),
    setting("rest.dialects.corvus", Some("off"), "path where the Corvus dialect is mounted, several as in `/auth,/corvus`, or `off`; beside a path that ends in `/auth` its users are at `/user`, else below it"),
    setting("rest.dialects.auth-service", Some("off"), "path where the dialect of flask_auth_service_mongo is mounted, with the role that it is for, several as in `/admin=admin,/app`, or `off`"),
    setting("graphql.introspection", Some("auto"), "whether the schema can be asked for and the playground is shown; `auto`: on a loopback address without `server.trusted_proxies`, and for requests without forwarding headers such as `X-Forwarded-For` or `Via`"),
    setting("graphql.batch_max", Some("0"), "requests that may come together in one array, as Apollo's `BatchHttpLink` sends them, up to 10; 0: arrays are refused; together they may ask for as much as one alone"),
    setting("graphql.max_response_bytes", Some("1048576"), "bytes of one response, 65536 to 16777216; requests of one array share them"),
    setting("graphql.max_subscriptions_per_user", Some("20"), "subscriptions, and sockets for them, that one user may have open on a node, 1 to 1000"),
    setting("graphql.max_query_bytes", Some("16384"), "bytes of one query, 256 to 65536"),
    setting("graphql.max_tokens", Some("1000"), "tokens of one query, 50 to 10000"),
    setting("graphql.max_depth", Some("10"), "nesting of fields, 3 to 30; in introspection only lists of types count, which nest twice at most"),
    setting("graphql.max_aliases", Some("15"), "aliases of one query, up to 1000"),
    setting("graphql.max_root_fields", Some("10"), "fields at the top of one operation, 1 to 100"),
    setting("graphql.max_directives", Some("20"), "directives of one query, up to 1000"),
    setting("graphql.max_operations", Some("5"), "operations in one query, 1 to 100"),
    setting("graphql.max_selections", Some("1000"), "fields of one query with its fragments spread out, 50 to 10000"),
    setting("graphql.max_variables", Some("100"), "variables of one request, up to 1000"),
    setting("graphql.max_variable_bytes", Some("32768"), "bytes of the variables of one request, 256 to 65536"),
    setting("graphql.max_complexity", Some("5000"), "fields weighed by the lists they stand in, 100 to 100000; ten fields that introspection answers weigh as much as one"),
    setting("cors.origins", Some("none"), "origins whose pages may call the server and use cookies, exactly as browsers send them, like `https://app.example.com,http://localhost:5173`, or `none`; the server's own origin needs no entry; `capacitor://localhost`, `ionic://…`, `tauri://…`, `chrome-extension://…` and the like are those of applications"),
    setting("cors.allowed_headers", Some("traceparent,tracestate,baggage,sentry-trace,b3,x-b3-traceid,x-b3-spanid,x-b3-parentspanid,x-b3-sampled,uber-trace-id,x-datadog-trace-id,x-datadog-parent-id,x-datadog-origin,x-datadog-sampling-priority,newrelic,request-id,request-context,x-request-id,x-correlation-id,x-requested-with,x-apollo-operation-id,cache-control,pragma"), "headers that pages of these origins may send beside those that the server reads, with commas between, or `none`; they are those of tracing and of common clients by default"),
    setting("cache.callers", Some("20000"), "callers that are remembered, so that the database is not asked about them again, up to 1000000, about 1 KiB each; 0: none"),
    setting("server.max_connections", Some("10000"), "connections at a time, 16 to 1000000; fewer where the process may not open that many files"),
    setting("server.max_connections_per_address", Some("256"), "connections at a time from one address (IPv6: from one /64), 1 to 1000000; trusted proxies may have any number"),
    setting("server.trusted_proxies", Some("none"), "networks of the proxies whose `X-Forwarded-For` (or `Forwarded`) and `X-Request-Id` are believed, like `10.1.0.0/16,fd00::/8`, or `none`"),
    setting("server.forwarded_header", Some("x-forwarded-for"), "the header in which the proxies write the client's address, `x-forwarded-for` or `forwarded` (RFC 7239); the other one is ignored"),
    setting("server.hsts", Some("false"), "tell browsers to come by https only for a year; for servers behind TLS"),
    setting("server.drain_seconds", Some("15"), "how long SIGTERM waits for requests in flight, 1 to 300"),
    setting("introspection.secret", None, "what callers of `POST /introspect` have to know, at least 32 bytes; by environment or file only; default: none, and no such route"),
    setting("webhooks.endpoints", Some("none"), "who is told of what happens to accounts: names and addresses with blanks between them, like `crm=https://crm.example.org/accounts`, or `none`"),
    setting("webhooks.secrets", None, "what each endpoint's messages are signed with, like `crm=whsec_…`; two for one name while they are exchanged, the new one first; by environment or file only; required for each endpoint"),
    setting("webhooks.events", Some("all"), "what endpoints are told of, like `crm=user.created,user.deleted`, with blanks between endpoints; those that are not named are told everything; `all`: everybody is"),
    setting("webhooks.allowed_networks", Some("none"), "networks that messages may go to although they are not public, and then by http, too, like `10.1.0.0/16,127.0.0.1`, or `none`"),
    setting("webhooks.ca_file", None, "path of a PEM file with the certificates of authorities that endpoints may have theirs from, beside those of Mozilla's list; default: none"),
];

const fn setting(name: &'static str, default: Option<&'static str>, meaning: &'static str) -> Setting {
    Setting { name, default, description: meaning }
}

/// What every variable of ours begins with.
pub(super) const VARIABLE_PREFIX: &str = "ACCOUNTD_";

impl Setting {
    /// The setting's environment variable: `token.issuer` is `ACCOUNTD_TOKEN__ISSUER`, and a `-`
    /// becomes `_`.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.replace('.', "__").replace('-', "_").to_uppercase())
    }

    /// Whether its value may hold a secret: no message has a word of it.
    pub fn is_secret(&self) -> bool {
        matches!(
            self.name,
            "database_url"
                | "redis_url"
                | "secret_key"
                | "introspection.secret"
                | "webhooks.endpoints"
                | "webhooks.secrets"
        )
    }

    /// The command line's flag, for the few settings that have one.
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

pub(super) fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// The setting that was probably meant: one or two slips away, or the same key in another section.
pub(super) fn suggest(name: &str) -> Option<&'static Setting> {
    let max_edits = 2.max(name.chars().count() / 5);
    let close = SETTINGS
        .iter()
        .map(|setting| (edit_distance(name, setting.name), setting))
        .filter(|(distance, _)| *distance <= max_edits)
        .min_by_key(|(distance, _)| *distance);
    let last = |name: &str| name.rsplit('.').next().map(str::to_owned);
    close.map(|(_, setting)| setting).or_else(|| SETTINGS.iter().find(|setting| last(setting.name) == last(name)))
}

/// Levenshtein's: how many characters to insert, delete or replace.
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
