//! Limits of GraphQL requests, and access to schema introspection.

use super::reader::Reader;

/// GraphQL settings.
#[derive(Clone, Debug)]
pub struct GraphQl {
    /// Who may introspect the schema and use the playground.
    pub schema_introspection: SchemaIntrospection,
    /// Maximum requests in a batch array; 0 disables batching.
    pub max_batch: usize,
    /// Maximum size of a response, in bytes.
    pub max_response_bytes: usize,
    /// Maximum open subscriptions, and WebSockets for them, per user in this process.
    pub max_subscriptions_per_user: usize,
    /// Limits of one operation.
    pub limits: OperationLimits,
}

/// Who may introspect the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaIntrospection {
    /// Anyone.
    Open,
    /// Requests that no proxy forwarded, on a loopback address.
    Direct,
    /// No one.
    Closed,
}

/// Headers that proxies add, besides `x-forwarded*`.
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
    /// Whether a request with headers of these lower-case names may introspect the schema.
    pub fn is_allowed_for<'a>(self, headers: impl IntoIterator<Item = &'a str>) -> bool {
        let is_forwarding = |name: &str| name.starts_with("x-forwarded") || FORWARDING_HEADERS.contains(&name);
        match self {
            Self::Open => true,
            Self::Direct => !headers.into_iter().any(is_forwarding),
            Self::Closed => false,
        }
    }
}

/// Limits of one operation, checked before execution.
#[derive(Clone, Copy, Debug)]
pub struct OperationLimits {
    /// Size of the query, in bytes.
    pub query_bytes: usize,
    /// Lexical tokens of the query.
    pub tokens: usize,
    /// Depth of nested fields, without introspection fields.
    pub depth: u64,
    /// Aliases, counted per fragment spread.
    pub aliases: u64,
    /// Root fields of the query or mutation.
    pub root_fields: u64,
    /// Directives in the document.
    pub directives: usize,
    /// Operations in the document.
    pub operations: usize,
    /// Fields, counted per fragment spread.
    pub selections: u64,
    /// Variables of the operation.
    pub variables: usize,
    /// Size of the variables as JSON, in bytes.
    pub variable_bytes: usize,
    /// Complexity: each field, multiplied by the page sizes of the lists that contain it.
    pub complexity: usize,
}

impl GraphQl {
    pub(super) fn read(reader: &mut Reader, auto: SchemaIntrospection) -> Option<GraphQl> {
        let choices = [("auto", auto), ("true", SchemaIntrospection::Open), ("false", SchemaIntrospection::Closed)];
        let introspection = reader.one_of("graphql.introspection", &choices);
        let batch_max = reader.integer("graphql.max_batch", 0..=10);
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
