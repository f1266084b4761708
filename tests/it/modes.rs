//! Who may read the files of an installation.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

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

fn set(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A command that reads the secret and ends by itself.
fn run(home: &Path) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accountd"));
    let output = command.args(["admin", "end-all-sessions", "--data-dir"]).arg(home).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, told)
}

#[test]
fn of_a_secret_that_everybody_may_read_are_refused_and_of_the_rest_told() {
    let home = Home(scratch_directory());
    let (made, told) = run(&home.0);
    assert!(made.status.success() && !told.contains("WARN"), "{told}");
    let (secret, database) = (home.0.join("secret.key"), home.0.join("accountd.db"));
    assert_eq!((mode(&home.0), mode(&secret), mode(&database)), (0o700, 0o600, 0o600));
    for open in [0o644, 0o604, 0o666] {
        set(&secret, open);
        let (refused, told) = run(&home.0);
        assert!(!refused.status.success(), "{open:o}: {told}");
        let fix = format!("chmod 600 {}", secret.display());
        assert!(told.contains(&fix) && told.contains(&format!("{open:04o}")), "{told}");
    }
    // A container's volume belongs to a group.
    set(&secret, 0o660);
    let (done, told) = run(&home.0);
    assert!(done.status.success() && told.contains("a group may read the secret"), "{told}");
    set(&secret, 0o600);
    for (path, open, private) in [(&database, 0o644, 0o600), (&home.0, 0o755, 0o700)] {
        set(path, open);
        let (done, told) = run(&home.0);
        assert!(done.status.success() && told.matches("chmod o-rwx").count() == 1, "{told}");
        set(path, private);
    }
    assert!(!run(&home.0).1.contains("WARN"));
}
