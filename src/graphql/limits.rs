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

use super::documents::{Document, Documents, MAX_BRACKETS};
use crate::config::OperationLimits;
use crate::error::{Error, Result};

pub(super) mod complexity;

/// Deepest nesting of selections that is executed, with all fragments spread out: validation and execution recurse.
pub(super) const MAX_NESTING: usize = MAX_BRACKETS;

/// Reads the request's document and refuses what is beyond `limits`. What is no valid document passes, and says why.
///
/// # Errors
/// [`Error::TooComplex`] with the limit that was passed.
pub(super) fn check(request: &Request, documents: &Documents, limits: &OperationLimits) -> Result<Arc<Document>> {
    Spent::default().add(request, documents, limits)
}

/// The same for requests that came together: all of them may ask for as much as one alone.
///
/// # Errors
/// [`Error::TooComplex`] with the limit that they passed together.
pub(super) fn check_all(
    requests: Vec<&mut Request>,
    documents: &Documents,
    limits: &OperationLimits,
) -> Result<Vec<Arc<Document>>> {
    let mut spent = Spent::default();
    let read = requests.iter().map(|request| spent.add(request, documents, limits)).collect::<Result<_>>()?;
    complexity::share(requests, limits.complexity);
    Ok(read)
}

/// What the requests that were looked at ask for together.
#[derive(Default)]
struct Spent {
    query_bytes: usize,
    tokens: usize,
    variables: usize,
    variable_bytes: usize,
    weight: Weight,
}

impl Spent {
    fn add(&mut self, request: &Request, documents: &Documents, limits: &OperationLimits) -> Result<Arc<Document>> {
        self.query_bytes += request.query.len();
        within("graphql.max_query_bytes", self.query_bytes, limits.query_bytes)?;
        self.variables += request.variables.len();
        within("graphql.max_variables", self.variables, limits.variables)?;
        self.variable_bytes += bytes(&request.variables);
        within("graphql.max_variable_bytes", self.variable_bytes, limits.variable_bytes)?;
        let document = documents.read(&request.query, limits)?;
        self.tokens += document.tokens;
        within("graphql.max_tokens", self.tokens, limits.tokens)?;
        self.weight = self.weight.and(document.weight);
        self.weight.check(limits)?;
        Ok(document)
    }
}

/// What a document asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weight {
    operations: usize,
    directives: usize,
    cost: Cost,
}

impl Weight {
    /// What `document` asks for.
    pub fn of(document: &ExecutableDocument) -> Self {
        let operations: Vec<&OperationDefinition> = match &document.operations {
            DocumentOperations::Single(only) => vec![&only.node],
            DocumentOperations::Multiple(named) => named.values().map(|one| &one.node).collect(),
        };
        let mut counter = Counter { document, fragments: HashMap::new(), level: 0 };
        // What is in fragments that no operation uses counts, too. Their depth and their place at the root count where
        // they are spread: those of introspection nest deeply by nature.
        let mut cost = Cost::default();
        for name in document.fragments.keys() {
            cost = cost.or(Cost { depth: 0, root_fields: 0, ..counter.fragment(name) });
        }
        for operation in &operations {
            cost = cost.or(counter.set(&operation.selection_set.node));
        }
        Self { operations: operations.len(), directives: directives(document, &operations), cost }
    }

    fn and(self, other: Self) -> Self {
        Self {
            // Of each document: how many come together is for `graphql.batch_max`.
            operations: self.operations.max(other.operations),
            directives: self.directives + other.directives,
            cost: self.cost.and(other.cost),
        }
    }

    /// Refuses what is beyond `limits`.
    ///
    /// # Errors
    /// [`Error::TooComplex`] with the limit that was passed.
    pub fn check(&self, limits: &OperationLimits) -> Result<()> {
        within("graphql.max_operations", self.operations, limits.operations)?;
        within("graphql.max_directives", self.directives, limits.directives)?;
        within("graphql.max_selections", self.cost.selections, limits.selections)?;
        within("graphql.max_aliases", self.cost.aliases, limits.aliases)?;
        within("graphql.max_depth", self.cost.depth, limits.depth)?;
        within("graphql.max_depth", self.cost.nesting, MAX_NESTING)?;
        within("graphql.max_root_fields", self.cost.root_fields, limits.root_fields)
    }
}

/// How long the variables are as JSON. What cannot be written as JSON did not come as JSON.
fn bytes(variables: &Variables) -> usize {
    serde_json::to_vec(variables).map_or(usize::MAX, |json| json.len())
}

fn within<N: PartialOrd + std::fmt::Display>(limit: &'static str, count: N, most: N) -> Result<()> {
    if count <= most { Ok(()) } else { Err(Error::TooComplex { limit, most: most.to_string() }) }
}

/// What a set of selections amounts to when all its fragments are spread out.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    selections: u64,
    aliases: u64,
    depth: u64,
    root_fields: u64,
    /// Levels of selections of any kind, introspection included.
    nesting: usize,
}

/// A fragment that contains itself.
const ENDLESS: Cost = Cost { selections: u64::MAX, aliases: 0, depth: 0, root_fields: 0, nesting: 0 };

/// What nests too deeply to be counted.
const BOTTOMLESS: Cost = Cost { selections: 0, aliases: 0, depth: 0, root_fields: 0, nesting: usize::MAX };

impl Cost {
    fn and(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            depth: self.depth.max(other.depth),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            nesting: self.nesting.max(other.nesting),
        }
    }

    /// The heavier of the two in everything: one operation of a document runs.
    fn or(self, other: Self) -> Self {
        Self {
            selections: self.selections.max(other.selections),
            aliases: self.aliases.max(other.aliases),
            depth: self.depth.max(other.depth),
            root_fields: self.root_fields.max(other.root_fields),
            nesting: self.nesting.max(other.nesting),
        }
    }
}

struct Counter<'a> {
    document: &'a ExecutableDocument,
    /// What each fragment amounts to; nothing while it is being counted.
    fragments: HashMap<&'a Name, Option<Cost>>,
    /// How many sets of selections the one that is being counted stands in.
    level: usize,
}

impl<'a> Counter<'a> {
    fn set(&mut self, set: &'a SelectionSet) -> Cost {
        if set.items.is_empty() {
            return Cost::default();
        }
        if self.level >= MAX_NESTING {
            return BOTTOMLESS;
        }
        self.level += 1;
        let cost = set.items.iter().map(|item| self.selection(&item.node)).fold(Cost::default(), Cost::and);
        self.level -= 1;
        Cost { nesting: cost.nesting.saturating_add(1), ..cost }
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
                    nesting: inner.nesting,
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
