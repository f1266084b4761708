//! A Redis of the test's own, if installed on this machine.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

/// A server that ends with the test.
pub struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    /// Starts a server. Where none is installed the test is skipped, and reports it.
    pub fn start() -> Option<Self> {
        loop {
            // Another process may take the port before the server does.
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            match Self::start_at(port)? {
                Ok(started) => return Some(started),
                Err(_taken) => {}
            }
        }
    }

    /// The server, or its exit status if the port was taken.
    fn start_at(port: u16) -> Option<Result<Self, ExitStatus>> {
        let started = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .spawn();
        let Ok(child) = started else {
            println!("NOT TESTED, because redis-server is not installed");
            return None;
        };
        let mut this = Self { child, port };
        let deadline = Instant::now() + super::TEST_TIMEOUT;
        while !this.is_ready() {
            if let Some(status) = this.child.try_wait().unwrap() {
                return Some(Err(status));
            }
            assert!(Instant::now() < deadline, "redis-server does not respond");
            std::thread::yield_now();
        }
        Some(Ok(this))
    }

    /// Whether this server, and no other, responds at its port.
    fn is_ready(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        stream.set_read_timeout(Some(super::TEST_TIMEOUT)).unwrap();
        let mut answer = String::new();
        let asked = stream.write_all(b"INFO server\r\nQUIT\r\n").and_then(|()| stream.read_to_string(&mut answer));
        asked.is_ok() && answer.contains(&format!("process_id:{}\r\n", self.child.id()))
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it, and starts an empty one at the same port.
    pub fn replace_with_empty(mut self) -> Self {
        let port = self.port;
        self.end();
        Self::start_at(port).unwrap().unwrap()
    }

    /// Deletes all its data.
    pub fn flush(&self) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.write_all(b"FLUSHALL\r\n").unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"+OK\r\n");
    }

    /// Suspends or resumes its responses.
    pub fn freeze(&self, is_frozen: bool) {
        let signal = if is_frozen { "-STOP" } else { "-CONT" };
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    pub fn end(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.end();
    }
}
