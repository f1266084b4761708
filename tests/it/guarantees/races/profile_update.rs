//! Concurrent changes of different fields of one user, without an expected version: both apply.

use serde_json::{Value, json};

use super::{nodes, race, rounds};
use crate::support::{Actor, PASSWORD};

/// A mutation and its input.
type Change = (&'static str, Value);

fn pairs(ann: &Actor, token: &str, round: usize) -> Vec<[(Change, bool); 2]> {
    let user = |field: &'static str, mut input: Value| {
        input["userId"] = json!(ann.id);
        ((field, input), true)
    };
    let own = |field: &'static str, input: Value| ((field, input), false);
    let of_token = |mut input: Value| {
        input["apiTokenId"] = json!(token);
        (("updateApiToken", input), false)
    };
    let name = |at: usize| json!({ "username": format!("ann-{round}-{at}") });
    let (role, other) = if round.is_multiple_of(2) { ("clerks", "readers") } else { ("readers", "clerks") };
    vec![
        [user("updateUser", name(0)), user("updateUser", json!({ "displayName": format!("Ann {round}") }))],
        [user("setUserStatus", json!({ "status": "ACTIVE" })), own("updateProfile", name(1))],
        [user("updateUser", name(2)), user("setUserRoles", json!({ "roles": [role] }))],
        [user("setUserRoles", json!({ "roles": [other] })), own("updateProfile", name(3))],
        [of_token(json!({ "name": format!("robot {round}") })), of_token(json!({ "note": format!("note {round}") }))],
        // A new email address ends the sessions of its owner.
        [user("updateUser", json!({ "email": format!("ann{round}@example.org") })), user("updateUser", name(4))],
    ]
}

async fn send(actor: Actor, (field, input): Change) -> String {
    let answer = actor.mutate(field, input, "errors { code message }").await;
    answer.json()["data"][field]["errors"].to_string() + &answer.code().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_updates_of_different_fields_both_apply() {
    let [here, there] = nodes().await;
    let root = here.admin("root").await;
    for role in ["clerks", "readers"] {
        root.mutate_ok("saveRole", json!({ "name": role, "permissions": [] }), "role { id }").await;
    }
    here.user("ann").await;
    for round in 0..rounds(4, 40) {
        let name = if round == 0 { "ann".to_owned() } else { format!("ann-{}-4", round - 1) };
        let ann = here.login(&name, PASSWORD).await;
        let (token, _) = ann.api_token(&[]).await;
        for at in 0..pairs(&ann, &token, round).len() {
            let [(one, by_root), (other, other_by_root)] = pairs(&ann, &token, round).swap_remove(at);
            let (first, second) = (if by_root { &root } else { &ann }, if other_by_root { &root } else { &ann });
            let (one, other) = race(round % 9, send(first.clone(), one), send(there.reconnect(second), other)).await;
            assert_eq!((one.as_str(), other.as_str()), ("[]", "[]"), "round {round}, pair {at}");
        }
        let query = "query ($id: ID!, $token: ID!) {
            user(id: $id) { username email displayName }
            node(id: $token) { ... on ApiToken { name note } }
        }";
        let found = root.send(query, json!({ "id": ann.id, "token": token })).await.data();
        let user = json!({
            "username": format!("ann-{round}-4"),
            "email": format!("ann{round}@example.org"),
            "displayName": format!("Ann {round}"),
        });
        assert_eq!(found["user"], user);
        assert_eq!(found["node"], json!({ "name": format!("robot {round}"), "note": format!("note {round}") }));
    }
}
