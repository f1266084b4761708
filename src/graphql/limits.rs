//! The guard before execution: what one operation may ask for, counted before the library looks at it.
//!
//! The library expands a fragment again at every spread while it checks its own limits, so that 800 bytes keep a core
//! busy for 20 seconds with every one of them switched on. Here each fragment is counted once and remembered.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Request, Variables};

use super::document::{Document, DocumentCache, MAX_BRACKETS};
use crate::config::OperationLimits;
use crate::error::{Error, Result};

pub(super) mod batch_complexity;
pub(crate) mod introspection;
pub mod response;

/// Deepest nesting of selections that is executed, with all fragments spread out: validation and execution recurse.
pub(crate) const MAX_NESTING: usize = MAX_BRACKETS;

/// Reads the request's document and refuses what is beyond `limits`. What is no valid document passes, and says why.
///
/// # Errors
/// [`Error::TooComplex`] with the limit that was passed.
pub(crate) fn parse_checked(
    request: &Request,
    documents: &DocumentCache,
    limits: &OperationLimits,
) -> Result<Arc<Document>> {
    BatchUsage::default().add(request, documents, limits)
}

/// The same for requests that came together: all of them may ask for as much as one alone.
///
/// # Errors
/// [`Error::TooComplex`] with the limit that they passed together.
pub(super) fn parse_batch_checked(
    requests: Vec<&mut Request>,
    documents: &DocumentCache,
    limits: &OperationLimits,
) -> Result<Vec<Arc<Document>>> {
    let mut spent = BatchUsage::default();
    let read = requests.iter().map(|request| spent.add(request, documents, limits)).collect::<Result<_>>()?;
    batch_complexity::share_budget(requests, limits.complexity);
    Ok(read)
}

/// What the requests that were looked at ask for together.
#[derive(Default)]
struct BatchUsage {
    query_bytes: usize,
    tokens: usize,
    variables: usize,
    variable_bytes: usize,
    weight: DocumentCost,
}

impl BatchUsage {
    fn add(&mut self, request: &Request, documents: &DocumentCache, limits: &OperationLimits) -> Result<Arc<Document>> {
        self.query_bytes += request.query.len();
        check_limit("graphql.max_query_bytes", self.query_bytes, limits.query_bytes)?;
        self.variables += request.variables.len();
        check_limit("graphql.max_variables", self.variables, limits.variables)?;
        self.variable_bytes += json_bytes(&request.variables);
        check_limit("graphql.max_variable_bytes", self.variable_bytes, limits.variable_bytes)?;
        let document = documents.get_or_parse(&request.query, limits)?;
        self.tokens += document.token_count;
        check_limit("graphql.max_tokens", self.tokens, limits.tokens)?;
        self.weight = self.weight.plus(document.cost);
        self.weight.check(limits)?;
        Ok(document)
    }
}

/// What a document asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DocumentCost {
    operations: usize,
    directives: usize,
    selection_cost: SelectionCost,
}

impl DocumentCost {
    /// What `document` asks for.
    pub fn of(document: &ExecutableDocument) -> Self {
        let operations: Vec<&OperationDefinition> = match &document.operations {
            DocumentOperations::Single(only) => vec![&only.node],
            DocumentOperations::Multiple(named) => named.values().map(|one| &one.node).collect(),
        };
        let mut counter = CostCounter { document, fragments: HashMap::new(), level: 0 };
        // What is in fragments that no operation uses counts, too. Their depth and their place at the root count where
        // they are spread: those of introspection nest deeply by nature.
        let mut cost = SelectionCost::default();
        for name in document.fragments.keys() {
            cost = cost.max_of(SelectionCost { depth: 0, root_fields: 0, ..counter.fragment_cost(name) });
        }
        for operation in &operations {
            cost = cost.max_of(counter.set_cost(&operation.selection_set.node));
        }
        Self { operations: operations.len(), directives: count_directives(document, &operations), selection_cost: cost }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            // Of each document: how many come together is for `graphql.batch_max`.
            operations: self.operations.max(other.operations),
            directives: self.directives + other.directives,
            selection_cost: self.selection_cost.plus(other.selection_cost),
        }
    }

    /// Refuses what is beyond `limits`.
    ///
    /// # Errors
    /// [`Error::TooComplex`] with the limit that was passed.
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

/// How long the variables are as JSON. What cannot be written as JSON did not come as JSON.
fn json_bytes(variables: &Variables) -> usize {
    serde_json::to_vec(variables).map_or(usize::MAX, |json| json.len())
}

fn check_limit<N: PartialOrd + std::fmt::Display>(limit: &'static str, count: N, max: N) -> Result<()> {
    if count <= max { Ok(()) } else { Err(Error::OperationTooComplex { limit, most: max.to_string() }) }
}

/// What a set of selections amounts to when all its fragments are spread out.
#[derive(Debug, Clone, Copy, Default)]
struct SelectionCost {
    selections: u64,
    aliases: u64,
    depth: u64,
    root_fields: u64,
    /// Levels of selections of any kind, introspection included.
    nesting: usize,
}

/// A fragment that contains itself.
const CYCLIC_FRAGMENT: SelectionCost =
    SelectionCost { selections: u64::MAX, aliases: 0, depth: 0, root_fields: 0, nesting: 0 };

/// What nests too deeply to be counted.
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

    /// The heavier of the two in everything: one operation of a document runs.
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
    /// What each fragment amounts to; nothing while it is being counted.
    fragments: HashMap<&'a Name, Option<SelectionCost>>,
    /// How many sets of selections the one that is being counted stands in.
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
                // Introspection nests deeply by nature; it is bounded by the number of its fields like all others.
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

/// Directives anywhere in the document, each counted where it is written.
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
