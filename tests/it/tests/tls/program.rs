//! `modelday` with the settings of a test.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(60);

/// A running program. It is killed with this value.
pub(super) struct Program {
    process: Child,
    log: PathBuf,
}

impl Program {
    /// Starts the program, which an earlier system under test has built.
    pub(super) fn start(arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let test = std::env::current_exe().unwrap();
        let program = test.ancestors().nth(2).unwrap().join("modelday");
        let log = std::env::temp_dir().join(format!("modelday-tls-{}.log", uuid::Uuid::now_v7()));
        let output = File::create(&log).unwrap();
        let process = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(settings.iter().copied())
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { process, log }
    }

    /// Waits until it has ended: the exit code, and the output.
    pub(super) fn ended(mut self) -> (Option<i32>, String) {
        let mut status = None;
        poll("it ends", || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        (status.and_then(|status| status.code()), self.log())
    }

    /// Waits until it has printed `text`.
    pub(super) fn wait_for(&self, text: &str) {
        poll(text, || self.log().contains(text));
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

fn poll(what: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !is_true() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_file(&self.log);
    }
}
