//! Columns of plain passwords that hold hashes: the password logs in, the hash, which may be stolen, does not.

use accountd::account::import::Source;
use serde_json::json;

use super::formats::OldFile;
use super::hashes::ASDF;
use super::{can_sign_in, dry_run, find_user, lines, reported, run};
use crate::support::TestApp;

/// Of unsupported schemes; most are hashes of `password`.
const UNKNOWN: [&str; 5] = [
    "5f4dcc3b5aa765d61d8327deb882cf99",
    "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
    "$1$salt1234$z0vP0KAKVKQJIZaCSAj4q/",
    "*2470C0C06DEE42FD1618BBB99005ADCA2EC9D1E9",
    "$2b$31$Jk9E19C58lSv88Zd7EgS5eFDKdHAPj8sBUxGYrRm2wdJqUb2CGql2",
];

fn passwords() -> impl Iterator<Item = (usize, &'static str)> {
    ASDF.into_iter()
        .chain(UNKNOWN)
        .chain(["correct-horse-battery-7"])
        .enumerate()
        .map(|(index, text)| (index + 1, text))
}

async fn assert_password_only(format: &'static str, read: impl AsyncFn() -> Source) {
    let app = TestApp::new().await;
    let rehearsal = dry_run(None, &app, format, read().await).await;
    let report = run(&app, format, read().await).await;
    let hashes: Vec<u64> = report
        .remarks
        .iter()
        .filter(|remark| remark.message.starts_with("its password is a hash of "))
        .map(|remark| remark.row)
        .collect();
    let unknown: Vec<u64> = report
        .cannot_sign_in
        .iter()
        .filter(|finding| finding.message.starts_with("its password looks like a hash, and its password hash "))
        .map(|finding| finding.row)
        .collect();
    let first = report.remarks.iter().chain(&report.cannot_sign_in).map(|finding| finding.row).min().unwrap();
    assert_eq!(hashes, (first..).take(ASDF.len()).collect::<Vec<_>>(), "{format}");
    assert_eq!(unknown, (first + 7..).take(UNKNOWN.len()).collect::<Vec<_>>(), "{format}");
    assert_eq!(
        (reported(&rehearsal.remarks), reported(&rehearsal.cannot_sign_in)),
        (reported(&report.remarks), reported(&report.cannot_sign_in))
    );
    for (number, text) in passwords() {
        let name = format!("u{number}");
        let stolen = app.anonymous().login(&name, text).await.payload_error("login");
        let is_plain = number > ASDF.len() + UNKNOWN.len();
        assert_eq!(stolen.is_none(), is_plain, "{format}: {text}");
        if number <= ASDF.len() {
            can_sign_in(&app, &name, &name, "asdf").await;
        } else if !is_plain {
            assert!(find_user(&app, &name).await.password_hash.is_none(), "{format}: {text}");
        }
    }
}

#[tokio::test]
async fn hash_in_tecladocode_password_column_does_not_log_in() {
    let rows: Vec<String> = passwords().map(|(number, text)| format!("({number}, 'u{number}', '{text}')")).collect();
    let file = OldFile::of(&[
        "CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, username VARCHAR(80) UNIQUE, password VARCHAR(256))",
        &format!("INSERT INTO users VALUES {}", rows.join(", ")),
        "UPDATE users SET id = id + 100",
    ])
    .await;
    assert_password_only("tecladocode", async || {
        accountd::dialects::tecladocode::import::read(&file.path).await.unwrap()
    })
    .await;
}

#[tokio::test]
async fn hash_in_json_lines_password_column_does_not_log_in() {
    let rows: Vec<_> =
        passwords().map(|(number, text)| json!({ "username": format!("u{number}"), "password": text })).collect();
    assert_password_only("general", async || lines(&rows)).await;
}

#[tokio::test]
async fn hash_in_csv_password_column_does_not_log_in() {
    let rows: Vec<String> = passwords().map(|(number, text)| format!("u{number},\"{text}\"\n")).collect();
    assert_password_only("general", async || {
        accountd::account::import::csv::read(&format!("username,password\n{}", rows.concat())).unwrap()
    })
    .await;
}

/// Text around a hash is removed, in either column.
#[tokio::test]
async fn wrapped_hash_in_plain_password_column_is_recognized() {
    let hex = hex::encode(super::HASH_OF_ASDF);
    let wrapped =
        [format!("\\x{hex}"), format!("b'{}'", super::HASH_OF_ASDF), format!("{{BCRYPT}}{}", super::HASH_OF_ASDF)];
    for column in ["password", "password_hash"] {
        let app = TestApp::new().await;
        let row = |(index, text): (usize, &String)| json!({ "username": format!("u{index}"), column: text });
        let rows: Vec<_> = wrapped.iter().enumerate().map(row).collect();
        let report = run(&app, "general", lines(&rows)).await;
        assert_eq!((report.created, report.cannot_sign_in), (3, vec![]));
        for index in 0..3 {
            let name = format!("u{index}");
            assert_eq!(find_user(&app, &name).await.password_hash.unwrap().expose(), super::HASH_OF_ASDF);
            can_sign_in(&app, &name, &name, "asdf").await;
        }
    }
}

/// PlantDB creates two users by default, with well-known passwords.
#[tokio::test]
async fn imported_common_password_must_be_changed() {
    let hash = |password: &str| match password {
        "admin" => "$2b$04$1uO5TyWZVuS/r2t8mY68purlnN0RweoK1dIlMMwSXjF2cwpXpdNbG",
        "guest" => "$2b$04$3GqlR54WXEti.9ANNvvpLuQ9FIYrGpF9KyyZo3EXAwCXROpYo3gaK",
        _ => super::HASH_OF_ASDF,
    };
    let user = |name: &str, password: &str| json!({ "username": name, "fullname": "", "password_hash": hash(password), "roles": [] });
    let kept = json!([user("admin", "admin"), user("guest", "guest"), user("ann", "admin")]).to_string();
    let changed = json!([user("admin", "asdf"), user("guest", "admin")]).to_string();
    for (text, rows) in [(kept, vec![1, 2]), (changed, vec![])] {
        let app = TestApp::new().await;
        let rehearsal = dry_run(None, &app, "plantdb", accountd::dialects::plantdb::import::read(&text).unwrap()).await;
        let report = run(&app, "plantdb", accountd::dialects::plantdb::import::read(&text).unwrap()).await;
        let expected_remark = "it has the service's default password: it must be changed";
        let expected: Vec<_> = rows.iter().map(|row| (*row, expected_remark)).collect();
        assert_eq!((reported(&rehearsal.remarks), reported(&report.remarks)), (expected.clone(), expected));
        for (name, row) in [("admin", 1), ("guest", 2)] {
            assert_eq!(find_user(&app, name).await.must_change_password, rows.contains(&row), "{name}");
        }
    }
}
