//! What one GraphQL request may ask for, and what it may learn about the schema.

use super::reader::Reader;

/// The GraphQL face.
#[derive(Clone, Debug)]
pub struct GraphQl {
    /// Whether the schema can be asked for and the playground is shown.
    pub introspection: bool,
    /// Most requests that may come together in one array; 0: none, arrays are refused.
    pub batch_max: usize,
    /// Most subscriptions, and sockets for them, that one user may have open in this process.
    pub max_subscriptions_per_user: usize,
    /// Bounds of one operation.
    pub limits: OperationLimits,
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
    pub(super) fn read(reader: &mut Reader, is_loopback: bool) -> Option<GraphQl> {
        let introspection =
            reader.choice("graphql.introspection", &[("auto", is_loopback), ("true", true), ("false", false)]);
        let batch_max = reader.whole("graphql.batch_max", 0..=10);
        let max_subscriptions_per_user = reader.whole("graphql.max_subscriptions_per_user", 1..=1_000);
        let query_bytes = reader.whole("graphql.max_query_bytes", 256..=65_536);
        let tokens = reader.whole("graphql.max_tokens", 50..=10_000);
        let depth = reader.whole("graphql.max_depth", 3..=30);
        let aliases = reader.whole("graphql.max_aliases", 0..=1_000);
        let root_fields = reader.whole("graphql.max_root_fields", 1..=100);
        let directives = reader.whole("graphql.max_directives", 0..=1_000);
        let operations = reader.whole("graphql.max_operations", 1..=100);
        let selections = reader.whole("graphql.max_selections", 50..=10_000);
        let variables = reader.whole("graphql.max_variables", 0..=1_000);
        let variable_bytes = reader.whole("graphql.max_variable_bytes", 256..=65_536);
        let complexity = reader.whole("graphql.max_complexity", 100..=100_000);
        Some(GraphQl {
            introspection: introspection?,
            batch_max: batch_max?,
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
