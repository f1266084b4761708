//! Computes the response size of an introspection query on the model.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};

use super::model::IntrospectionModel;
use crate::error::{Error, Result};
use crate::graphql::limits::response::ResponseBudget;

/// Fields that are lists of types, as in graphql-js's `MaxIntrospectionDepthRule`.
const NESTING_FIELDS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];

/// Maximum nesting of such fields; queries of tools do not nest them.
const MAX_LIST_NESTING: u32 = 2;

/// Maximum number of selection sets searched for root fields: the largest allowed `graphql.max_selections`.
const MAX_ROOT_SETS: usize = 10_000;

/// Bytes of `null`, the value of fields that do not apply to a kind of type.
const NULL_BYTES: usize = 4;

/// Upper bound for the bytes of an introspection type's name, quotes included.
const TYPENAME_BYTES: usize = 24;

/// The size of a response.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct ResponseSize {
    fields: usize,
    bytes: usize,
}

impl ResponseSize {
    fn plus(self, other: Self) -> Self {
        Self { fields: self.fields.saturating_add(other.fields), bytes: self.bytes.saturating_add(other.bytes) }
    }
}

/// Computes the response size of a document on the model.
pub(super) struct SizeEstimator<'a> {
    model: &'a IntrospectionModel,
    document: &'a ExecutableDocument,
    /// The size of each selection set on each object; `None` while it is being computed.
    sizes: HashMap<(*const SelectionSet, usize), Option<ResponseSize>>,
    /// Nesting of type lists in each fragment.
    nesting: HashMap<&'a Name, u32>,
    /// Remaining steps. Each field takes response bytes, so a query within the budget never exceeds them.
    remaining_steps: usize,
}

/// An introspection root field: its selection set, and the objects that it applies to.
pub(super) struct IntrospectionRoot<'a> {
    set: &'a SelectionSet,
    objects: Vec<usize>,
}

impl<'a> SizeEstimator<'a> {
    /// An estimator for `document` that visits at most `max_steps` fields.
    pub fn new(model: &'a IntrospectionModel, document: &'a ExecutableDocument, max_steps: usize) -> Self {
        Self { model, document, sizes: HashMap::new(), nesting: HashMap::new(), remaining_steps: max_steps }
    }

    /// The introspection root fields of the operation.
    pub fn find_roots(&self, operation: &'a OperationDefinition) -> Vec<IntrospectionRoot<'a>> {
        let mut roots = Vec::new();
        let mut sets = vec![&operation.selection_set.node];
        // A document within the limits has fewer sets.
        for _ in 0..MAX_ROOT_SETS {
            let Some(set) = sets.pop() else { break };
            for item in &set.items {
                match &item.node {
                    Selection::Field(field) => {
                        let set = &field.node.selection_set.node;
                        match field.node.name.node.as_str() {
                            "__schema" => roots.push(IntrospectionRoot { set, objects: vec![self.model.schema] }),
                            "__type" => {
                                roots.push(IntrospectionRoot { set, objects: self.types_named_by(&field.node) })
                            }
                            _ => {}
                        }
                    }
                    Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                    Selection::FragmentSpread(spread) => {
                        let fragment = self.document.fragments.get(&spread.node.fragment_name.node);
                        sets.extend(fragment.map(|fragment| &fragment.node.selection_set.node));
                    }
                }
            }
        }
        roots
    }

    /// The type that `__type` selects; all types if a variable selects it, of which the largest counts.
    fn types_named_by(&self, field: &Field) -> Vec<usize> {
        let types = &self.model.types;
        match field.get_argument("name").and_then(|name| name.node.clone().into_const()) {
            Some(async_graphql::Value::String(name)) => types.get(name.as_str()).copied().into_iter().collect(),
            _ => types.values().copied().collect(),
        }
    }

    /// Reserves the size of `roots` from `budget`.
    ///
    /// # Errors
    /// [`Error::OperationTooComplex`] with the exceeded limit.
    pub fn reserve(&mut self, roots: &[IntrospectionRoot<'a>], budget: &ResponseBudget) -> Result<()> {
        for IntrospectionRoot { set, objects } in roots {
            if self.list_nesting(set) > MAX_LIST_NESTING {
                let max = format!("{MAX_LIST_NESTING} for lists of types in introspection");
                return Err(Error::OperationTooComplex { limit: "graphql.max_depth", max });
            }
            let sizes: Vec<ResponseSize> = objects.iter().map(|object| self.set_size(set, *object)).collect();
            let fields = sizes.iter().map(|size| size.fields).max().unwrap_or_default();
            budget.reserve_bytes(sizes.iter().map(|size| size.bytes).max().unwrap_or_default())?;
            budget.reserve_introspection(fields)?;
        }
        Ok(())
    }

    /// Nesting of type lists in `set`.
    fn list_nesting(&mut self, set: &'a SelectionSet) -> u32 {
        let nestings = set.items.iter().map(|item| match &item.node {
            Selection::Field(field) => {
                let inner = self.list_nesting(&field.node.selection_set.node);
                inner.saturating_add(u32::from(NESTING_FIELDS.contains(&field.node.name.node.as_str())))
            }
            Selection::InlineFragment(inline) => self.list_nesting(&inline.node.selection_set.node),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                let Some(fragment) = self.document.fragments.get(name) else { return 0 };
                if let Some(nesting) = self.nesting.get(name) {
                    return *nesting;
                }
                // Validation has refused fragments that contain themselves.
                self.nesting.insert(name, u32::MAX);
                let nesting = self.list_nesting(&fragment.node.selection_set.node);
                self.nesting.insert(name, nesting);
                nesting
            }
        });
        nestings.max().unwrap_or_default()
    }

    /// The maximum size of `set` on an object: @skip, @include and arguments are ignored.
    fn set_size(&mut self, set: &'a SelectionSet, object: usize) -> ResponseSize {
        const UNBOUNDED: ResponseSize = ResponseSize { fields: usize::MAX, bytes: usize::MAX };
        match self.sizes.get(&(&raw const *set, object)) {
            Some(Some(size)) => return *size,
            Some(None) => return UNBOUNDED,
            None => drop(self.sizes.insert((&raw const *set, object), None)),
        }
        let mut sum = ResponseSize { fields: 0, bytes: 2 };
        for selection in &set.items {
            let Some(left) = self.remaining_steps.checked_sub(1) else { return UNBOUNDED };
            self.remaining_steps = left;
            sum = sum.plus(match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.len() + 4;
                    let value = self.field_size(field.node.name.node.as_str(), &field.node.selection_set.node, object);
                    value.plus(ResponseSize { fields: 1, bytes: key })
                }
                Selection::InlineFragment(inline) => self.set_size(&inline.node.selection_set.node, object),
                Selection::FragmentSpread(spread) => {
                    match self.document.fragments.get(&spread.node.fragment_name.node) {
                        Some(fragment) => self.set_size(&fragment.node.selection_set.node, object),
                        None => ResponseSize::default(),
                    }
                }
            });
        }
        self.sizes.insert((&raw const *set, object), Some(sum));
        sum
    }

    /// The size of a field's value.
    fn field_size(&mut self, name: &str, set: &'a SelectionSet, object: usize) -> ResponseSize {
        let model = self.model;
        let Some(object) = model.objects.get(object) else { return ResponseSize::default() };
        match object.children.get(name) {
            Some(children) => {
                let brackets = ResponseSize { fields: 0, bytes: children.len() + 1 };
                children.iter().map(|child| self.set_size(set, *child)).fold(brackets, ResponseSize::plus)
            }
            None if name == "__typename" => ResponseSize { fields: 0, bytes: TYPENAME_BYTES },
            None => ResponseSize { fields: 0, bytes: object.leaf_bytes.get(name).copied().unwrap_or(NULL_BYTES) },
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;
    use crate::graphql::builder;
    use crate::graphql::document::operation::select_operation;
    use crate::graphql::limits::introspection::model::{FULL_QUERY, poll_to_completion};

    /// The estimated and the actual response size of a query, in bytes.
    fn estimated_and_actual_bytes(query: &str) -> (usize, usize) {
        let schema = builder().finish();
        let model = IntrospectionModel::from_schema(&schema);
        let document = parse_query(query).unwrap();
        let mut estimator = SizeEstimator::new(&model, &document, usize::MAX);
        let roots = estimator.find_roots(select_operation(&document, None).unwrap());
        let mut sum = 0;
        for IntrospectionRoot { set, objects } in &roots {
            sum += objects.iter().map(|object| estimator.set_size(set, *object).bytes).max().unwrap_or(NULL_BYTES);
        }
        let response = poll_to_completion(schema.execute(query));
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        (sum, response.data.into_json().unwrap().to_string().len())
    }

    #[test]
    fn size_estimate_covers_the_actual_response_closely() {
        for query in [
            FULL_QUERY,
            "{ __schema { types { name possibleTypes { interfaces { possibleTypes { name } } } } } }",
            "{ __schema { types { ...f } } } fragment f on __Type { name fields { name args { name type { name } } } }",
            "{ __schema { directives { a: args { b: defaultValue type { ofType { name } } } } } }",
            "{ __type(name: \"User\") { fields { name description type { kind ofType { name __typename } } } } }",
            "{ __type(name: \"Permission\") { enumValues { name description } inputFields { name } } }",
            "{ __type(name: \"LoginInput\") { inputFields { name defaultValue isDeprecated } isOneOf } }",
        ] {
            let (estimate, bytes) = estimated_and_actual_bytes(query);
            // The estimate excludes the name of the root field and the brackets around it.
            assert!((bytes..bytes * 5 / 4 + 50).contains(&(estimate + 13)), "{query}: {estimate}, {bytes}");
        }
    }

    #[test]
    fn no_field_returns_the_query_type() {
        // The only match is `schema { query: Query }`: introspection fields exist at the root alone.
        assert_eq!(crate::graphql::sdl().matches(": Query\n").count(), 1);
    }
}
