//! The schema: the file equals the server's output, every element has a description, and none is named like a secret.

use std::path::Path;

use accountd::graphql::sdl;
use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{InputValueDefinition, TypeKind, TypeSystemDefinition};

#[test]
#[expect(clippy::disallowed_methods, reason = "a developer's switch for this test, not a setting of the program")]
fn schema_graphql_is_what_the_server_serves() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema.graphql");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, sdl()).unwrap();
    }
    let stored = std::fs::read_to_string(&file).unwrap();
    assert!(stored == sdl(), "schema.graphql is out of date: run `UPDATE_SCHEMA=1 cargo test --test it schema`");
}

/// Every named element of a schema, such as `User.email`, and its description.
fn names(sdl: &str) -> Vec<(String, Option<String>)> {
    let mut names = Vec::new();
    let text = |description: &Option<Positioned<String>>| description.as_ref().map(|text| text.node.clone());
    for definition in parse_schema(sdl).unwrap().definitions {
        let definition = match definition {
            TypeSystemDefinition::Type(definition) => definition.node,
            TypeSystemDefinition::Directive(definition) => {
                let directive = definition.node;
                names.push((format!("@{}", directive.name), text(&directive.description)));
                continue;
            }
            TypeSystemDefinition::Schema(_) => continue,
        };
        let of_type = definition.name.node.to_string();
        let mut inputs = |of: &str, inputs: &[Positioned<InputValueDefinition>]| {
            for input in inputs {
                names.push((format!("{of}.{}", input.node.name), text(&input.node.description)));
            }
        };
        let fields = match &definition.kind {
            TypeKind::Object(object) => object.fields.as_slice(),
            TypeKind::Interface(interface) => &interface.fields,
            TypeKind::InputObject(object) => {
                inputs(&of_type, &object.fields);
                &[]
            }
            TypeKind::Scalar | TypeKind::Union(_) | TypeKind::Enum(_) => &[],
        };
        for field in fields {
            inputs(&format!("{of_type}.{}", field.node.name), &field.node.arguments);
        }
        for field in fields {
            names.push((format!("{of_type}.{}", field.node.name), text(&field.node.description)));
        }
        if let TypeKind::Enum(of_enum) = &definition.kind {
            for value in &of_enum.values {
                names.push((format!("{of_type}.{}", value.node.value), text(&value.node.description)));
            }
        }
        names.push((of_type, text(&definition.description)));
    }
    names
}

/// The elements of a schema without description.
pub fn undescribed(sdl: &str) -> Vec<String> {
    let is_bare = |description: &Option<String>| description.as_ref().is_none_or(|text| text.trim().is_empty());
    names(sdl).into_iter().filter(|(_, description)| is_bare(description)).map(|(name, _)| name).collect()
}

#[test]
fn schema_describes_every_type_field_argument_and_value() {
    assert_eq!(undescribed(&sdl()), [""; 0], "these have no description");
}

/// Such a name is allowed only in the listed places: passwords are inputs and never outputs.
#[test]
fn schema_names_no_secret() {
    const NEVER: [&str; 8] = ["hash", "secret", "salt", "seal", "private", "digest", "seed", "sql"];
    const PASSWORDS: [&str; 14] = [
        "CreateUserInput.mustChangePassword",
        "CreateUserInput.password",
        "LoginInput.password",
        "Mutation.setUserPassword",
        "Mutation.setUserPassword.input",
        "Mutation.updatePassword",
        "Mutation.updatePassword.input",
        "RegisterInput.password",
        "SetUserPasswordInput.password",
        "UpdateUserInput.mustChangePassword",
        "UpdatePasswordInput.currentPassword",
        "UpdatePasswordInput.newPassword",
        "User.mustChangePassword",
        "User.passwordUpdatedAt",
    ];
    for (name, _) in names(&sdl()) {
        let Some((of_type, member)) = name.split_once('.') else { continue };
        // Codes, not values.
        if of_type == "AccountErrorCode" || of_type == "SessionEndReason" {
            continue;
        }
        let member = member.to_ascii_lowercase();
        assert!(!NEVER.iter().any(|word| member.contains(word)), "{name} is named like a secret");
        assert!(!member.contains("password") || PASSWORDS.contains(&name.as_str()), "{name} may reveal a password");
    }
}
