//! Mounts of the dialects: any number of mounts, without path conflicts.

use std::collections::BTreeSet;
use std::process::Command;

use accountd::config::{Config, Flags, SETTINGS};
use accountd::http::route_conflicts;
use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::support::router_paths::paths;
use crate::support::{PASSWORD, TestApp};

/// The errors of `serve` for these settings, before it opens anything.
fn refusals(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    let environment = settings.iter().map(|(dialect, mount)| {
        let setting = SETTINGS.iter().find(|setting| setting.name == format!("rest.dialects.{dialect}")).unwrap();
        (setting.variable(), (*mount).to_owned())
    });
    let config = Config::load(Flags::default(), environment).unwrap();
    let problems = route_conflicts::check(&config.rest).err().map(|problems| problems.0).unwrap_or_default();
    problems.into_iter().map(|problem| (problem.setting, problem.problem)).collect()
}

#[tokio::test]
async fn dialect_setting_mounts_it_and_off_mounts_none() {
    for setting in SETTINGS {
        let Some(dialect) = setting.name.strip_prefix("rest.dialects.") else { continue };
        let variable = setting.variable();
        let with = async |mount: &str| -> BTreeSet<String> {
            let all_off = SETTINGS.iter().filter(|other| other.name.starts_with("rest.dialects."));
            let all_off: Vec<String> = all_off.map(|other| other.variable()).collect();
            let mut settings: Vec<(&str, &str)> = all_off.iter().map(|variable| (variable.as_str(), "off")).collect();
            settings.push((&variable, mount));
            paths(&TestApp::with(&settings).await.router)
        };
        let none = with("off").await;
        assert!(!none.iter().any(|path| path.starts_with("/elsewhere")), "{none:?}");
        let one = with("/elsewhere").await;
        assert!(one.len() > none.len(), "{dialect} has no routes");
        let two = with("/elsewhere,/other").await;
        let added = |routes: &BTreeSet<String>| routes.difference(&none).count();
        assert_eq!(added(&two), 2 * added(&one), "{dialect}: {two:?}");
    }
}

#[tokio::test]
async fn dialect_is_served_at_all_its_mounts() {
    let app = TestApp::with(&[("ACCOUNTD_REST__DIALECTS__PLANTDB", "/,/plants")]).await;
    app.user("ann").await;
    let body = json!({ "username": "ann", "password": PASSWORD });
    for path in ["/login", "/plants/login", "/plants/api/v1/auth/login"] {
        assert_eq!(app.anonymous().json(Method::POST, path, &body).await.status, StatusCode::OK, "{path}");
    }
    let document = app.anonymous().request(Method::GET, "/openapi.json", &[], "").await.json();
    let name = |path: &str| document["paths"][path]["post"]["operationId"].as_str().unwrap().to_owned();
    assert_eq!((name("/login"), name("/plants/login")), ("plantdb015.login".into(), "plantdb015.login@/plants".into()));
}

#[test]
fn path_conflict_of_dialects_is_refused() {
    assert_eq!(refusals(&[]), []);
    assert_eq!(refusals(&[("plantdb", "/,/plants")]), []);
    let twice = "plantdb at / and plantdb at /api/v1/auth both serve";
    let found = refusals(&[("plantdb", "/,/api/v1/auth")]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "rest.dialects.plantdb");
    assert!(found[0].1.starts_with(twice), "{found:?}");
    let both = [("plantdb", "/plants,/"), ("tecladocode", "/flask,/")];
    let setting = "rest.dialects.tecladocode".to_owned();
    assert_eq!(refusals(&both), [(setting, "plantdb at / and tecladocode at / both serve POST /login".to_owned())]);
    // `GET /user/login` of one conflicts with `GET /user/{id}` of the other.
    let found = refusals(&[("plantdb", "/user"), ("tecladocode", "/")]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn serve_refuses_path_conflicts_before_creating_files() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("data");
    let output = Command::new(env!("CARGO_BIN_EXE_accountd"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(&directory)
        .env("ACCOUNTD_REST__DIALECTS__PLANTDB", "/a,/a")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("rest.dialects.plantdb: plantdb at /a and plantdb at /a both serve "), "{text}");
    assert!(!directory.exists());
}
