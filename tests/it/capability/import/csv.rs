//! CSV as databases and spreadsheets write it, from the file to a login.

use accountd::account::import::Layout;
use entity::user::Status;
use entity::{role, user_role};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{HASH_OF_ASDF, can_sign_in, find_user, reported, run};
use crate::support::TestApp;

/// Output of `COPY … TO … WITH (FORMAT csv, HEADER)` of PostgreSQL 15.
const POSTGRES: &str = r#"id,username,email,password_hash,roles,active,created_at,last_login_at
11,ann,ann@example.org,HASH,"{editor,""chief editor"",""a,b""}",t,2024-05-01 08:30:00+00,2024-06-01 10:00:00.5+02
12,bea,,HASH,{},f,2024-05-01 04:00:00-04:30,
"#;

/// Output of `SELECT … INTO OUTFILE … FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"'` of MariaDB.
const OUTFILE: &str = r#"11,"ann","ann@example.org","HASH","editor;chief editor;a,b",1,"2024-05-01 08:30:00","2024-06-01 08:00:00.5"
12,"bea",\N,"HASH","",0,"2024-05-01 08:30:00","0000-00-00 00:00:00"
"#;

/// Output of `SELECT … INTO OUTFILE` and `mysqldump --tab` with default options.
const TABS: &str = "11\tann\tann@example.org\tHASH\teditor;chief editor;a,b\t1\t2024-05-01 08:30:00\t2024-06-01 08:00:00.5\n12\tbea\t\\N\tHASH\t\t0\t2024-05-01 08:30:00\t\\N\n";

/// Output of the client's `--batch`.
const BATCH: &str = "id\tusername\temail\tpassword_hash\troles\tactive\tcreated_at\tlast_login_at\n11\tann\tann@example.org\tHASH\teditor;chief editor;a,b\t1\t2024-05-01 08:30:00\t2024-06-01 08:00:00.5\n12\tbea\tNULL\tHASH\t\t0\t2024-05-01 08:30:00\tNULL\n";

/// Excel output in a locale with decimal commas, with an emptied row and an emptied column.
const EXCEL: &str = "sep=;\r\nid;username;email;password_hash;roles;active;created_at;last_login_at;\r\n11;ann;ann@example.org;HASH;\"editor;chief editor;a,b\";TRUE;2024-05-01 08:30:00;2024-06-01 08:00:00.5;\r\n12;bea;;HASH;;FALSE;2024-05-01 08:30:00;;\r\n;;;;;;;;\r\n";

fn columns() -> Layout {
    let names = ["id", "username", "email", "password_hash", "roles", "active", "created_at", "last_login_at"];
    Layout { columns: names.map(str::to_owned).to_vec(), ..Layout::default() }
}

#[tokio::test]
async fn csv_of_databases_and_spreadsheets_is_imported() {
    let mut made = Vec::new();
    for (text, layout) in [
        (POSTGRES, Layout::default()),
        (OUTFILE, columns()),
        (TABS, columns()),
        (BATCH, Layout::default()),
        (EXCEL, Layout::default()),
    ] {
        let app = TestApp::new().await;
        let text = text.replace("HASH", HASH_OF_ASDF);
        let report = run(&app, "general", accountd::account::import::csv::read_with(&text, &layout).unwrap()).await;
        assert_eq!((report.created, reported(&report.refused)), (2, vec![]), "{text}");
        assert_eq!(report.cannot_sign_in.len(), 1, "{text}");
        can_sign_in(&app, "ann", "ann", "asdf").await;
        let bea = find_user(&app, "bea").await;
        assert_eq!((bea.id, bea.email, bea.status, bea.last_login_at), (12, None, Status::Disabled, None), "{text}");
        let ann = find_user(&app, "ann").await;
        let granted = user_role::Entity::find().filter(user_role::Column::UserId.eq(ann.id));
        let granted = granted.find_also_related(role::Entity).all(app.app.db.reader()).await.unwrap();
        let mut roles: Vec<String> = granted.into_iter().map(|(_, role)| role.unwrap().name).collect();
        roles.sort();
        assert_eq!(roles, ["a,b", "chief editor", "editor"], "{text}");
        made.push((ann.id, ann.email, ann.created_at, bea.created_at));
    }
    made.dedup();
    assert_eq!(made.len(), 1, "all give the same result: {made:?}");
}

#[tokio::test]
async fn csv_import_takes_other_column_names() {
    let mut layout = Layout::default();
    for text in ["Login=username", "passwordHash=password_hash", "Note="] {
        layout.rename(text).unwrap();
    }
    let csv = format!("Login|passwordHash|Note\nann|{HASH_OF_ASDF}|x\n");
    let line = serde_json::json!({ "Login": "ann", "passwordHash": HASH_OF_ASDF, "Note": [1] }).to_string();
    for source in [
        accountd::account::import::csv::read_with(&csv, &layout).unwrap(),
        accountd::account::import::jsonl::read_with(&line, &layout),
    ] {
        let app = TestApp::new().await;
        let report = run(&app, "general", source).await;
        assert_eq!((report.created, reported(&report.refused)), (1, vec![]));
        can_sign_in(&app, "ann", "ann", "asdf").await;
    }
    let twice = serde_json::json!({ "Login": "ann", "username": "bea" }).to_string();
    let app = TestApp::new().await;
    let report = run(&app, "general", accountd::account::import::jsonl::read_with(&twice, &layout)).await;
    assert_eq!(reported(&report.refused), [(1, "two fields map to `username`")]);
    for (text, problem) in [
        ("Login", "write it like"),
        ("Login=user", "unknown field `user`: use username"),
        ("Login=email", "`Login` is given twice"),
    ] {
        let message = layout.rename(text).unwrap_err();
        assert!(message.contains(problem), "{message}");
    }
}

/// A file without header begins with a possible secret.
#[test]
fn csv_without_header_error_hides_its_first_row() {
    for (cell, is_quoted) in [
        (HASH_OF_ASDF, false),
        ("5f4dcc3b5aa765d61d8327deb882cf99", false),
        ("pa$$word", false),
        ("passwordHash", true),
    ] {
        let accountd::error::Error::Internal(cause) =
            accountd::account::import::csv::read(&format!("{cell},ann\n")).unwrap_err()
        else {
            panic!("{cell}")
        };
        assert_eq!(cause.to_string().contains(cell), is_quoted, "{cause}");
        assert!(cause.to_string().contains(if is_quoted { "--map" } else { "--columns" }), "{cause}");
    }
}
