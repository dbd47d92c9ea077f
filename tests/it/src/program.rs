//! `modelday` with the settings of a test.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::binaries::binary;

const TIMEOUT: Duration = Duration::from_secs(60);

/// A running program. It is killed with this value.
pub struct Program {
    process: Child,
    log: PathBuf,
}

impl Program {
    /// Starts `modelday` with these arguments, and with no other settings than these.
    pub fn start(arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let log = std::env::temp_dir().join(format!("modelday-program-{}.log", uuid::Uuid::now_v7()));
        let output = File::create(&log).unwrap();
        let process = Command::new(binary("modelday"))
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
    pub fn ended(mut self) -> (Option<i32>, String) {
        let mut status = None;
        poll("it ends", || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        (status.and_then(|status| status.code()), self.log())
    }

    /// Waits until it has printed `text`.
    pub fn wait_for(&self, text: &str) {
        poll(text, || self.log().contains(text));
    }

    /// What it has printed.
    pub fn log(&self) -> String {
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
