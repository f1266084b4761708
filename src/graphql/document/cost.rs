//! The cost of a document: operations, directives and selections, with all fragments expanded.
//!
//! async-graphql expands a fragment at every spread while it checks its own limits: a query of 800 bytes kept a core
//! busy for 20 seconds. Here the cost of each fragment is computed once.

use std::collections::HashMap;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};

use super::lexer::MAX_BRACKETS;
use crate::config::OperationLimits;
use crate::error::{Error, Result};

/// Maximum nesting of executed selections with all fragments expanded: validation and execution recurse.
pub(crate) const MAX_NESTING: usize = MAX_BRACKETS;

/// The cost of a document.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::graphql) struct DocumentCost {
    operations: usize,
    directives: usize,
    selection_cost: SelectionCost,
}

impl DocumentCost {
    /// Computes the cost of `document`.
    pub fn of(document: &ExecutableDocument) -> Self {
        let operations: Vec<&OperationDefinition> = match &document.operations {
            DocumentOperations::Single(only) => vec![&only.node],
            DocumentOperations::Multiple(named) => named.values().map(|one| &one.node).collect(),
        };
        let mut counter = CostCounter { document, fragments: HashMap::new(), level: 0 };
        // Unused fragments count, too. Depth and root fields count where a fragment is spread: introspection fragments
        // nest deeply by nature.
        let mut cost = SelectionCost::default();
        for name in document.fragments.keys() {
            cost = cost.max_of(SelectionCost { depth: 0, root_fields: 0, ..counter.fragment_cost(name) });
        }
        for operation in &operations {
            cost = cost.max_of(counter.set_cost(&operation.selection_set.node));
        }
        Self { operations: operations.len(), directives: count_directives(document, &operations), selection_cost: cost }
    }

    /// The sum of the costs of two documents of a batch.
    pub fn plus(self, other: Self) -> Self {
        Self {
            // Per document: `graphql.max_batch` limits the number of requests.
            operations: self.operations.max(other.operations),
            directives: self.directives + other.directives,
            selection_cost: self.selection_cost.plus(other.selection_cost),
        }
    }

    /// Checks the cost against `limits`.
    ///
    /// # Errors
    /// [`Error::OperationTooComplex`] with the exceeded limit.
    pub fn check(&self, limits: &OperationLimits) -> Result<()> {
        check_limit("graphql.max_operations", self.operations, limits.operations)?;
        check_limit("graphql.max_directives", self.directives, limits.directives)?;
        check_limit("graphql.max_selections", self.selection_cost.selections, limits.selections)?;
        check_limit("graphql.max_aliases", self.selection_cost.aliases, limits.aliases)?;
        check_limit("graphql.max_depth", self.selection_cost.depth, limits.depth)?;
        check_limit("graphql.max_depth", self.selection_cost.nesting, MAX_NESTING)?;
        check_limit("graphql.max_root_fields", self.selection_cost.root_fields, limits.root_fields)
    }
}

/// Refuses a `count` above `max`, the value of the setting `limit`.
///
/// # Errors
/// [`Error::OperationTooComplex`] with the limit.
pub(in crate::graphql) fn check_limit<N: PartialOrd + std::fmt::Display>(
    limit: &'static str,
    count: N,
    max: N,
) -> Result<()> {
    if count <= max { Ok(()) } else { Err(Error::OperationTooComplex { limit, max: max.to_string() }) }
}

/// The cost of a selection set with all fragments expanded.
#[derive(Debug, Clone, Copy, Default)]
struct SelectionCost {
    selections: u64,
    aliases: u64,
    depth: u64,
    root_fields: u64,
    /// Levels of selection sets, introspection included.
    nesting: usize,
}

/// The cost of a fragment that contains itself.
const CYCLIC_FRAGMENT: SelectionCost =
    SelectionCost { selections: u64::MAX, aliases: 0, depth: 0, root_fields: 0, nesting: 0 };

/// The cost of a selection set beyond [`MAX_NESTING`].
const TOO_DEEP: SelectionCost =
    SelectionCost { selections: 0, aliases: 0, depth: 0, root_fields: 0, nesting: usize::MAX };

impl SelectionCost {
    fn plus(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            depth: self.depth.max(other.depth),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            nesting: self.nesting.max(other.nesting),
        }
    }

    /// The maximum of each part: only one operation of a document runs.
    fn max_of(self, other: Self) -> Self {
        Self {
            selections: self.selections.max(other.selections),
            aliases: self.aliases.max(other.aliases),
            depth: self.depth.max(other.depth),
            root_fields: self.root_fields.max(other.root_fields),
            nesting: self.nesting.max(other.nesting),
        }
    }
}

struct CostCounter<'a> {
    document: &'a ExecutableDocument,
    /// The cost of each fragment; `None` while it is being computed.
    fragments: HashMap<&'a Name, Option<SelectionCost>>,
    /// Nesting level of the current selection set.
    level: usize,
}

impl<'a> CostCounter<'a> {
    fn set_cost(&mut self, set: &'a SelectionSet) -> SelectionCost {
        if set.items.is_empty() {
            return SelectionCost::default();
        }
        if self.level >= MAX_NESTING {
            return TOO_DEEP;
        }
        self.level += 1;
        let cost = set
            .items
            .iter()
            .map(|item| self.selection_cost(&item.node))
            .fold(SelectionCost::default(), SelectionCost::plus);
        self.level -= 1;
        SelectionCost { nesting: cost.nesting.saturating_add(1), ..cost }
    }

    fn selection_cost(&mut self, selection: &'a Selection) -> SelectionCost {
        match selection {
            Selection::Field(field) => {
                let inner = self.set_cost(&field.node.selection_set.node);
                // Introspection nests deeply by nature; the number of its fields bounds it.
                let introspects = field.node.name.node.starts_with("__");
                SelectionCost {
                    selections: inner.selections.saturating_add(1),
                    aliases: inner.aliases.saturating_add(u64::from(field.node.alias.is_some())),
                    depth: if introspects { 0 } else { inner.depth.saturating_add(1) },
                    root_fields: 1,
                    nesting: inner.nesting,
                }
            }
            Selection::InlineFragment(inline) => self.set_cost(&inline.node.selection_set.node),
            Selection::FragmentSpread(spread) => self.fragment_cost(&spread.node.fragment_name.node),
        }
    }

    fn fragment_cost(&mut self, name: &'a Name) -> SelectionCost {
        match self.fragments.get(name) {
            Some(Some(cost)) => *cost,
            Some(None) => CYCLIC_FRAGMENT,
            None => {
                let Some(fragment) = self.document.fragments.get(name) else { return SelectionCost::default() };
                self.fragments.insert(name, None);
                let cost = self.set_cost(&fragment.node.selection_set.node);
                self.fragments.insert(name, Some(cost));
                cost
            }
        }
    }
}

/// The number of directives in the document, each counted once.
fn count_directives(document: &ExecutableDocument, operations: &[&OperationDefinition]) -> usize {
    let on_operations = operations.iter().map(|operation| {
        let variables = operation.variable_definitions.iter().map(|variable| variable.node.directives.len());
        operation.directives.len() + variables.sum::<usize>() + count_directives_in_set(&operation.selection_set.node)
    });
    let on_fragments = document
        .fragments
        .values()
        .map(|fragment| fragment.node.directives.len() + count_directives_in_set(&fragment.node.selection_set.node));
    on_operations.sum::<usize>() + on_fragments.sum::<usize>()
}

fn count_directives_in_set(set: &SelectionSet) -> usize {
    let count = |directives: &Vec<Positioned<Directive>>| directives.len();
    set.items
        .iter()
        .map(|item| {
            let inner = match &item.node {
                Selection::Field(field) => count_directives_in_set(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => count_directives_in_set(&inline.node.selection_set.node),
                Selection::FragmentSpread(_) => 0,
            };
            count(item.node.directives()) + inner
        })
        .sum()
}
