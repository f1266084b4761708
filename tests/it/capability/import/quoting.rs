//! Quotes and backslashes in tables: no line is lost and no password changed silently.

use accountd::account::import::{Escape, Layout, Quote};
use accountd::error::Error;

use super::{reported, run};
use crate::support::TestApp;

/// Output of `SELECT … INTO OUTFILE` and `mysqldump --tab` of MariaDB: a backslash before each cell delimiter.
const OUTFILE: &str = "1\tann\tcorrect-horse-9a\t\\N\n2\tbob\t\"quoted-pass-77\tbob@example.org\n3\tcat\t\"pw-of-cat\"\t\\N\n\
    4\tdan\tback\\\\slash-99\t\\N\n5\teve\tpw\\\tof-eve-88\t\\N\n6\tfay\t\\\\N\t\\N\n";

/// The same in MariaDB's `--batch` output.
const BATCH: &str = "id\tusername\tpassword\temail\n1\tann\tcorrect-horse-9a\tNULL\n\
    2\tbob\t\"quoted-pass-77\tbob@example.org\n3\tcat\t\"pw-of-cat\"\tNULL\n4\tdan\tback\\\\slash-99\tNULL\n\
    5\teve\tpw\\tof-eve-88\tNULL\n6\tfay\t\\\\N\tNULL\n";

fn names(names: &[&str]) -> Layout {
    Layout { columns: names.iter().map(|name| (*name).to_owned()).collect(), ..Layout::default() }
}

fn problem(text: &str, layout: &Layout) -> String {
    let Error::Internal(cause) = accountd::account::import::csv::read_with(text, layout).unwrap_err() else {
        panic!("{text}")
    };
    cause.to_string()
}

#[tokio::test]
async fn mysql_quotes_and_backslashes_are_read_as_written() {
    let of_mysql = Layout { quote: Some(Quote::None), escape: Some(Escape::Backslash), ..Layout::default() };
    let by_escape = Layout { escape: Some(Escape::Backslash), ..Layout::default() };
    for (text, layout) in
        [(OUTFILE, names(&["id", "username", "password", "email"])), (BATCH, of_mysql), (BATCH, by_escape)]
    {
        let app = TestApp::new().await;
        let report = run(&app, "general", accountd::account::import::csv::read_with(text, &layout).unwrap()).await;
        assert_eq!((report.rows, report.created, reported(&report.refused)), (6, 6, vec![]), "{text}");
        for (name, password) in [
            ("ann", "correct-horse-9a"),
            ("bob", "\"quoted-pass-77"),
            ("cat", "\"pw-of-cat\""),
            ("dan", "back\\slash-99"),
            ("eve", "pw\tof-eve-88"),
            ("fay", "\\N"),
        ] {
            app.login(name, password).await;
        }
    }
}

/// Spreadsheets quote, MySQL escapes, and tab-separated files do not show which.
#[tokio::test]
async fn ambiguous_quotes_between_tabs_need_an_option() {
    let message = problem(BATCH, &Layout::default());
    assert!(
        message.starts_with("line 3 has a quote at the start of a cell") && message.contains("--quote"),
        "{message}"
    );
    let message = problem("username\tpassword\nann\ta\\\\b\n", &Layout::default());
    assert!(message.starts_with("line 2 has a backslash") && message.contains("--escape backslash"), "{message}");
    let excel = "username\tpassword\tdisplay_name\r\nann\t\"pw\"\"of-ann-77\"\tACME\\Ann\r\nbob\tpw\\of-bob\t\r\n";
    let raw = "username\tpassword\tdisplay_name\nann\tpw\"of-ann-77\tACME\\Ann\nbob\tpw\\of-bob\tNULL\n";
    let quoted = Layout { quote: Some(Quote::Double), ..Layout::default() };
    for (text, layout) in [(excel, quoted), (raw, Layout::default())] {
        let app = TestApp::new().await;
        let report = run(&app, "general", accountd::account::import::csv::read_with(text, &layout).unwrap()).await;
        assert_eq!((report.created, reported(&report.refused)), (2, vec![]), "{text}");
        app.login("ann", "pw\"of-ann-77").await;
        app.login("bob", "pw\\of-bob").await;
    }
}

/// MySQL's server can quote; it writes no column names, and escapes as usual.
#[tokio::test]
async fn mysql_enclosing_quotes_are_detected_by_null_or_option() {
    let text = "1,\"ann\",\"back\\\\slash-99\",NULL-OR-TEXT\n2,\"bob\",\"of\\\"bob-77\",\"x\"\n";
    let layout = || names(&["id", "username", "password", "display_name"]);
    let message = problem(&text.replace("NULL-OR-TEXT", "\"y\""), &layout());
    assert!(message.starts_with("line 1 has a backslash: use --escape backslash"), "{message}");
    let with_option = Layout { escape: Some(Escape::Backslash), ..layout() };
    for (null, layout) in [("\\N", layout()), ("\"y\"", with_option)] {
        let app = TestApp::new().await;
        let source = accountd::account::import::csv::read_with(&text.replace("NULL-OR-TEXT", null), &layout).unwrap();
        let report = run(&app, "general", source).await;
        assert_eq!((report.created, reported(&report.refused)), (2, vec![]), "{null}");
        app.login("ann", "back\\slash-99").await;
        app.login("bob", "of\"bob-77").await;
    }
}

/// An unclosed quote would take the rest of the file into one cell.
#[test]
fn unclosed_quote_refuses_the_file_and_names_the_line() {
    let open = "username,password\nann,pw-of-ann-771\nbob,\"unclosed-pw-1\ncat,pw-of-cat-771\ndan,pw-of-dan-771\n";
    let message = problem(open, &Layout::default());
    assert!(
        message.starts_with("the quote opened in line 3 is never closed") && message.contains("--quote none"),
        "{message}"
    );
    let text = "sep=,\nusername,password\nann,\"pw\"of\n";
    assert!(problem(text, &Layout::default()).starts_with("line 3 has text after a closing quote"));
    assert!(problem("\"username,password\nann,x\n", &Layout::default()).starts_with("the quote opened in line 1"));
}

/// Two stray quotes that happen to match: every line between them is reported and counted.
#[tokio::test]
async fn quotes_across_lines_refuse_each_line() {
    let text = "username,password,display_name\nann,\"pw-1\ncat,pw-2\ndan,pw\"\"-3\",\neve,pw-of-eve-77,\nfay,pw-of-fay-77,\"Fay\nF.\"\n";
    let app = TestApp::new().await;
    let report = run(&app, "general", accountd::account::import::csv::read(text).unwrap()).await;
    let help = "write it in one line, or use --quote none if quotes are part of the cells";
    let (first, second) =
        (format!("`password` spans lines 2 to 4: {help}"), format!("`display_name` spans lines 6 to 7: {help}"));
    let expected = [
        (2, first.as_str()),
        (3, "it belongs to a cell that begins in line 2"),
        (4, "it belongs to a cell that begins in line 2"),
        (6, second.as_str()),
        (7, "it belongs to a cell that begins in line 6"),
    ];
    assert_eq!(reported(&report.refused), expected);
    assert_eq!((report.rows, report.created), (6, 1));
    let app = TestApp::new().await;
    let mut layout = Layout { quote: Some(Quote::None), ..Layout::default() };
    let report = run(
        &app,
        "general",
        accountd::account::import::csv::read_with("username,password\nann,\"pw-of-ann-77\n", &layout).unwrap(),
    )
    .await;
    assert_eq!(report.created, 1);
    app.login("ann", "\"pw-of-ann-77").await;
    // An ignored column may contain anything.
    layout = Layout::default();
    layout.rename("notes=").unwrap();
    let text = "username,notes\nann,\"one\ntwo\"\nbea,\n";
    let app = TestApp::new().await;
    let report = run(&app, "general", accountd::account::import::csv::read_with(text, &layout).unwrap()).await;
    assert_eq!((report.rows, report.created), (2, 2));
}

#[test]
fn wrong_quote_or_delimiter_is_reported() {
    let layout = Layout { delimiter: Some(b';'), ..Layout::default() };
    let message = problem("username,email\nann,\n", &layout);
    assert_eq!(message, "the first line is separated by ',', not ';': change --delimiter");
    let message = problem("username:email\nann:\n", &Layout::default());
    assert!(message.contains("set the separator with --delimiter"), "{message}");
    let macintosh = accountd::account::import::csv::read("username,email\rann,\rbea,\r").unwrap();
    assert_eq!(macintosh.rows.len(), 2);
}
