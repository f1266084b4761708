//! Imported usernames that are email addresses, or invalid here: one rule for every format.

use std::process::Command;

use accountd::account::import::DatabaseLocation;
use accountd::account::import::Source;
use serde_json::{Value, json};

use super::formats::OldFile;
use super::{HASH_OF_ASDF, can_sign_in, find_user, lines, reported, run};
use crate::support::TestApp;

const ADDRESS: &str = "Ann.Lee@Example.org";

/// A user of each format whose name is an email address, with the password `asdf`.
async fn source(format: &str) -> Source {
    let users = json!([{ "username": ADDRESS, "password": HASH_OF_ASDF, "password_hash": HASH_OF_ASDF, "roles": [] }])
        .to_string();
    let api = "INSERT INTO _user VALUES (7, 'Ann.Lee@Example.org', 'Ann', 'bf2a17b8d14ad59802f4e4af190ca4ca',
        '5a9b0a98c5d8d23fc8c69dbcd4e6892b9bd47c74e1b908c3defb0935783f59dc', 1, 1)";
    match format {
        "plantdb" => accountd::dialects::plantdb::import::read(&users).unwrap(),
        "flask-auth-service-mongo" => accountd::dialects::flask_auth_service_mongo::import::read(&users, None).unwrap(),
        "jsonl" => lines(&[json!({ "username": ADDRESS, "password": "asdf" })]),
        "csv" => accountd::account::import::csv::read(&format!("username,email,password\n{ADDRESS},,asdf\n")).unwrap(),
        "tecladocode" => {
            let file = OldFile::of(&[
                "CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, username VARCHAR(80), password VARCHAR(80))",
                "INSERT INTO users VALUES (7, 'Ann.Lee@Example.org', 'asdf')",
            ])
            .await;
            accountd::dialects::tecladocode::import::read(&file.path).await.unwrap()
        }
        "user-api" => {
            let file = OldFile::of(&[
                "CREATE TABLE role (id INTEGER, code VARCHAR(20), name VARCHAR(20))",
                "CREATE TABLE user_has_role (user_id INTEGER, role_id INTEGER)",
                "CREATE TABLE _user (id INTEGER NOT NULL PRIMARY KEY, email VARCHAR(100), name VARCHAR(100),
                    hash VARCHAR(100), salt VARCHAR(100), active BOOLEAN, customer_id INTEGER)",
                api,
            ])
            .await;
            accountd::dialects::user_api::import::read(DatabaseLocation::File(&file.path)).await.unwrap()
        }
        other => panic!("{other} needs a row here"),
    }
}

/// The formats of the command.
fn formats() -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_accountd")).args(["import", "none", "-"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let (_, values) = stderr.split_once("possible values: ").unwrap();
    let (values, _) = values.split_once(']').unwrap();
    values.split(", ").map(str::to_owned).collect()
}

#[tokio::test]
async fn imported_email_login_name_becomes_the_email_address() {
    let formats = formats();
    assert_eq!(formats.len(), 6);
    for format in &formats {
        let app = TestApp::new().await;
        let report = run(&app, "any", source(format).await).await;
        assert_eq!((report.created, reported(&report.refused)), (1, vec![]), "{format}");
        assert!(report.remarks.iter().any(|remark| remark.message == "its username is now \"Ann.Lee\""), "{format}");
        let ann = find_user(&app, "ann.lee").await;
        assert_eq!((ann.username.as_str(), ann.email.as_deref()), ("Ann.Lee", Some("Ann.Lee@example.org")), "{format}");
        let password = if format == "user-api" { "password" } else { "asdf" };
        can_sign_in(&app, "ann.LEE@example.org", "ann.lee", password).await;
        let again = run(&app, "any", source(format).await).await;
        assert_eq!((again.created, again.already_imported), (0, 1), "{format}");
    }
}

#[tokio::test]
async fn imported_invalid_username_falls_back_to_the_email_address() {
    let app = TestApp::new().await;
    let user = |name: Value, email: Value| json!({ "username": name, "email": email, "password": "asdf" });
    let rows = [
        user(json!("ann@example.org"), json!("ANN@example.org")),
        user(json!("ann@example.com"), json!("")),
        user(json!("bea@example.org"), json!("b.lee@example.org")),
        user(json!("Cid Lee"), json!("cid@example.org")),
        user(json!("Dan Lee"), json!("")),
        user(json!("eve"), json!(" ")),
        user(json!(""), json!("fay@example.org")),
        user(json!("EXAMPLE\\gus"), json!("gus@example.org")),
        user(json!("hal@localhost"), Value::Null),
    ];
    let report = run(&app, "general", lines(&rows)).await;
    let unfit =
        "its username is not allowed: use letters, digits, '.', '-' and '_', and begin with a letter or a digit";
    assert_eq!(reported(&report.refused), [(5, unfit), (9, unfit)]);
    let remarks: Vec<_> = reported(&report.remarks);
    let expected = [
        (1, "its username is now \"ann\""),
        (2, "its username is now \"ann-2\""),
        (3, "its username is now \"bea\""),
        (3, "its username is another e-mail address: sign in with b.lee@example.org"),
        (4, "its username is now \"cid\""),
        (4, "its username is not allowed: sign in with cid@example.org"),
        (7, "its username is now \"fay\""),
        (8, "its username is now \"gus\""),
        (8, "its username is not allowed: sign in with gus@example.org"),
    ];
    assert_eq!(remarks, expected);
    assert_eq!(find_user(&app, "cid").await.display_name.as_deref(), Some("Cid Lee"));
    assert_eq!(find_user(&app, "eve").await.email, None);
    for (login, key) in [("ann@example.org", "ann"), ("b.lee@example.org", "bea"), ("cid@example.org", "cid")] {
        can_sign_in(&app, login, key, "asdf").await;
    }
}
