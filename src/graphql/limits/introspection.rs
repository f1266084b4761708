//! Introspection, weighed before it runs: how many fields and bytes it answers, by the sizes of the schema's own lists.
//!
//! The library neither counts introspection nor bounds it, and types refer to each other: 243 bytes of query asked for
//! 18 MB. Here the schema describes itself once, and a query is walked over that description, each selection once for
//! each object that it applies to.

use std::collections::HashMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Name, ObjectType, Response, Schema, ServerError, SubscriptionType};
use serde_json::{Map, Value};

use super::response::ResponseBudget;
use crate::error::{Error, Result};
use crate::graphql::error::{ResolverError, without_location};
use crate::graphql::null_propagation::select_operation;

/// Lists of types within lists of types, as graphql-js counts them (its rule `MaxIntrospectionDepthRule`).
const NESTING_FIELDS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];

/// How deeply those may nest; the queries of tools nest none of them.
const MAX_LIST_NESTING: u32 = 2;

/// Asks for everything that introspection can answer, each type once.
const FULL_QUERY: &str = "{ __schema {
    description queryType { ...R } mutationType { ...R } subscriptionType { ...R }
    types {
        kind name description specifiedByURL isOneOf ofType { kind } interfaces { ...R } possibleTypes { ...R }
        fields(includeDeprecated: true) {
            name description args(includeDeprecated: true) { ...V } type { ...R } isDeprecated deprecationReason
        }
        inputFields(includeDeprecated: true) { ...V }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    }
    directives { name description locations isRepeatable args(includeDeprecated: true) { ...V } }
} }
fragment V on __InputValue { name description type { ...R } defaultValue isDeprecated deprecationReason }
fragment R on __Type {
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }
}";

/// Most selection sets that are looked through for fields of the query type: the largest `graphql.max_selections`.
const MAX_ROOT_SETS: usize = 10_000;

/// Bytes of `null`, which is what fields of other kinds of types answer.
const NULL_BYTES: usize = 4;

/// More bytes than the name of any type of introspection has, with quotes.
const TYPENAME_BYTES: usize = 24;

/// How large an answer is.
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

/// An object that introspection answers.
#[derive(Debug, Default)]
struct IntrospectedObject {
    /// The bytes of each scalar and of each list of scalars.
    leaf_bytes: HashMap<String, usize>,
    /// The objects in each list, and the one in each other field.
    children: HashMap<String, Vec<usize>>,
}

/// A schema's description of itself.
pub(crate) struct IntrospectionModel {
    objects: Vec<IntrospectedObject>,
    /// Where types are, by name; wrapping types by what they wrap.
    types: HashMap<String, usize>,
    schema: usize,
}

impl IntrospectionModel {
    /// The description of `schema`, whose introspection is not disabled.
    pub fn from_schema<Q, M, S>(schema: &Schema<Q, M, S>) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        let described = poll_to_completion(schema.execute(FULL_QUERY)).data.into_json().unwrap_or_default();
        let mut all = Self { objects: Vec::new(), types: HashMap::new(), schema: 0 };
        let schema = described.get("__schema").and_then(Value::as_object).cloned().unwrap_or_default();
        let types = schema.get("types").and_then(Value::as_array).into_iter().flatten();
        for name in types.clone().filter_map(|ty| ty.get("name")?.as_str()) {
            let index = all.push(IntrospectedObject::default());
            all.types.insert(name.to_owned(), index);
        }
        for ty in types.filter_map(Value::as_object) {
            let item = all.build_object(ty);
            if let Some(index) = ty.get("name").and_then(Value::as_str).and_then(|name| all.types.get(name)).copied() {
                all.replace(index, item);
            }
        }
        let item = all.build_object(&schema);
        all.schema = all.push(item);
        all
    }

    /// Takes what the operation of `document` that is called `name`, or its only one, introspects from `bounds`.
    ///
    /// # Errors
    /// The response that refuses it.
    pub fn reserve(
        &self,
        document: &ExecutableDocument,
        name: Option<&str>,
        budget: &ResponseBudget,
    ) -> std::result::Result<(), Box<Response>> {
        let Some(operation) = select_operation(document, name) else { return Ok(()) };
        let mut estimator = SizeEstimator {
            model: self,
            document,
            sizes: HashMap::new(),
            nesting: HashMap::new(),
            remaining_steps: budget.remaining_bytes(),
        };
        let roots = estimator.find_roots(operation);
        if roots.is_empty() {
            return Ok(());
        }
        if !budget.can_introspect() {
            let message = "introspection is closed here: the setting graphql.introspection opens it";
            return Err(Response::from_errors(vec![ServerError::new(message, None)]).into());
        }
        estimator
            .reserve(&roots, budget)
            .map_err(|error| Response::from_errors(vec![without_location(ResolverError::from(error))]).into())
    }

    fn replace(&mut self, place: usize, item: IntrospectedObject) {
        if let Some(reserved) = self.objects.get_mut(place) {
            *reserved = item;
        }
    }

    fn push(&mut self, item: IntrospectedObject) -> usize {
        self.objects.push(item);
        self.objects.len() - 1
    }

    /// The item that `object` is.
    fn build_object(&mut self, object: &Map<String, Value>) -> IntrospectedObject {
        let mut item = IntrospectedObject::default();
        for (name, value) in object {
            let objects = match value {
                Value::Array(values) => values.iter().filter_map(Value::as_object).collect(),
                Value::Object(one) => vec![one],
                _ => Vec::new(),
            };
            if objects.is_empty() {
                item.leaf_bytes.insert(name.clone(), value.to_string().len());
            } else {
                let links = objects.into_iter().map(|one| self.index_of(one)).collect();
                item.children.insert(name.clone(), links);
            }
        }
        item
    }

    /// Where `object` is: types are known by their names.
    fn index_of(&mut self, object: &Map<String, Value>) -> usize {
        let is_type = object.contains_key("kind");
        let key = if is_type { type_key(object) } else { String::new() };
        if let Some(known) = self.types.get(&key) {
            return *known;
        }
        let item = self.build_object(object);
        let index = self.push(item);
        if is_type {
            self.types.insert(key, index);
        }
        index
    }
}

/// The name of a type; `KIND(name)` for one that wraps another.
fn type_key(ty: &Map<String, Value>) -> String {
    match ty.get("ofType").and_then(Value::as_object) {
        Some(inner) => format!("{}({})", ty.get("kind").and_then(Value::as_str).unwrap_or_default(), type_key(inner)),
        None => ty.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
    }
}

/// Runs what waits for nothing but its own turns.
fn poll_to_completion<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

/// Walks a document over the description.
struct SizeEstimator<'a> {
    model: &'a IntrospectionModel,
    document: &'a ExecutableDocument,
    /// What each selection amounts to on each object; nothing while it is being weighed.
    sizes: HashMap<(*const SelectionSet, usize), Option<ResponseSize>>,
    /// How deeply each fragment nests lists of types.
    nesting: HashMap<&'a Name, u32>,
    /// Fields that may still be weighed. Each of them is bytes of the answer, so no admitted query has more.
    remaining_steps: usize,
}

/// A field of the query type that introspects: its selections, and the objects that they apply to.
struct IntrospectionRoot<'a> {
    set: &'a SelectionSet,
    objects: Vec<usize>,
}

impl<'a> SizeEstimator<'a> {
    /// The fields of the operation that introspect.
    fn find_roots(&self, operation: &'a OperationDefinition) -> Vec<IntrospectionRoot<'a>> {
        let mut roots = Vec::new();
        let mut sets = vec![&operation.selection_set.node];
        // A document within the limits has fewer of them.
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

    /// The type that `__type` asks for; if a variable says which one, the heaviest of all types counts.
    fn types_named_by(&self, field: &Field) -> Vec<usize> {
        let types = &self.model.types;
        match field.get_argument("name").and_then(|name| name.node.clone().into_const()) {
            Some(async_graphql::Value::String(name)) => types.get(name.as_str()).copied().into_iter().collect(),
            _ => types.values().copied().collect(),
        }
    }

    fn reserve(&mut self, roots: &[IntrospectionRoot<'a>], bounds: &ResponseBudget) -> Result<()> {
        for IntrospectionRoot { set, objects: items } in roots {
            if self.list_nesting(set) > MAX_LIST_NESTING {
                let most = format!("{MAX_LIST_NESTING} for lists of types in introspection");
                return Err(Error::OperationTooComplex { limit: "graphql.max_depth", most });
            }
            let weights: Vec<ResponseSize> = items.iter().map(|item| self.set_size(set, *item)).collect();
            let fields = weights.iter().map(|weight| weight.fields).max().unwrap_or_default();
            bounds.reserve_bytes(weights.iter().map(|weight| weight.bytes).max().unwrap_or_default())?;
            bounds.reserve_introspection(fields)?;
        }
        Ok(())
    }

    /// How deeply `set` nests lists of types.
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
                if let Some(known) = self.nesting.get(name) {
                    return *known;
                }
                // A fragment that contains itself was refused before.
                self.nesting.insert(name, u32::MAX);
                let nesting = self.list_nesting(&fragment.node.selection_set.node);
                self.nesting.insert(name, nesting);
                nesting
            }
        });
        nestings.max().unwrap_or_default()
    }

    /// What `set` amounts to on an item, at most: @skip, @include and arguments are not looked at.
    fn set_size(&mut self, set: &'a SelectionSet, item: usize) -> ResponseSize {
        const UNBOUNDED: ResponseSize = ResponseSize { fields: usize::MAX, bytes: usize::MAX };
        match self.sizes.get(&(&raw const *set, item)) {
            Some(Some(known)) => return *known,
            Some(None) => return UNBOUNDED,
            None => drop(self.sizes.insert((&raw const *set, item), None)),
        }
        let mut sum = ResponseSize { fields: 0, bytes: 2 };
        for selection in &set.items {
            let Some(left) = self.remaining_steps.checked_sub(1) else { return UNBOUNDED };
            self.remaining_steps = left;
            sum = sum.plus(match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.len() + 4;
                    let value = self.field_size(field.node.name.node.as_str(), &field.node.selection_set.node, item);
                    value.plus(ResponseSize { fields: 1, bytes: key })
                }
                Selection::InlineFragment(inline) => self.set_size(&inline.node.selection_set.node, item),
                Selection::FragmentSpread(spread) => {
                    match self.document.fragments.get(&spread.node.fragment_name.node) {
                        Some(fragment) => self.set_size(&fragment.node.selection_set.node, item),
                        None => ResponseSize::default(),
                    }
                }
            });
        }
        self.sizes.insert((&raw const *set, item), Some(sum));
        sum
    }

    /// What the value of a field amounts to.
    fn field_size(&mut self, name: &str, set: &'a SelectionSet, item: usize) -> ResponseSize {
        let introspection = self.model;
        let Some(item) = introspection.objects.get(item) else { return ResponseSize::default() };
        match item.children.get(name) {
            Some(links) => {
                let brackets = ResponseSize { fields: 0, bytes: links.len() + 1 };
                links.iter().map(|link| self.set_size(set, *link)).fold(brackets, ResponseSize::plus)
            }
            None if name == "__typename" => ResponseSize { fields: 0, bytes: TYPENAME_BYTES },
            None => ResponseSize { fields: 0, bytes: item.leaf_bytes.get(name).copied().unwrap_or(NULL_BYTES) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::builder;
    use async_graphql::parser::parse_query;

    /// What a query is weighed as, and how many bytes it answers.
    fn estimated_and_actual_bytes(query: &str) -> (usize, usize) {
        let schema = builder().finish();
        let model = IntrospectionModel::from_schema(&schema);
        let document = parse_query(query).unwrap();
        let mut estimator = SizeEstimator {
            model: &model,
            document: &document,
            sizes: HashMap::new(),
            nesting: HashMap::new(),
            remaining_steps: usize::MAX,
        };
        let roots = estimator.find_roots(select_operation(&document, None).unwrap());
        let mut sum = 0;
        for IntrospectionRoot { set, objects: items } in &roots {
            sum += items.iter().map(|item| estimator.set_size(set, *item).bytes).max().unwrap_or(NULL_BYTES);
        }
        let answer = poll_to_completion(schema.execute(query));
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        (sum, answer.data.into_json().unwrap().to_string().len())
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
            let (weight, bytes) = estimated_and_actual_bytes(query);
            // The name of the root field and the brackets around it are not weighed.
            assert!((bytes..bytes * 5 / 4 + 50).contains(&(weight + 13)), "{query}: {weight}, {bytes}");
        }
    }

    #[test]
    fn no_field_returns_the_query_type() {
        // The one is in `schema { query: Query }`; introspection is looked for at the root alone.
        assert_eq!(crate::graphql::sdl().matches(": Query\n").count(), 1);
    }
}
