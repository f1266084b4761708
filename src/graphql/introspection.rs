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

use super::completion::chosen;
use super::error::{Failure, without_place};
use super::response_limit::ResponseBounds;
use crate::error::{Error, Result};

/// Lists of types within lists of types, as graphql-js counts them (its rule `MaxIntrospectionDepthRule`).
const NESTING: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];

/// How deeply those may nest; the queries of tools nest none of them.
const MAX_NESTING: u32 = 2;

/// Asks for everything that introspection can answer, each type once.
const EVERYTHING: &str = "{ __schema {
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
const NULL: usize = 4;

/// More bytes than the name of any type of introspection has, with quotes.
const TYPENAME: usize = 24;

/// How large an answer is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Weight {
    fields: usize,
    bytes: usize,
}

impl Weight {
    fn plus(self, other: Self) -> Self {
        Self { fields: self.fields.saturating_add(other.fields), bytes: self.bytes.saturating_add(other.bytes) }
    }
}

/// An object that introspection answers.
#[derive(Debug, Default)]
struct Item {
    /// The bytes of each scalar and of each list of scalars.
    leaves: HashMap<String, usize>,
    /// The objects in each list, and the one in each other field.
    links: HashMap<String, Vec<usize>>,
}

/// A schema's description of itself.
pub(super) struct Introspection {
    items: Vec<Item>,
    /// Where types are, by name; wrapping types by what they wrap.
    types: HashMap<String, usize>,
    schema: usize,
}

impl Introspection {
    /// The description of `schema`, whose introspection is not disabled.
    pub fn of<Q, M, S>(schema: &Schema<Q, M, S>) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        let described = now(schema.execute(EVERYTHING)).data.into_json().unwrap_or_default();
        let mut all = Self { items: Vec::new(), types: HashMap::new(), schema: 0 };
        let schema = described.get("__schema").and_then(Value::as_object).cloned().unwrap_or_default();
        let types = schema.get("types").and_then(Value::as_array).into_iter().flatten();
        for name in types.clone().filter_map(|ty| ty.get("name")?.as_str()) {
            let place = all.push(Item::default());
            all.types.insert(name.to_owned(), place);
        }
        for ty in types.filter_map(Value::as_object) {
            let item = all.item(ty);
            if let Some(place) = ty.get("name").and_then(Value::as_str).and_then(|name| all.types.get(name)).copied() {
                all.put(place, item);
            }
        }
        let item = all.item(&schema);
        all.schema = all.push(item);
        all
    }

    /// Takes what the operation of `document` that is called `name`, or its only one, introspects from `bounds`.
    ///
    /// # Errors
    /// The response that refuses it.
    pub fn admit(
        &self,
        document: &ExecutableDocument,
        name: Option<&str>,
        bounds: &ResponseBounds,
    ) -> std::result::Result<(), Box<Response>> {
        let Some(operation) = chosen(document, name) else { return Ok(()) };
        let mut weigher = Weigher {
            introspection: self,
            document,
            known: HashMap::new(),
            nesting: HashMap::new(),
            steps: bounds.left(),
        };
        let roots = weigher.roots(operation);
        if roots.is_empty() {
            return Ok(());
        }
        if !bounds.may_introspect() {
            let message = "introspection is closed here: the setting graphql.introspection opens it";
            return Err(Response::from_errors(vec![ServerError::new(message, None)]).into());
        }
        weigher
            .take(&roots, bounds)
            .map_err(|error| Response::from_errors(vec![without_place(Failure::from(error))]).into())
    }

    fn put(&mut self, place: usize, item: Item) {
        if let Some(reserved) = self.items.get_mut(place) {
            *reserved = item;
        }
    }

    fn push(&mut self, item: Item) -> usize {
        self.items.push(item);
        self.items.len() - 1
    }

    /// The item that `object` is.
    fn item(&mut self, object: &Map<String, Value>) -> Item {
        let mut item = Item::default();
        for (name, value) in object {
            let objects = match value {
                Value::Array(values) => values.iter().filter_map(Value::as_object).collect(),
                Value::Object(one) => vec![one],
                _ => Vec::new(),
            };
            if objects.is_empty() {
                item.leaves.insert(name.clone(), value.to_string().len());
            } else {
                let links = objects.into_iter().map(|one| self.link(one)).collect();
                item.links.insert(name.clone(), links);
            }
        }
        item
    }

    /// Where `object` is: types are known by their names.
    fn link(&mut self, object: &Map<String, Value>) -> usize {
        let is_type = object.contains_key("kind");
        let key = if is_type { type_key(object) } else { String::new() };
        if let Some(known) = self.types.get(&key) {
            return *known;
        }
        let item = self.item(object);
        let place = self.push(item);
        if is_type {
            self.types.insert(key, place);
        }
        place
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
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}

/// Walks a document over the description.
struct Weigher<'a> {
    introspection: &'a Introspection,
    document: &'a ExecutableDocument,
    /// What each selection amounts to on each object; nothing while it is being weighed.
    known: HashMap<(*const SelectionSet, usize), Option<Weight>>,
    /// How deeply each fragment nests lists of types.
    nesting: HashMap<&'a Name, u32>,
    /// Fields that may still be weighed. Each of them is bytes of the answer, so no admitted query has more.
    steps: usize,
}

/// A field of the query type that introspects: its selections, and the objects that they apply to.
struct Root<'a> {
    set: &'a SelectionSet,
    items: Vec<usize>,
}

impl<'a> Weigher<'a> {
    /// The fields of the operation that introspect.
    fn roots(&self, operation: &'a OperationDefinition) -> Vec<Root<'a>> {
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
                            "__schema" => roots.push(Root { set, items: vec![self.introspection.schema] }),
                            "__type" => roots.push(Root { set, items: self.named(&field.node) }),
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
    fn named(&self, field: &Field) -> Vec<usize> {
        let types = &self.introspection.types;
        match field.get_argument("name").and_then(|name| name.node.clone().into_const()) {
            Some(async_graphql::Value::String(name)) => types.get(name.as_str()).copied().into_iter().collect(),
            _ => types.values().copied().collect(),
        }
    }

    fn take(&mut self, roots: &[Root<'a>], bounds: &ResponseBounds) -> Result<()> {
        for Root { set, items } in roots {
            if self.nesting(set) > MAX_NESTING {
                let most = format!("{MAX_NESTING} for lists of types in introspection");
                return Err(Error::TooComplex { limit: "graphql.max_depth", most });
            }
            let weights: Vec<Weight> = items.iter().map(|item| self.set(set, *item)).collect();
            let fields = weights.iter().map(|weight| weight.fields).max().unwrap_or_default();
            bounds.take(weights.iter().map(|weight| weight.bytes).max().unwrap_or_default())?;
            bounds.take_introspection(fields)?;
        }
        Ok(())
    }

    /// How deeply `set` nests lists of types.
    fn nesting(&mut self, set: &'a SelectionSet) -> u32 {
        let nestings = set.items.iter().map(|item| match &item.node {
            Selection::Field(field) => {
                let inner = self.nesting(&field.node.selection_set.node);
                inner.saturating_add(u32::from(NESTING.contains(&field.node.name.node.as_str())))
            }
            Selection::InlineFragment(inline) => self.nesting(&inline.node.selection_set.node),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                let Some(fragment) = self.document.fragments.get(name) else { return 0 };
                if let Some(known) = self.nesting.get(name) {
                    return *known;
                }
                // A fragment that contains itself was refused before.
                self.nesting.insert(name, u32::MAX);
                let nesting = self.nesting(&fragment.node.selection_set.node);
                self.nesting.insert(name, nesting);
                nesting
            }
        });
        nestings.max().unwrap_or_default()
    }

    /// What `set` amounts to on an item, at most: @skip, @include and arguments are not looked at.
    fn set(&mut self, set: &'a SelectionSet, item: usize) -> Weight {
        const ENDLESS: Weight = Weight { fields: usize::MAX, bytes: usize::MAX };
        match self.known.get(&(&raw const *set, item)) {
            Some(Some(known)) => return *known,
            Some(None) => return ENDLESS,
            None => drop(self.known.insert((&raw const *set, item), None)),
        }
        let mut sum = Weight { fields: 0, bytes: 2 };
        for selection in &set.items {
            let Some(left) = self.steps.checked_sub(1) else { return ENDLESS };
            self.steps = left;
            sum = sum.plus(match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.len() + 4;
                    let value = self.field(field.node.name.node.as_str(), &field.node.selection_set.node, item);
                    value.plus(Weight { fields: 1, bytes: key })
                }
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set.node, item),
                Selection::FragmentSpread(spread) => {
                    match self.document.fragments.get(&spread.node.fragment_name.node) {
                        Some(fragment) => self.set(&fragment.node.selection_set.node, item),
                        None => Weight::default(),
                    }
                }
            });
        }
        self.known.insert((&raw const *set, item), Some(sum));
        sum
    }

    /// What the value of a field amounts to.
    fn field(&mut self, name: &str, set: &'a SelectionSet, item: usize) -> Weight {
        let introspection = self.introspection;
        let Some(item) = introspection.items.get(item) else { return Weight::default() };
        match item.links.get(name) {
            Some(links) => {
                let brackets = Weight { fields: 0, bytes: links.len() + 1 };
                links.iter().map(|link| self.set(set, *link)).fold(brackets, Weight::plus)
            }
            None if name == "__typename" => Weight { fields: 0, bytes: TYPENAME },
            None => Weight { fields: 0, bytes: item.leaves.get(name).copied().unwrap_or(NULL) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::builder;
    use async_graphql::parser::parse_query;

    /// What a query is weighed as, and how many bytes it answers.
    fn weighed(query: &str) -> (usize, usize) {
        let schema = builder().finish();
        let introspection = Introspection::of(&schema);
        let document = parse_query(query).unwrap();
        let mut weigher = Weigher {
            introspection: &introspection,
            document: &document,
            known: HashMap::new(),
            nesting: HashMap::new(),
            steps: usize::MAX,
        };
        let roots = weigher.roots(chosen(&document, None).unwrap());
        let mut sum = 0;
        for Root { set, items } in &roots {
            sum += items.iter().map(|item| weigher.set(set, *item).bytes).max().unwrap_or(NULL);
        }
        let answer = now(schema.execute(query));
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        (sum, answer.data.into_json().unwrap().to_string().len())
    }

    #[test]
    fn weighs_an_answer_nearly_to_the_byte_and_never_less() {
        for query in [
            EVERYTHING,
            "{ __schema { types { name possibleTypes { interfaces { possibleTypes { name } } } } } }",
            "{ __schema { types { ...f } } } fragment f on __Type { name fields { name args { name type { name } } } }",
            "{ __schema { directives { a: args { b: defaultValue type { ofType { name } } } } } }",
            "{ __type(name: \"User\") { fields { name description type { kind ofType { name __typename } } } } }",
            "{ __type(name: \"Permission\") { enumValues { name description } inputFields { name } } }",
            "{ __type(name: \"LoginInput\") { inputFields { name defaultValue isDeprecated } isOneOf } }",
        ] {
            let (weight, bytes) = weighed(query);
            // The name of the root field and the brackets around it are not weighed.
            assert!((bytes..bytes * 5 / 4 + 50).contains(&(weight + 13)), "{query}: {weight}, {bytes}");
        }
    }

    #[test]
    fn has_no_field_that_leads_back_to_the_query_type() {
        // The one is in `schema { query: Query }`; introspection is looked for at the root alone.
        assert_eq!(crate::graphql::sdl().matches(": Query\n").count(), 1);
    }
}
