//! A PostgreSQL server of the test's own, which it may stop, freeze and restart.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::{TempDir, tempdir};

use crate::support::prerequisites;
use crate::support::process::free_port;

/// A running server with its own data, deleted on drop.
pub struct PostgresServer {
    pub port: u16,
    home: TempDir,
    programs: PathBuf,
}

impl PostgresServer {
    /// A server with few connections, so that they can run out; `None` where PostgreSQL is not installed.
    pub fn start() -> Option<Self> {
        let Some(programs) = installed() else {
            prerequisites::report_skipped("PostgreSQL's programs are not on this machine", "database outages");
            return None;
        };
        let server = Self { port: free_port(), home: tempdir().unwrap(), programs };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(server.home.path()));
        }
        let data = server.data();
        run(server
            .program("initdb")
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "-D"])
            .arg(data));
        server.resume();
        Some(server)
    }

    /// The URL for clients, or for those of a proxy at this port.
    pub fn url(&self, port: u16) -> String {
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// One of its programs, as a user that it agrees to run as.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/");
        command
    }

    /// Starts it again with its data.
    pub fn resume(&self) {
        let settings = format!(
            "-c port={} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=20 \
             -c superuser_reserved_connections=0 -c fsync=off",
            self.port,
            self.home.path().display()
        );
        let mut start = self.program("pg_ctl");
        run(start
            .args(["-w", "-o", &settings, "-l"])
            .arg(self.home.path().join("data/log"))
            .arg("-D")
            .arg(self.data())
            .arg("start"));
    }

    /// Stops it like a crash.
    pub fn crash(&self) {
        run(self.program("pg_ctl").args(["-w", "-m", "immediate", "-D"]).arg(self.data()).arg("stop"));
    }

    /// Freezes all of its processes, or resumes them.
    pub fn freeze(&self, is_frozen: bool) {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let main = text.lines().next().unwrap();
        let children = std::fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap();
        let signal = if is_frozen { "-STOP" } else { "-CONT" };
        run(Command::new("kill").arg(signal).arg(main).args(children.split_whitespace()));
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.program("pg_ctl").args(["-m", "immediate", "-D"]).arg(self.data()).arg("stop").output().ok();
    }
}

/// The newest version of Debian's packages.
fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    programs.filter(|path: &PathBuf| path.join("initdb").exists()).max()
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(Path::new("/proc/self")).unwrap()) == 0
}

fn run(command: &mut Command) {
    // Not a pipe: the started server would keep it open.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
}
