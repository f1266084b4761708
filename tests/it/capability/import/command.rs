//! `accountd import` as an operator runs it: output, exit code, and a dry run without changes.

mod dry_run;

use std::process::{Command, Output, Stdio};

use crate::support::database::TestDatabase;

/// A directory for one installation and its file.
struct WorkingDirectory {
    database: TestDatabase,
}

impl WorkingDirectory {
    async fn new() -> Self {
        let database = TestDatabase::migrated().await;
        std::fs::create_dir_all(&database.directory).unwrap();
        Self { database }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.database.directory.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn data(&self) -> std::path::PathBuf {
        self.database.directory.join("data")
    }

    fn import(&self, arguments: &[&str]) -> Output {
        self.import_of(arguments, Stdio::null())
    }

    fn import_of(&self, arguments: &[&str], input: Stdio) -> Output {
        Command::new(env!("CARGO_BIN_EXE_accountd"))
            .arg("import")
            .args(arguments)
            .arg("--data-dir")
            .arg(self.data())
            .envs(self.database.settings())
            .stdin(input)
            .output()
            .unwrap()
    }
}

fn standard_output(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn error_output(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const CSV: &str = "username,email,password_hash,roles
ann,ann@example.org,$2b$12$Jk9E19C58lSv88Zd7EgS5eFDKdHAPj8sBUxGYrRm2wdJqUb2CGql2,editor
Ann,,,
bob,,5f4dcc3b5aa765d61d8327deb882cf99,admin
";

/// The report in docs/import.md.
const REPORT: &str = "row 3 \"Ann\": refused: it has the username of row 2
row 4 \"bob\": cannot sign in: its password hash has an unsupported scheme
role \"editor\": new, without permissions
administrator: bob
";

#[tokio::test]
async fn import_command_exits_with_3_when_rows_are_refused() {
    let directory = WorkingDirectory::new().await;
    let file = directory.file("users.csv", &format!("\u{feff}{CSV}"));
    let dry = directory.import(&["csv", &file, "--dry-run"]);
    let sum =
        "3 rows: 2 would be imported, 0 imported earlier, 1 refused; 1 account cannot sign in; nothing was changed\n";
    assert_eq!(standard_output(&dry), format!("{REPORT}{sum}"));
    assert_eq!((dry.status.code(), error_output(&dry).as_str()), (Some(3), ""));
    let document = include_str!("../../../../docs/import.md");
    assert!(document.contains(&format!("{REPORT}{sum}")), "docs/import.md shows another report than is printed");

    let first = directory.import(&["csv", &file]);
    let sum = "3 rows: 2 imported, 0 imported earlier, 1 refused; 1 account cannot sign in\n";
    assert_eq!((standard_output(&first), first.status.code()), (format!("{REPORT}{sum}"), Some(3)));
    let second = directory.import(&["csv", &file]);
    let sum = "row 3 \"Ann\": refused: it has the username of row 2\n\
        3 rows: 0 imported, 2 imported earlier, 1 refused; 0 accounts cannot sign in\n";
    assert_eq!((standard_output(&second), second.status.code()), (sum.to_owned(), Some(3)));
    let good = directory.file("good.jsonl", "{\"username\": \"cid\"}\n\n{\"username\": \"dan\"}\n");
    let good = directory.import(&["jsonl", &good]);
    assert_eq!(good.status.code(), Some(0), "{}", error_output(&good));
    assert!(
        standard_output(&good)
            .ends_with("2 rows: 2 imported, 0 imported earlier, 0 refused; 2 accounts cannot sign in\n")
    );
    assert!(!error_output(&good).contains(" of 2 rows"), "the bar is drawn on a terminal only");
}

/// A terminal shows the bar. `script` gives the program a terminal.
#[tokio::test]
async fn import_command_draws_a_progress_bar_on_a_terminal() {
    let directory = WorkingDirectory::new().await;
    let rows: Vec<String> = (1..=501).map(|number| format!("{{\"username\": \"u{number}\"}}")).collect();
    let file = directory.file("users.jsonl", &rows.join("\n"));
    let command = format!(
        "{} import jsonl {file} --dry-run --data-dir {}",
        env!("CARGO_BIN_EXE_accountd"),
        directory.data().display()
    );
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .envs(directory.database.settings())
        .output()
        .expect("script is there (Debian: bsdutils)");
    let shown = standard_output(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("of 501 rows"), "{shown:?}");
    assert!(shown.contains("501 rows: 501 would be imported"), "{shown:?}");
}

/// An Excel table, through a pipe, with foreign column names.
#[tokio::test]
async fn import_command_reads_stdin_and_column_names() {
    let directory = WorkingDirectory::new().await;
    let table = format!("Login\tHash\nann\t{}\n", super::HASH_OF_ASDF);
    let units = table.encode_utf16().flat_map(u16::to_le_bytes);
    let file = directory.database.directory.join("users.txt");
    std::fs::write(&file, [0xff, 0xfe].into_iter().chain(units).collect::<Vec<u8>>()).unwrap();
    for arguments in [
        vec!["csv", "-", "--map", "Login=username", "--map", "Hash=password_hash"],
        vec!["csv", "-", "--delimiter", "tab", "--map", "Login=username", "--map", "Hash=password_hash", "--dry-run"],
    ] {
        let output = directory.import_of(&arguments, std::fs::File::open(&file).unwrap().into());
        let (verb, counts, end) = if arguments.contains(&"--dry-run") {
            ("would be imported", "0 would be imported, 1 imported earlier", "; nothing was changed")
        } else {
            ("imported", "1 imported, 0 imported earlier", "")
        };
        let sum = format!("1 row: {counts}, 0 refused; 0 accounts cannot sign in{end}\n");
        assert_eq!(
            (standard_output(&output), output.status.code()),
            (sum, Some(0)),
            "{verb}: {}",
            error_output(&output)
        );
    }
}

/// No text of a file reaches the terminal unescaped, and no secret at all.
#[tokio::test]
async fn import_command_escapes_names_and_prints_no_secrets() {
    let directory = WorkingDirectory::new().await;
    let file = directory.file(
        "users.jsonl",
        "{\"username\": \"x\\u001b[2Jy\\nrow 9\", \"password\": \"canary-4711\"}
{\"username\": \"ann\", \"password_hash\": \"canary-4711\", \"canary\\u001b[2J\": 1}
{\"username\": \"bea\", \"password\": 4711, \"email\": \"canary-4711\"}
{\"password\": \"canary-4711\"",
    );
    let output = directory.import(&["jsonl", &file]);
    let all = format!("{}{}", standard_output(&output), error_output(&output));
    assert_eq!(output.status.code(), Some(3), "{all}");
    assert!(!all.contains('\u{1b}') && !all.contains("4711"), "{all}");
    assert_eq!(standard_output(&output).lines().count(), 5, "{all}");
    let url = directory.import(&["user-api", "mysql://root:canary-4711@127.0.0.1:1/x"]);
    assert_eq!(url.status.code(), Some(1));
    assert!(!error_output(&url).contains("canary") && error_output(&url).contains("the database of the URL"));
}

#[tokio::test]
async fn import_command_reports_bad_arguments_and_files() {
    let directory = WorkingDirectory::new().await;
    let text = directory.file("text", "no JSON");
    let bytes = directory.database.directory.join("bytes");
    std::fs::write(&bytes, b"\xff").unwrap();
    let workbook = directory.database.directory.join("users.xlsx");
    std::fs::write(&workbook, b"PK\x03\x04\x14\0\x06\0").unwrap();
    for (arguments, code, problem) in [
        (vec!["plantdb", "missing"], 1, "cannot read missing: No such file"),
        (vec!["plantdb", &text], 1, "expected a JSON array (line 1, column 2)"),
        (vec!["flask-auth-service-mongo", &text], 1, "invalid JSON in line 1"),
        (vec!["csv", &text], 1, "unknown column `no JSON`"),
        (vec!["jsonl", bytes.to_str().unwrap()], 1, "it is not UTF-8: save it as UTF-8"),
        (vec!["csv", workbook.to_str().unwrap()], 1, "it is a workbook or an archive: save the table as CSV"),
        (vec!["jsonl", &text, "--quote", "none"], 1, "--quote is only for csv"),
        (vec!["jsonl", &text, "--escape", "none"], 1, "--escape is only for csv"),
        (vec!["csv", &text, "--quote", "single"], 2, "possible values: double, none"),
        (vec!["csv", "-"], 1, "cannot read standard input: unknown column `no JSON`"),
        (vec!["user-api", "-"], 1, "cannot read the database of the URL"),
        (vec!["plantdb", &text, "--map", "a=username"], 1, "--map is only for csv and jsonl"),
        (vec!["jsonl", &text, "--columns", "username"], 1, "--columns is only for csv"),
        (vec!["jsonl", &text, "--delimiter", "tab"], 1, "--delimiter is only for csv"),
        (vec!["csv", &text, "--map", "a=b"], 1, "--map: unknown field `b`"),
        (vec!["csv", &text, "--delimiter", ";;"], 2, "use one character, like `;`, or `tab`"),
        (vec!["tecladocode", &text], 1, "file is not a database"),
        (vec!["csv", &text, "--roles", &text], 1, "--roles is only for flask-auth-service-mongo"),
        (
            vec!["ldap", &text],
            2,
            "possible values: plantdb, tecladocode, user-api, flask-auth-service-mongo, jsonl, csv",
        ),
    ] {
        let output = directory.import_of(&arguments, std::fs::File::open(&text).unwrap().into());
        let stderr = error_output(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        assert!(stderr.contains(problem), "{arguments:?}: {stderr}");
        assert_eq!(standard_output(&output), "");
    }
    assert!(!directory.data().exists(), "an unreadable file creates no database");
}
