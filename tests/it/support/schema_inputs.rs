//! The inputs of the schema: arguments of root fields and members of their inputs.

use std::collections::BTreeMap;

use accountd::graphql::sdl;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, EnumType, Type, TypeKind, TypeSystemDefinition};

/// A member of an input, or an argument: its name and its type.
pub type Member = (String, Type);

/// The inputs of the schema.
pub struct SchemaInputs {
    /// The members of each input object.
    pub objects: BTreeMap<String, Vec<Member>>,
    /// The values of each enum.
    pub enums: BTreeMap<String, Vec<String>>,
    /// The arguments of each root field, by `Query.name` or `Mutation.name`.
    pub root_fields: BTreeMap<String, Vec<Member>>,
    /// Root fields that return an object, and need a selection.
    pub with_selection: Vec<String>,
}

/// The name of a type without its wrappers.
pub fn base_type(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => base_type(inner),
    }
}

fn values(of: &EnumType) -> Vec<String> {
    of.values.iter().map(|value| value.node.value.node.to_string()).collect()
}

/// Reads the printed schema.
pub fn schema_inputs() -> SchemaInputs {
    let mut inputs = SchemaInputs {
        objects: BTreeMap::new(),
        enums: BTreeMap::new(),
        root_fields: BTreeMap::new(),
        with_selection: Vec::new(),
    };
    let mut composite = Vec::new();
    let mut answers = Vec::new();
    for definition in parse_schema(sdl()).unwrap().definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node.to_string();
        match definition.node.kind {
            TypeKind::Enum(of_enum) => drop(inputs.enums.insert(name, values(&of_enum))),
            TypeKind::InputObject(object) => {
                let members = object.fields.iter().map(|field| &field.node);
                let members = members.map(|field| (field.name.node.to_string(), field.ty.node.clone())).collect();
                inputs.objects.insert(name, members);
            }
            TypeKind::Object(object) => {
                if name == "Query" || name == "Mutation" {
                    for field in object.fields.iter().map(|field| &field.node) {
                        let arguments = field.arguments.iter().map(|argument| &argument.node);
                        let arguments = arguments.map(|one| (one.name.node.to_string(), one.ty.node.clone())).collect();
                        inputs.root_fields.insert(format!("{name}.{}", field.name.node), arguments);
                        answers.push((format!("{name}.{}", field.name.node), base_type(&field.ty.node).to_owned()));
                    }
                }
                composite.push(name);
            }
            TypeKind::Interface(_) | TypeKind::Union(_) => composite.push(name),
            TypeKind::Scalar => {}
        }
    }
    answers.retain(|(_, answer)| composite.contains(answer));
    inputs.with_selection = answers.into_iter().map(|(field, _)| field).collect();
    inputs
}
