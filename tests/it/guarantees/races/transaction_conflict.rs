//! Transactions that the database aborts in favor of others.

use std::sync::atomic::{AtomicUsize, Ordering};

use accountd::error::Error;
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::json;

use crate::support::TestApp;
use crate::support::database::backend;
use crate::support::source_files::rust_files;

/// The error of the database for a lost conflict; SQLite has one writer, and no conflicts.
fn conflict() -> Option<&'static str> {
    match backend() {
        DbBackend::Postgres => Some("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$"),
        DbBackend::MySql => Some("BEGIN NOT ATOMIC SIGNAL SQLSTATE '40001'; END"),
        _ => None,
    }
}

/// R9: three retries, then the client's turn.
#[tokio::test]
async fn conflicting_transaction_is_retried_three_times() {
    let Some(conflict) = conflict() else { return };
    let app = TestApp::new().await;
    let lose = async |times: usize| {
        let tries = AtomicUsize::new(0);
        let done = app
            .app
            .db
            .retry(|| async {
                if tries.fetch_add(1, Ordering::SeqCst) < times {
                    app.app.db.writer().execute_unprepared(conflict).await?;
                }
                Ok(())
            })
            .await;
        (tries.load(Ordering::SeqCst), done)
    };
    assert!(matches!(lose(0).await, (1, Ok(()))));
    assert!(matches!(lose(3).await, (4, Ok(()))));
    assert!(matches!(lose(4).await, (4, Err(Error::ServerBusy { .. }))));
}

/// R9, S10: a logout that loses is retried; a failed one is not acknowledged.
#[tokio::test]
async fn repeatedly_conflicting_transaction_fails_without_effect() {
    let (make, drop): (&[&str], &[&str]) = match backend() {
        DbBackend::Postgres => (
            &[
                "CREATE SEQUENCE tries",
                "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF nextval('tries') NOT IN (8) THEN RAISE SQLSTATE '40001'; END IF; RETURN NEW; END $$",
                "CREATE TRIGGER lose BEFORE UPDATE ON session FOR EACH ROW EXECUTE FUNCTION lose()",
            ],
            &["DROP TRIGGER lose ON session", "DROP FUNCTION lose", "DROP SEQUENCE tries"],
        ),
        DbBackend::MySql => (
            &[
                "CREATE SEQUENCE tries",
                "CREATE TRIGGER lose BEFORE UPDATE ON session FOR EACH ROW
                    IF NEXTVAL(tries) NOT IN (8) THEN SIGNAL SQLSTATE '40001'; END IF",
            ],
            &["DROP TRIGGER lose", "DROP SEQUENCE tries"],
        ),
        _ => return,
    };
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let db = app.app.db.writer();
    for statement in make {
        db.execute_unprepared(statement).await.unwrap();
    }
    let logout = async || ann.send("mutation { logout { ok } }", json!({})).await;
    let (lost, still) = (logout().await, ann.me_code().await);
    // Attempts five to seven lose, the eighth succeeds.
    let (won, then) = (logout().await, ann.me_reason().await);
    // The database is reused by other tests.
    for statement in drop {
        db.execute_unprepared(statement).await.unwrap();
    }
    assert_eq!((lost.code().as_deref(), still), (Some("SERVER_BUSY"), None), "{}", lost.text);
    assert_eq!(won.data()["logout"]["ok"], true);
    assert_eq!(then.as_deref(), Some("SESSION_ENDED"));
}

/// R9: a single-statement transaction is retried, too: the count of an attempt, the record of a failure, the receipt of
/// a new pair.
#[tokio::test]
async fn conflicting_statement_is_retried() {
    let tables = [("throttle", "INSERT"), ("throttle", "UPDATE"), ("audit_event", "INSERT"), ("session", "UPDATE")];
    // Statements within a transaction are retried with it, so making them lose as well is harmless.
    let every_second = |number: usize, (table, deed): (&str, &str)| match backend() {
        DbBackend::Postgres => Some([
            format!("CREATE SEQUENCE tries_{number}"),
            format!(
                "CREATE FUNCTION lose_{number}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF nextval('tries_{number}') % 2 = 1 THEN RAISE SQLSTATE '40001'; END IF; RETURN NEW; END $$"
            ),
            format!(
                "CREATE TRIGGER lose_{number} BEFORE {deed} ON {table} FOR EACH ROW EXECUTE FUNCTION lose_{number}()"
            ),
        ]),
        DbBackend::MySql => Some([
            format!("CREATE SEQUENCE tries_{number}"),
            format!(
                "CREATE TRIGGER lose_{number} BEFORE {deed} ON {table} FOR EACH ROW
                    IF NEXTVAL(tries_{number}) % 2 = 1 THEN SIGNAL SQLSTATE '40001'; END IF"
            ),
            "DO 0".to_owned(),
        ]),
        _ => None,
    };
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let ann = app.user("ann").await;
    let db = app.app.db.writer();
    for (number, target) in tables.into_iter().enumerate() {
        let Some(statements) = every_second(number, target) else { return };
        for statement in statements {
            db.execute_unprepared(&statement).await.unwrap();
        }
    }
    let mut answers = Vec::new();
    for name in ["ann", "nobody", "ann", "nobody"] {
        answers.push(app.anonymous().login(name, "x").await);
        app.clock.advance(chrono::TimeDelta::seconds(5));
    }
    let renewed = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
    let then = ann.signed_in(&renewed.data()["refresh"]).me_code().await;
    // The database is reused by other tests.
    for (number, (table, _)) in tables.into_iter().enumerate() {
        let drop = match backend() {
            DbBackend::Postgres => [
                format!("DROP TRIGGER lose_{number} ON {table}"),
                format!("DROP FUNCTION lose_{number}"),
                format!("DROP SEQUENCE tries_{number}"),
            ],
            _ => [format!("DROP TRIGGER lose_{number}"), format!("DROP SEQUENCE tries_{number}"), "DO 0".to_owned()],
        };
        for statement in drop {
            db.execute_unprepared(&statement).await.unwrap();
        }
    }
    for answer in answers {
        assert_eq!(answer.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"), "{}", answer.text);
    }
    assert_eq!(then, None);
}

/// R9: every use case retries: `App::write` begins all transactions.
#[test]
fn every_use_case_transaction_retries_on_conflict() {
    let (mut found, mut single) = (0, 0);
    for file in rust_files(&["src/account", "src/dialects"]) {
        let code = file.code();
        let lines: Vec<&str> = code.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let is_helper = file.path == "src/account/event/unit_of_work.rs";
            let begins = line.contains("UnitOfWork::begin(") || line.contains(".begin()");
            assert!(is_helper || !begins, "{}: {line}: call App::write", file.path);
            found += usize::from(line.contains("app.write"));
            if line.contains("db.writer()") {
                let before = lines[number.saturating_sub(3)..=number].join("");
                assert!(before.contains(".retry(||"), "{}: {line}", file.path);
                single += 1;
            }
        }
    }
    assert!(found > 25 && single > 10, "{found}, {single}");
}
