//! What one GraphQL request may ask for, and what it may learn about the schema.

use super::reader::Reader;

/// The GraphQL face.
#[derive(Clone, Debug)]
pub struct GraphQl {
    /// Who may ask for the schema and sees the playground.
    pub schema_introspection: SchemaIntrospection,
    /// Most requests that may come together in one array; 0: none, arrays are refused.
    pub max_batch: usize,
    /// Most bytes of one response.
    pub max_response_bytes: usize,
    /// Most subscriptions, and sockets for them, that one user may have open in this process.
    pub max_subscriptions_per_user: usize,
    /// Bounds of one operation.
    pub limits: OperationLimits,
}

/// Who may ask for the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaIntrospection {
    /// Everybody.
    Open,
    /// Requests that no proxy has forwarded: the server listens on a loopback address.
    Direct,
    /// Nobody.
    Closed,
}

/// Headers that proxies add; all that begin with `x-forwarded` are some, too.
const FORWARDING_HEADERS: [&str; 9] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "true-client-ip",
    "cf-connecting-ip",
    "x-envoy-external-address",
];

impl SchemaIntrospection {
    /// Whether a request with headers of these names, in lower case, may introspect.
    pub fn is_allowed_for<'a>(self, headers: impl IntoIterator<Item = &'a str>) -> bool {
        let is_forwarding = |name: &str| name.starts_with("x-forwarded") || FORWARDING_HEADERS.contains(&name);
        match self {
            Self::Open => true,
            Self::Direct => !headers.into_iter().any(is_forwarding),
            Self::Closed => false,
        }
    }
}

/// Bounds of one operation, checked before anything of it runs.
#[derive(Clone, Copy, Debug)]
pub struct OperationLimits {
    /// Bytes of the query's text.
    pub query_bytes: usize,
    /// Lexical tokens of the query.
    pub tokens: usize,
    /// Nesting of fields; introspection is not counted.
    pub depth: u64,
    /// Aliases, with fragments counted as often as they are spread.
    pub aliases: u64,
    /// Fields of the query or mutation type.
    pub root_fields: u64,
    /// Directives anywhere in the document.
    pub directives: usize,
    /// Operations in the document.
    pub operations: usize,
    /// Fields, with fragments counted as often as they are spread.
    pub selections: u64,
    /// Variables.
    pub variables: usize,
    /// Bytes of the variables, written as JSON.
    pub variable_bytes: usize,
    /// Fields weighed by the length of the lists they stand in.
    pub complexity: usize,
}

impl GraphQl {
    pub(super) fn read(reader: &mut Reader, is_loopback: bool, is_behind_proxy: bool) -> Option<GraphQl> {
        let auto =
            if is_loopback && !is_behind_proxy { SchemaIntrospection::Direct } else { SchemaIntrospection::Closed };
        let choices = [("auto", auto), ("true", SchemaIntrospection::Open), ("false", SchemaIntrospection::Closed)];
        let introspection = reader.one_of("graphql.introspection", &choices);
        let batch_max = reader.integer("graphql.batch_max", 0..=10);
        let max_subscriptions_per_user = reader.integer("graphql.max_subscriptions_per_user", 1..=1_000);
        let max_response_bytes = reader.integer("graphql.max_response_bytes", 65_536..=16_777_216);
        let query_bytes = reader.integer("graphql.max_query_bytes", 256..=65_536);
        let tokens = reader.integer("graphql.max_tokens", 50..=10_000);
        let depth = reader.integer("graphql.max_depth", 3..=30);
        let aliases = reader.integer("graphql.max_aliases", 0..=1_000);
        let root_fields = reader.integer("graphql.max_root_fields", 1..=100);
        let directives = reader.integer("graphql.max_directives", 0..=1_000);
        let operations = reader.integer("graphql.max_operations", 1..=100);
        let selections = reader.integer("graphql.max_selections", 50..=10_000);
        let variables = reader.integer("graphql.max_variables", 0..=1_000);
        let variable_bytes = reader.integer("graphql.max_variable_bytes", 256..=65_536);
        let complexity = reader.integer("graphql.max_complexity", 100..=100_000);
        Some(GraphQl {
            schema_introspection: introspection?,
            max_batch: batch_max?,
            max_response_bytes: max_response_bytes?,
            max_subscriptions_per_user: max_subscriptions_per_user?,
            limits: OperationLimits {
                query_bytes: query_bytes?,
                tokens: tokens?,
                depth: depth?,
                aliases: aliases?,
                root_fields: root_fields?,
                directives: directives?,
                operations: operations?,
                selections: selections?,
                variables: variables?,
                variable_bytes: variable_bytes?,
                complexity: complexity?,
            },
        })
    }
}
