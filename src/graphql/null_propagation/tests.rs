//! Null propagation and field order on a small schema.

use super::*;
use async_graphql::parser::parse_query;
use async_graphql::{ServerError, value};

const SDL: &str = "type Query { me: User users: [User!]! node: Node maybe: [User] }
    type User implements Node { id: ID! name: String email: String friend: User boss: User! }
    interface Node { id: ID! }";

/// The response data after propagation of errors at these paths; indices are numbers.
fn propagated(query: &str, data: Value, failed_paths: &[&str]) -> String {
    let errors = failed_paths.iter().map(|path| {
        let segment =
            |text: &str| text.parse().map(PathSegment::Index).unwrap_or_else(|_| PathSegment::Field(text.to_owned()));
        ServerError { path: path.split('.').map(segment).collect(), ..ServerError::new("failed", None) }
    });
    let mut response = Response::new(data);
    response.errors = errors.collect();
    FieldTypes::from_sdl(SDL).propagate_nulls(&parse_query(query).unwrap(), None, &mut response);
    serde_json::to_string(&response.data).unwrap()
}

#[test]
fn fields_follow_the_order_of_the_query() {
    let data = value!({ "me": { "id": 1, "n": "ann", "name": "ann" } });
    let query = "{ me { ...f n: name } } fragment f on User { name id name }";
    assert_eq!(propagated(query, data, &[]), r#"{"me":{"name":"ann","id":1,"n":"ann"}}"#);
}

#[test]
fn failed_fields_are_null_and_skipped_ones_are_absent() {
    let data = value!({ "me": { "id": 1 } });
    let query = "{ me { mail: email id name @skip(if: true) } }";
    assert_eq!(propagated(query, data, &["me.mail"]), r#"{"me":{"mail":null,"id":1}}"#);
    assert_eq!(propagated("{ me { email } }", value!({ "me": null }), &["me.email"]), r#"{"me":{"email":null}}"#);
    assert_eq!(propagated("{ me { email } }", Value::Null, &["me"]), r#"{"me":null}"#);
}

#[test]
fn null_in_a_non_null_field_propagates_to_the_parent() {
    let data = value!({ "me": { "id": 1, "friend": { "id": 2 } } });
    let query = "{ me { id friend { id boss { id } } } }";
    assert_eq!(propagated(query, data, &["me.friend.boss"]), r#"{"me":{"id":1,"friend":null}}"#);
    let data = value!({ "users": [{ "id": 1 }, { "name": "x" }], "me": { "id": 1 } });
    assert_eq!(propagated("{ me { id } users { id name } }", data, &["users.1.id"]), "null");
    let data = value!({ "maybe": [{ "id": 1 }, { "name": "x" }] });
    assert_eq!(propagated("{ maybe { id } }", data, &["maybe.1.id"]), r#"{"maybe":[{"id":1},null]}"#);
}

#[test]
fn interface_fields_complete_and_introspection_is_unchanged() {
    let data = value!({ "node": { "id": 1 } });
    let query = "{ node { id ... on User { email name } } }";
    assert_eq!(propagated(query, data, &["node.email"]), r#"{"node":{"id":1,"email":null}}"#);
    let data = value!({ "__schema": { "types": [{ "kind": "OBJECT", "name": "Query" }] }, "__typename": "Query" });
    let query = "{ __typename __schema { types { name kind } } }";
    let expected = r#"{"__typename":"Query","__schema":{"types":[{"kind":"OBJECT","name":"Query"}]}}"#;
    assert_eq!(propagated(query, data, &[]), expected);
}

#[test]
fn response_without_execution_is_unchanged() {
    let mut response = Response::from_errors(vec![ServerError::new("no", None)]);
    FieldTypes::from_sdl(SDL).propagate_nulls(&parse_query("{ me { id } }").unwrap(), None, &mut response);
    assert_eq!(response.data, Value::Null);
}
