//! Unknown, malformed and mistyped ids: no data, no effect and no internal error (Z-2).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::actors::{ActorKind, Fixture};
use super::fields::{Row, rows};
use super::outcome::{Outcome, codes};
use crate::support::schema_inputs::{base_type, schema_inputs};

/// `value` with `own` replaced everywhere; collects the paths of the replaced values into `places`.
fn replaced(value: &Value, own: &[&str], other: &Value, input_path: &str, input_paths: &mut BTreeSet<String>) -> Value {
    match value {
        Value::String(text) if own.contains(&text.as_str()) => {
            input_paths.insert(input_path.to_owned());
            other.clone()
        }
        Value::Object(members) => members
            .iter()
            .map(|(key, member)| {
                (key.clone(), replaced(member, own, other, &format!("{input_path}.{key}"), input_paths))
            })
            .collect(),
        value => value.clone(),
    }
}

/// Ids that exist nowhere or do not belong to the requested type.
fn strange_ids(fixture: &Fixture) -> Vec<Value> {
    let ann = fixture.ann.id.as_str();
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
    let fixture = Fixture::new().await;
    let own = [
        fixture.ann.id.as_str(),
        &fixture.ann_session,
        &fixture.ann_token.0,
        &fixture.role,
        &fixture.tenant,
        &fixture.spare,
    ];
    let before = fixture.rows().await;
    for Row { field, query, variables, path, .. } in rows() {
        let mut ids = strange_ids(&fixture);
        // Existing ids of another type; `node` accepts every type.
        if !query.contains("node(") {
            ids.extend(own.map(Value::from));
        }
        for who in [ActorKind::Admin, ActorKind::Foreigner, ActorKind::User] {
            let actor = fixture.actor(who);
            let sent = variables(&fixture, who, &actor);
            for id in &ids {
                let mut input_paths = BTreeSet::new();
                let other = replaced(&sent, &own, id, field, &mut input_paths);
                if input_paths.is_empty() || other == sent || is_of_the_kind(&sent, id, &own) {
                    continue;
                }
                covered.extend(input_paths);
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
        if fixture.rows().await != before {
            wrong.push(format!("{field} with a strange id changed something"));
            break;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let requested: BTreeSet<String> =
        covered.into_iter().filter(|input_path| !input_path.starts_with("User.")).collect();
    assert_eq!(
        every_id(),
        requested
            .into_iter()
            .filter(|input_path| !input_path.starts_with("Role.") && !input_path.starts_with("Tenant."))
            .collect()
    );
}

/// Whether `id` is an existing id of the type that `sent` uses, so that data is allowed.
fn is_of_the_kind(sent: &Value, id: &Value, own: &[&str]) -> bool {
    let text = sent.to_string();
    let real = id.as_str().filter(|id| own.contains(id));
    real.and_then(|id| id.split_once('_')).is_some_and(|(kind, _)| text.contains(&format!("\"{kind}_")))
}

/// Every input path that takes an id, such as `Mutation.deleteUser.input.userId`.
fn every_id() -> BTreeSet<String> {
    let schema = schema_inputs();
    let mut input_paths = BTreeSet::new();
    for (field, arguments) in &schema.root_fields {
        for (argument, of_type) in arguments {
            if base_type(of_type) == "ID" {
                input_paths.insert(format!("{field}.{argument}"));
            }
            let members = schema.objects.get(base_type(of_type)).into_iter().flatten();
            let ids = members.filter(|(_, member)| base_type(member) == "ID");
            input_paths.extend(ids.map(|(name, _)| format!("{field}.{argument}.{name}")));
        }
    }
    input_paths
}
