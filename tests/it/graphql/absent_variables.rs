//! An absent variable is absent, not null (GraphQL sections 3.10 and 6.4.1): for every argument and input field of both
//! schemas, the operation behaves as if the field were omitted.
//!
//! Two services run the same sequence, because their clocks stand still and their entropy repeats. One receives the
//! field with a variable without value, the other receives no field; responses and rows must be equal.

mod sdl;

use accountd::graphql;
use async_graphql::parser::types::InputValueDefinition;
use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::support::{Actor, PASSWORD, TestApp};
use sdl::{InputPosition, Sdl, is_optional, named};

const SETTINGS: [(&str, &str); 5] = [
    ("ACCOUNTD_GRAPHQL__MAX_COMPLEXITY", "100000"),
    ("ACCOUNTD_GRAPHQL__MAX_ROOT_FIELDS", "100"),
    ("ACCOUNTD_GRAPHQL__MAX_RESPONSE_BYTES", "16777216"),
    ("ACCOUNTD_GRAPHQL__INTROSPECTION", "true"),
    ("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/any"),
];

/// Required inputs of the operation at a position, and its sender.
struct Sender<'a> {
    actor: &'a Actor,
    path: &'a str,
    /// Required values by argument, with required members of input objects.
    given: Map<String, Value>,
}

/// The document that passes `given` by variables and, if requested, `absent` by a variable without value.
fn document(
    sdl: &Sdl,
    position: &InputPosition,
    given: &Map<String, Value>,
    is_written: bool,
) -> (String, Map<String, Value>) {
    let root = if position.operation == "query" { "Query" } else { "Mutation" };
    let (_, ty, arguments) = sdl.fields(root).into_iter().find(|(field, ..)| *field == position.field).unwrap();
    let (mut definitions, mut variables) = (Vec::new(), Map::new());
    let way: Vec<&str> = position.way.iter().map(String::as_str).collect();
    let written = values(sdl, &arguments, given, is_written.then_some(&way[..]), &mut definitions, &mut variables);
    let selection = sdl.selection(&named(&ty), 3);
    let text = |parts: &[String]| if parts.is_empty() { String::new() } else { format!("({})", parts.join(", ")) };
    let query = format!(
        "{}{} {{ {}{} {{ {selection} }} }}",
        position.operation,
        text(&definitions),
        position.field,
        text(&written)
    );
    (query, variables)
}

fn values(
    sdl: &Sdl,
    known: &[InputValueDefinition],
    given: &Map<String, Value>,
    absent: Option<&[&str]>,
    definitions: &mut Vec<String>,
    variables: &mut Map<String, Value>,
) -> Vec<String> {
    let mut written = Vec::new();
    for value in known {
        let name = value.name.node.to_string();
        let inner = sdl.inputs(&named(&value.ty.node));
        let below = absent.filter(|way| way[0] == name).map(|way| &way[1..]);
        match (below, given.get(&name)) {
            (Some([]), _) => {
                let ty = value.ty.node.to_string();
                definitions.push(format!("$absent: {}", ty.trim_end_matches('!')));
                written.push(format!("{name}: $absent"));
            }
            (below, Some(Value::Object(members))) if !inner.is_empty() => {
                let members = values(sdl, &inner, members, below, definitions, variables);
                written.push(format!("{name}: {{{}}}", members.join(", ")));
            }
            (_, Some(one)) => {
                let variable = format!("v{}", variables.len());
                definitions.push(format!("${variable}: {}", value.ty.node));
                written.push(format!("{name}: ${variable}"));
                variables.insert(variable, one.clone());
            }
            (Some(_), None) => panic!("{name} must be in the row of this operation"),
            (None, None) => {}
        }
    }
    written
}

/// A service with a user and everything that an operation can change.
struct Fixture {
    name: String,
    root: Actor,
    ann: Actor,
    other_session: String,
    api_token: String,
}

impl Fixture {
    async fn new(app: &TestApp, root: &Actor, number: usize) -> Self {
        let name = format!("ann{number}");
        let account = json!({
            "username": name, "password": PASSWORD, "email": format!("{name}@example.org"), "displayName": "Ann",
            "roles": ["admin"], "mustChangePassword": false,
        });
        root.mutate_ok("createUser", account, "user { id }").await;
        let ann = app.login(&name, PASSWORD).await;
        let input = json!({
            "name": "robot", "note": "note", "permissions": ["USERS_READ"], "scopes": ["x"], "expiresIn": 86_400,
        });
        let made = ann.mutate_ok("createApiToken", input, "apiToken { id }").await;
        let other = app.login(&name, PASSWORD).await;
        let session = other.send("{ me { sessions(first: 1) { nodes { id } } } }", json!({})).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let other_session = text(&session.data()["me"]["sessions"]["nodes"][0]["id"]);
        let api_token = text(&made["apiToken"]["id"]);
        Self { name, root: root.clone(), ann, other_session, api_token }
    }

    /// The required inputs of each operation of the core schema; a new operation needs a row.
    fn sender(&self, position: &InputPosition) -> Sender<'_> {
        let Self { name, root, ann, .. } = self;
        let (actor, given) = match position.field.as_str() {
            "register" => (root, json!({ "input": { "username": format!("new-{name}"), "password": PASSWORD } })),
            "login" => (root, json!({ "input": { "username": name, "password": PASSWORD } })),
            "refresh" | "logout" => (ann, json!({ "input": {} })),
            "updatePassword" => {
                (ann, json!({ "input": { "currentPassword": PASSWORD, "newPassword": "another-horse-battery-8" } }))
            }
            "setUserPassword" => {
                (root, json!({ "input": { "userId": ann.id, "password": "another-horse-battery-8" } }))
            }
            "updateProfile" => (ann, json!({ "input": {} })),
            "revokeSession" => (ann, json!({ "input": { "sessionId": self.other_session } })),
            "createApiToken" => (ann, json!({ "input": { "name": "other", "permissions": ["USERS_READ"] } })),
            "updateApiToken" | "revokeApiToken" => (ann, json!({ "input": { "apiTokenId": self.api_token } })),
            "createUser" => (root, json!({ "input": { "username": format!("new-{name}"), "password": PASSWORD } })),
            "updateUser" => (root, json!({ "input": { "userId": ann.id } })),
            "setUserStatus" => (root, json!({ "input": { "userId": ann.id, "status": "ACTIVE" } })),
            "deleteUser" => (root, json!({ "input": { "userId": ann.id } })),
            "saveRole" => (root, json!({ "input": { "name": name, "permissions": ["USERS_READ"] } })),
            "setUserRoles" => (root, json!({ "input": { "userId": ann.id, "roles": [] } })),
            "saveTenant" => (root, json!({ "input": { "name": format!("tenant-{name}") } })),
            "user" if position.way[0] == "username" => (root, json!({ "id": ann.id })),
            "user" => (root, json!({ "username": name })),
            "users" => {
                let order = json!({ "field": "USERNAME" });
                let given = if position.way[0] == "orderBy" && position.way.len() > 1 {
                    json!({ "orderBy": order })
                } else {
                    json!({ "filter": {} })
                };
                (root, given)
            }
            "node" => (root, json!({ "id": ann.id })),
            "tenants" => (root, json!({})),
            other => panic!("the operation {other} needs a row here"),
        };
        Sender { actor, path: "/graphql", given: given.as_object().unwrap().clone() }
    }

    /// The same for the schema of the auth-service dialect.
    async fn auth_service_sender(&self, position: &InputPosition) -> Sender<'_> {
        let find = format!("{{ users(username: \"{}\") {{ edges {{ node {{ id }} }} }} }}", self.name);
        let found = self.root.json(Method::POST, "/any/graphql", &json!({ "query": find })).await.data();
        let id = found["users"]["edges"][0]["node"]["id"].clone();
        let given = match position.field.as_str() {
            "create_user" => json!({ "input": {
                "username": format!("new-{}", self.name), "password": PASSWORD, "password_confirmed": PASSWORD, "role": "admin",
            } }),
            "update_user" => json!({ "input": { "id": id, "change_password": true } }),
            "delete_user" | "reset_password" => json!({ "input": { "id": id } }),
            "update_password" | "refresh_token" => panic!("{position:?} has become optional: add a row here"),
            "users" | "roles" => json!({}),
            "node" => json!({ "id": id }),
            other => panic!("the operation {other} needs a row here"),
        };
        Sender { actor: &self.root, path: "/any/graphql", given: given.as_object().unwrap().clone() }
    }

    /// All rows that the operation can change.
    async fn rows(&self) -> Value {
        let account =
            "id username email displayName status mustChangePassword roles passwordUpdatedAt updatedAt tenant { name }
            sessions(first: 100, active: false) { nodes { id deviceName transport endedAt endReason } }
            apiTokens(first: 100, active: false) { nodes {
                id name note enabled permissions scopes expiresAt revokedAt version
            } }";
        let query = format!(
            "query ($name: String!) {{
                users(first: 2) {{ nodes {{ {account} }} }} user(username: $name) {{ {account} }}
                roles {{ name description permissions }} tenants(first: 100) {{ nodes {{ id name }} }}
            }}"
        );
        self.root.send(&query, json!({ "name": self.name })).await.json()
    }
}

/// Two services with one administrator each.
async fn paired_documents() -> [(TestApp, Actor); 2] {
    let (one, other) = (TestApp::with(&SETTINGS).await, TestApp::with(&SETTINGS).await);
    let roots = (one.admin("root").await, other.admin("root").await);
    [(one, roots.0), (other, roots.1)]
}

async fn compare_all(sdl: &Sdl, is_own: bool) {
    let mut twins = paired_documents().await;
    let positions = sdl.positions();
    assert!(positions.len() >= if is_own { 50 } else { 10 }, "{positions:?}");
    let mut failures = Vec::new();
    for (number, position) in positions.iter().enumerate() {
        let mut seen = Vec::new();
        for (app, root) in &twins {
            let is_written = seen.is_empty();
            let scene = Fixture::new(app, root, number).await;
            let sender = if is_own { scene.sender(position) } else { scene.auth_service_sender(position).await };
            let (query, variables) = document(sdl, position, &sender.given, is_written);
            let body = json!({ "query": query, "variables": variables });
            let answer = sender.actor.json(Method::POST, sender.path, &body).await;
            assert!(is_written || runs_the_operation(&answer.json()), "{query}: {}", answer.text);
            seen.push((without_ids(answer.json()), scene.rows().await, query));
        }
        let [(written, written_rows, query), (without, rows_without, _)] = &seen[..] else { unreachable!() };
        assert!(rows_without["data"]["roles"].is_array(), "{rows_without}");
        if written != without {
            failures.push(format!("{query}\n  answers {written}\n  without the field {without}"));
        } else if written_rows != rows_without {
            failures.push(format!("{query}\n  leaves {written_rows}\n  without the field {rows_without}"));
        } else {
            continue;
        }
        // The two services have diverged.
        twins = self::paired_documents().await;
    }
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), positions.len(), failures.join("\n"));
}

/// Whether the operation ran: no error is about the request itself.
fn runs_the_operation(answer: &Value) -> bool {
    let errors = answer["errors"].as_array().into_iter().flatten();
    errors.into_iter().all(|error| error["path"].as_array().is_some_and(|path| !path.is_empty()))
}

/// A response without error locations and without cursors, which contain row ids: a repeated transaction leaves a gap.
fn without_ids(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(members) => {
            members.retain(|name, _| !["locations", "cursor", "startCursor", "endCursor"].contains(&name.as_str()));
            members.values_mut().for_each(|value| *value = without_ids(value.take()));
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| *element = without_ids(element.take())),
        _ => {}
    }
    answer
}

#[tokio::test]
async fn absent_variable_equals_an_omitted_field() {
    compare_all(&Sdl::of(&graphql::sdl()), true).await;
}

#[tokio::test]
async fn absent_variable_equals_an_omitted_field_in_auth_service() {
    compare_all(&Sdl::of(&accountd::dialects::flask_auth_service_mongo::schema::sdl()), false).await;
}

/// Fields of objects have arguments, too.
#[tokio::test]
async fn absent_variable_equals_an_omitted_nested_argument() {
    let app = TestApp::with(&SETTINGS).await;
    let root = app.admin("root").await;
    let sdl = Sdl::of(&graphql::sdl());
    let mut count = 0;
    for (field, ty, arguments) in sdl.fields("User") {
        for argument in arguments.iter().filter(|one| is_optional(one)) {
            let (name, selection) = (&argument.name.node, sdl.selection(&named(&ty), 2));
            let kind = argument.ty.node.to_string();
            let query = format!(
                "query ($v: {}) {{ me {{ {field}({name}: $v) {{ {selection} }} }} }}",
                kind.trim_end_matches('!')
            );
            let without = format!("{{ me {{ {field} {{ {selection} }} }} }}");
            let (written, without) = (root.send(&query, json!({})).await, root.send(&without, json!({})).await);
            assert_eq!(written.data(), without.data(), "{query}");
            count += 1;
        }
    }
    let others: Vec<_> = sdl.0.keys().filter(|name| !["Query", "Mutation", "User"].contains(&name.as_str())).collect();
    for name in others {
        assert!(sdl.fields(name).iter().all(|(.., arguments)| arguments.is_empty()), "check {name}, too");
    }
    assert!(count >= 6, "{count}");
}
