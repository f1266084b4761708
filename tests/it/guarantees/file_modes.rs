//! Who may read the files of an installation.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::scratch_directory;

/// A directory that goes with the test.
struct Home(PathBuf);

impl Drop for Home {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Makes an administrator in the directory.
fn create(home: &Path) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accountd"));
    command.args(["admin", "create", "root", "--password-stdin", "--data-dir"]).arg(home);
    let mut command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    command.stdin.take().unwrap().write_all(b"correct-horse-battery-9").unwrap();
    let output = command.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, told)
}

/// A command that reads the secret and ends by itself.
fn run(home: &Path) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accountd"));
    let output = command.args(["admin", "end-all-sessions", "--data-dir"]).arg(home).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, told)
}

#[test]
fn world_readable_secret_is_refused_and_other_files_warned() {
    let home = Home(scratch_directory());
    let (made, told) = create(&home.0);
    assert!(made.status.success() && !told.contains("WARN"), "{told}");
    let (secret, database) = (home.0.join("secret.key"), home.0.join("accountd.db"));
    assert_eq!((mode(&home.0), mode(&secret), mode(&database)), (0o700, 0o600, 0o600));
    for open in [0o644, 0o604, 0o666] {
        set_mode(&secret, open);
        let (refused, told) = run(&home.0);
        assert!(!refused.status.success(), "{open:o}: {told}");
        let fix = format!("chmod 600 {}", secret.display());
        assert!(told.contains(&fix) && told.contains(&format!("{open:04o}")), "{told}");
    }
    // A container's volume belongs to a group.
    set_mode(&secret, 0o660);
    let (done, told) = run(&home.0);
    assert!(done.status.success() && told.contains("a group may read the secret"), "{told}");
    set_mode(&secret, 0o600);
    for (path, open, private) in [(&database, 0o644, 0o600), (&home.0, 0o755, 0o700)] {
        set_mode(path, open);
        let (done, told) = run(&home.0);
        assert!(done.status.success() && told.matches("chmod o-rwx").count() == 1, "{told}");
        set_mode(path, private);
    }
    assert!(!run(&home.0).1.contains("WARN"));
}

#[test]
fn command_in_a_directory_without_database_fails() {
    let home = Home(scratch_directory());
    let nowhere = home.0.join("none");
    let (refused, told) = run(&nowhere);
    assert!(!refused.status.success() && told.contains("there is no database at"), "{told}");
    assert!(!nowhere.exists(), "nothing is made");
    let (made, _) = create(&nowhere);
    let told = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(told.contains("of a new database") && told.contains(nowhere.to_str().unwrap()), "{told}");
    assert!(run(&nowhere).0.status.success());
}

#[test]
fn missing_secret_file_is_reported_and_not_replaced() {
    let home = Home(scratch_directory());
    create(&home.0);
    let secret = home.0.join("secret.key");
    let kept = std::fs::read(&secret).unwrap();
    std::fs::remove_file(&secret).unwrap();
    for _ in 0..2 {
        let (refused, told) = run(&home.0);
        assert!(!refused.status.success() && told.contains("secret.key is missing"), "{told}");
        assert!(!secret.exists());
    }
    std::fs::write(&secret, kept).unwrap();
    set_mode(&secret, 0o600);
    assert!(run(&home.0).0.status.success());
}
