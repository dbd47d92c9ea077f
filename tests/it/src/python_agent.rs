//! A program in Python that listens, such as an agent.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running program. It is killed with this value.
#[derive(Debug)]
pub struct PythonAgent {
    process: Child,
    /// Where it listens.
    pub url: String,
}

impl PythonAgent {
    /// Starts a file of the repository with the port 0 as its argument, and waits until it prints where it listens.
    ///
    /// # Panics
    /// When it does not.
    pub fn start(python: &Path, file: &str, environment: &[(&str, &str)]) -> Self {
        Self::run(Command::new(python), file, environment)
    }

    /// The same with OpenTelemetry's instrumentation around the program.
    ///
    /// # Panics
    /// When it does not print where it listens.
    pub fn start_instrumented(python: &Path, file: &str, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(python.with_file_name("opentelemetry-instrument"));
        command.arg(python);
        Self::run(command, file, environment)
    }

    fn run(mut command: Command, file: &str, environment: &[(&str, &str)]) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
        let command = command.envs(environment.iter().copied()).arg(file).arg("0");
        let mut process = command.stdout(Stdio::piped()).spawn().expect("python3 runs");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("it prints where it listens");
        let url = line.trim().trim_start_matches("listening on ").to_owned();
        Self { process, url }
    }
}

impl Drop for PythonAgent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
