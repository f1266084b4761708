//! Ids that are nobody's, misspelt or of another kind: never data, never an effect, never an internal error (Z-2).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::actors::{ActorKind, Fixture};
use super::fields::{Row, rows};
use super::outcome::{Outcome, codes};
use crate::support::schema_inputs::{base_type, schema_inputs};

/// `value` with `own` replaced wherever it stands; the keys that lead there go into `places`.
fn replaced(value: &Value, own: &[&str], other: &Value, place: &str, places: &mut BTreeSet<String>) -> Value {
    match value {
        Value::String(text) if own.contains(&text.as_str()) => {
            places.insert(place.to_owned());
            other.clone()
        }
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| (key.clone(), replaced(member, own, other, &format!("{place}.{key}"), places)))
            .collect(),
        value => value.clone(),
    }
}

/// What is no id of anything, or not of what is asked for.
fn strange_ids(world: &Fixture) -> Vec<Value> {
    let ann = world.ann.id.as_str();
    let suffix = ann.trim_start_matches("usr_");
    let mut ids: Vec<Value> = [
        "usr_01h455vb4pex5vsknk084sn02q",
        "ses_01h455vb4pex5vsknk084sn02q",
        "rol_01h455vb4pex5vsknk084sn02q",
        "tok_01h455vb4pex5vsknk084sn02q",
        "ten_01h455vb4pex5vsknk084sn02q",
        "xyz_01h455vb4pex5vsknk084sn02q",
        "usr_81h455vb4pex5vsknk084sn02q",
        "usr_01h455vb4pex5vsknk084sn02",
        "usr_00000000000000000000000000",
        "usr_7zzzzzzzzzzzzzzzzzzzzzzzzz",
        "01h455vb4pex5vsknk084sn02q",
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "",
        " ",
        "_",
        "usr",
        "usr_",
        "1",
        "-1",
        "null",
        "%",
        "' OR 1=1 --",
        "../../etc/passwd",
        "\0",
        "\u{202e}\u{feff}",
    ]
    .map(Value::from)
    .into();
    ids.extend([
        json!(0),
        json!(1),
        json!(-1),
        json!(i64::MAX),
        json!(1.5),
        json!(true),
        json!([ann]),
        json!({ "id": ann }),
    ]);
    ids.extend([format!(" {ann}"), format!("{ann}\0"), ann.to_uppercase(), ann.repeat(500)].map(Value::from));
    // The same number under another prefix.
    ids.extend(["ses", "rol", "tok", "ten"].map(|kind| format!("{kind}_{suffix}").into()));
    ids
}

#[tokio::test]
async fn foreign_or_malformed_ids_return_no_data() {
    let mut covered = BTreeSet::new();
    let mut wrong = Vec::new();
    let world = Fixture::new().await;
    let own = [world.ann.id.as_str(), &world.ann_session, &world.ann_token.0, &world.role, &world.tenant, &world.spare];
    let before = world.rows().await;
    for Row { field, query, variables, path, .. } in rows() {
        let mut ids = strange_ids(&world);
        // Real ids of another kind; `node` takes every kind.
        if !query.contains("node(") {
            ids.extend(own.map(Value::from));
        }
        for who in [ActorKind::Admin, ActorKind::Foreigner, ActorKind::User] {
            let actor = world.actor(who);
            let sent = variables(&world, who, &actor);
            for id in &ids {
                let mut places = BTreeSet::new();
                let other = replaced(&sent, &own, id, field, &mut places);
                if places.is_empty() || other == sent || is_of_the_kind(&sent, id, &own) {
                    continue;
                }
                covered.extend(places);
                let answer = actor.send(&query, other).await;
                let json = answer.json();
                let known = codes(&json).iter().all(|code| {
                    matches!(*code, "NOT_FOUND" | "FORBIDDEN" | "BAD_USER_INPUT" | "GRAPHQL_VALIDATION_FAILED")
                });
                if Outcome::Data.check(&answer, path).is_ok() || !known || answer.status != 200 {
                    wrong.push(format!("{field} with {id} for {who:?}: {}", answer.text));
                }
            }
        }
        if world.rows().await != before {
            wrong.push(format!("{field} with a strange id changed something"));
            break;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let asked: BTreeSet<String> = covered.into_iter().filter(|place| !place.starts_with("User.")).collect();
    assert_eq!(
        every_id(),
        asked.into_iter().filter(|place| !place.starts_with("Role.") && !place.starts_with("Tenant.")).collect()
    );
}

/// Whether `id` is a real one of the same kind as the one in `sent`, which may be answered.
fn is_of_the_kind(sent: &Value, id: &Value, own: &[&str]) -> bool {
    let text = sent.to_string();
    let real = id.as_str().filter(|id| own.contains(id));
    real.and_then(|id| id.split_once('_')).is_some_and(|(kind, _)| text.contains(&format!("\"{kind}_")))
}

/// Every place of an operation that takes an id, such as `Mutation.deleteUser.input.userId`.
fn every_id() -> BTreeSet<String> {
    let schema = schema_inputs();
    let mut places = BTreeSet::new();
    for (field, arguments) in &schema.root_fields {
        for (argument, of_type) in arguments {
            if base_type(of_type) == "ID" {
                places.insert(format!("{field}.{argument}"));
            }
            let members = schema.objects.get(base_type(of_type)).into_iter().flatten();
            let ids = members.filter(|(_, member)| base_type(member) == "ID");
            places.extend(ids.map(|(name, _)| format!("{field}.{argument}.{name}")));
        }
    }
    places
}
