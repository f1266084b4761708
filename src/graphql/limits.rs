//! The guard before execution: what one operation may ask for, counted before the library looks at it.
//!
//! The library expands a fragment again at every spread while it checks its own limits, so that 800 bytes keep a core
//! busy for 20 seconds with every one of them switched on. Here each fragment is counted once and remembered.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Request};

use crate::config::OperationLimits;
use crate::error::{Error, Result};

mod lexer;

/// Deepest nesting of brackets that the parser, which recurses, is given.
const MAX_BRACKETS: usize = 50;

/// Parses the request's query once and refuses what is beyond `limits`. What cannot be parsed passes: the library says
/// what is wrong with it.
///
/// # Errors
/// [`Error::TooComplex`] with the limit that was passed.
pub fn check(request: &mut Request, limits: &OperationLimits) -> Result<()> {
    within("graphql.max_query_bytes", request.query.len(), limits.query_bytes)?;
    let lexed = lexer::scan(&request.query);
    within("graphql.max_tokens", lexed.tokens, limits.tokens)?;
    within("graphql.max_depth", lexed.brackets, MAX_BRACKETS)?;
    within("graphql.max_variables", request.variables.len(), limits.variables)?;
    match request.parsed_query() {
        Ok(document) => check_document(document, limits),
        Err(_) => Ok(()),
    }
}

fn within<N: PartialOrd + std::fmt::Display>(limit: &'static str, count: N, most: N) -> Result<()> {
    if count <= most { Ok(()) } else { Err(Error::TooComplex { limit, most: most.to_string() }) }
}

fn check_document(document: &ExecutableDocument, limits: &OperationLimits) -> Result<()> {
    let operations: Vec<&OperationDefinition> = match &document.operations {
        DocumentOperations::Single(only) => vec![&only.node],
        DocumentOperations::Multiple(named) => named.values().map(|one| &one.node).collect(),
    };
    within("graphql.max_operations", operations.len(), limits.operations)?;
    within("graphql.max_directives", directives(document, &operations), limits.directives)?;
    let mut counter = Counter { document, fragments: HashMap::new() };
    // Fragments that no operation uses are checked by the library all the same, so they are counted, too.
    let fragments = document.fragments.keys().map(|name| counter.fragment(name)).collect::<Vec<_>>();
    let roots = operations.iter().map(|operation| counter.set(&operation.selection_set.node)).collect::<Vec<_>>();
    // Limit by limit: fragments come in any order, and the answer shall not depend on it.
    let highest = |count: fn(&Cost) -> u64| fragments.iter().chain(&roots).map(count).max().unwrap_or_default();
    within("graphql.max_selections", highest(|cost| cost.selections), limits.selections)?;
    within("graphql.max_aliases", highest(|cost| cost.aliases), limits.aliases)?;
    within("graphql.max_depth", highest(|cost| cost.depth), limits.depth)?;
    // The fields of a fragment are at the root only if an operation spreads it there.
    for root in &roots {
        within("graphql.max_root_fields", root.root_fields, limits.root_fields)?;
    }
    Ok(())
}

/// What a set of selections amounts to when all its fragments are spread out.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    selections: u64,
    aliases: u64,
    depth: u64,
    root_fields: u64,
}

/// A fragment that contains itself.
const ENDLESS: Cost = Cost { selections: u64::MAX, aliases: 0, depth: 0, root_fields: 0 };

impl Cost {
    fn and(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            depth: self.depth.max(other.depth),
            root_fields: self.root_fields.saturating_add(other.root_fields),
        }
    }
}

struct Counter<'a> {
    document: &'a ExecutableDocument,
    /// What each fragment amounts to; nothing while it is being counted.
    fragments: HashMap<&'a Name, Option<Cost>>,
}

impl<'a> Counter<'a> {
    fn set(&mut self, set: &'a SelectionSet) -> Cost {
        set.items.iter().map(|item| self.selection(&item.node)).fold(Cost::default(), Cost::and)
    }

    fn selection(&mut self, selection: &'a Selection) -> Cost {
        match selection {
            Selection::Field(field) => {
                let inner = self.set(&field.node.selection_set.node);
                // Introspection nests deeply by nature; it is bounded by the number of its fields like all others.
                let introspects = field.node.name.node.starts_with("__");
                Cost {
                    selections: inner.selections.saturating_add(1),
                    aliases: inner.aliases.saturating_add(u64::from(field.node.alias.is_some())),
                    depth: if introspects { 0 } else { inner.depth.saturating_add(1) },
                    root_fields: 1,
                }
            }
            Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node),
            Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node),
        }
    }

    fn fragment(&mut self, name: &'a Name) -> Cost {
        match self.fragments.get(name) {
            Some(Some(cost)) => *cost,
            Some(None) => ENDLESS,
            None => {
                let Some(fragment) = self.document.fragments.get(name) else { return Cost::default() };
                self.fragments.insert(name, None);
                let cost = self.set(&fragment.node.selection_set.node);
                self.fragments.insert(name, Some(cost));
                cost
            }
        }
    }
}

/// Directives anywhere in the document, each counted where it is written.
fn directives(document: &ExecutableDocument, operations: &[&OperationDefinition]) -> usize {
    let on_operations = operations.iter().map(|operation| {
        let variables = operation.variable_definitions.iter().map(|variable| variable.node.directives.len());
        operation.directives.len() + variables.sum::<usize>() + within_set(&operation.selection_set.node)
    });
    let on_fragments = document
        .fragments
        .values()
        .map(|fragment| fragment.node.directives.len() + within_set(&fragment.node.selection_set.node));
    on_operations.sum::<usize>() + on_fragments.sum::<usize>()
}

fn within_set(set: &SelectionSet) -> usize {
    let count = |directives: &Vec<Positioned<Directive>>| directives.len();
    set.items
        .iter()
        .map(|item| {
            let inner = match &item.node {
                Selection::Field(field) => within_set(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => within_set(&inline.node.selection_set.node),
                Selection::FragmentSpread(_) => 0,
            };
            count(item.node.directives()) + inner
        })
        .sum()
}
