//! File modes of an installation.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::tempdir;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Creates an administrator in the directory.
fn create(home: &Path) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accountd"));
    command.args(["admin", "create", "root", "--password-stdin", "--data-dir"]).arg(home);
    let mut command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    command.stdin.take().unwrap().write_all(b"correct-horse-battery-9").unwrap();
    let output = command.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, text)
}

/// A command that reads the secret and ends by itself.
fn run(home: &Path) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accountd"));
    let output = command.args(["admin", "end-all-sessions", "--data-dir"]).arg(home).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, text)
}

#[test]
fn world_readable_secret_is_refused_and_other_files_warned() {
    let parent = tempdir().unwrap();
    let home = parent.path().join("data");
    let (made, text) = create(&home);
    assert!(made.status.success() && !text.contains("WARN"), "{}: {text}", made.status);
    let (secret, database) = (home.join("secret.key"), home.join("accountd.db"));
    assert_eq!((mode(&home), mode(&secret), mode(&database)), (0o700, 0o600, 0o600));
    for open in [0o644, 0o604, 0o666] {
        set_mode(&secret, open);
        let (refused, text) = run(&home);
        assert!(!refused.status.success(), "{open:o}: {text}");
        let fix = format!("chmod 600 {}", secret.display());
        assert!(text.contains(&fix) && text.contains(&format!("{open:04o}")), "{text}");
    }
    // A container's volume belongs to a group.
    set_mode(&secret, 0o660);
    let (done, text) = run(&home);
    assert!(done.status.success() && text.contains("a group can read the secret"), "{text}");
    set_mode(&secret, 0o600);
    for (path, open, private) in [(&database, 0o644, 0o600), (&home, 0o755, 0o700)] {
        set_mode(path, open);
        let (done, text) = run(&home);
        assert!(done.status.success() && text.matches("chmod o-rwx").count() == 1, "{text}");
        set_mode(path, private);
    }
    assert!(!run(&home).1.contains("WARN"));
}

#[test]
fn command_in_a_directory_without_database_fails() {
    let parent = tempdir().unwrap();
    let home = parent.path().join("data");
    let nowhere = home.join("none");
    let (refused, text) = run(&nowhere);
    assert!(!refused.status.success() && text.contains("no database at"), "{text}");
    assert!(!nowhere.exists(), "nothing is created");
    let (made, _) = create(&nowhere);
    let text = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(text.contains("of a new database") && text.contains(nowhere.to_str().unwrap()), "{text}");
    assert!(run(&nowhere).0.status.success());
}

#[test]
fn missing_secret_file_is_reported_and_not_replaced() {
    let parent = tempdir().unwrap();
    let home = parent.path().join("data");
    create(&home);
    let secret = home.join("secret.key");
    let kept = std::fs::read(&secret).unwrap();
    std::fs::remove_file(&secret).unwrap();
    for _ in 0..2 {
        let (refused, text) = run(&home);
        assert!(!refused.status.success() && text.contains("secret.key is missing"), "{text}");
        assert!(!secret.exists());
    }
    std::fs::write(&secret, kept).unwrap();
    set_mode(&secret, 0o600);
    assert!(run(&home).0.status.success());
}
