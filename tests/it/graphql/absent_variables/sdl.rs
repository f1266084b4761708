//! The schema as a table, and the positions of its optional values.

use std::collections::BTreeMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, InputValueDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};

pub(super) struct Sdl(pub(super) BTreeMap<String, TypeDefinition>);

/// A position of an optional value: the root field, and the names on the path to it, arguments first.
#[derive(Clone, Debug)]
pub(super) struct InputPosition {
    pub(super) operation: &'static str,
    pub(super) field: String,
    pub(super) way: Vec<String>,
}

impl Sdl {
    pub(super) fn of(text: &str) -> Self {
        let definitions = parse_schema(text).unwrap().definitions.into_iter();
        Self(
            definitions
                .filter_map(|definition| match definition {
                    TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.to_string(), ty.node)),
                    _ => None,
                })
                .collect(),
        )
    }

    /// The fields of an object, with their types and arguments.
    pub(super) fn fields(&self, name: &str) -> Vec<(String, Type, Vec<InputValueDefinition>)> {
        let fields = match &self.0[name].kind {
            TypeKind::Object(object) => &object.fields,
            TypeKind::Interface(interface) => &interface.fields,
            _ => return Vec::new(),
        };
        let arguments =
            |all: &[async_graphql::Positioned<InputValueDefinition>]| all.iter().map(|one| one.node.clone()).collect();
        fields
            .iter()
            .map(|one| (one.node.name.node.to_string(), one.node.ty.node.clone(), arguments(&one.node.arguments)))
            .collect()
    }

    /// The fields of an input object.
    pub(super) fn inputs(&self, name: &str) -> Vec<InputValueDefinition> {
        match self.0.get(name).map(|ty| &ty.kind) {
            Some(TypeKind::InputObject(object)) => object.fields.iter().map(|one| one.node.clone()).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn is_leaf(&self, ty: &Type) -> bool {
        !matches!(
            self.0.get(&named(ty)).map(|ty| &ty.kind),
            Some(TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_))
        )
    }

    /// Every position whose value may be omitted.
    pub(super) fn positions(&self) -> Vec<InputPosition> {
        let mut positions = Vec::new();
        for operation in ["query", "mutation"] {
            let root = if operation == "query" { "Query" } else { "Mutation" };
            for (field, _, arguments) in self.fields(root) {
                for argument in &arguments {
                    let way = vec![argument.name.node.to_string()];
                    self.positions_in(argument, InputPosition { operation, field: field.clone(), way }, &mut positions);
                }
            }
        }
        positions
    }

    pub(super) fn positions_in(
        &self,
        value: &InputValueDefinition,
        position: InputPosition,
        positions: &mut Vec<InputPosition>,
    ) {
        if is_optional(value) {
            positions.push(position.clone());
        }
        for inner in self.inputs(&named(&value.ty.node)) {
            let way = [&position.way[..], &[inner.name.node.to_string()]].concat();
            self.positions_in(&inner, InputPosition { way, ..position.clone() }, positions);
        }
    }

    /// All selections of a type without required arguments, to this depth.
    pub(super) fn selection(&self, name: &str, levels: usize) -> String {
        let fields = self.fields(name).into_iter().filter(|(_, _, arguments)| arguments.iter().all(is_optional));
        let selected = fields.filter_map(|(field, ty, _)| match (self.is_leaf(&ty), levels) {
            (true, _) => Some(field),
            (false, 0) => None,
            (false, _) => {
                let inner = self.selection(&named(&ty), levels - 1);
                (!inner.is_empty()).then(|| format!("{field} {{ {inner} }}"))
            }
        });
        selected.collect::<Vec<_>>().join(" ")
    }
}

/// The name of the innermost type.
pub(super) fn named(ty: &Type) -> String {
    match &ty.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(item) => named(item),
    }
}

pub(super) fn is_optional(value: &InputValueDefinition) -> bool {
    value.ty.node.nullable || value.default_value.is_some()
}
