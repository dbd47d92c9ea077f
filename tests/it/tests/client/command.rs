//! Runs `modelday` as another program would: arguments, environment, exit code and output.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use it::{Builder, Shape, System, binary};
use serde_json::Value;

/// The result of a command.
#[derive(Debug)]
pub(crate) struct CommandResult {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl CommandResult {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The output, which must be one JSON document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|problem| panic!("{problem}: {self:?}"))
    }

    /// The output, which must have a JSON document in each line.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }
}

fn command(url: &str, env: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(binary("modelday"));
    command.args(arguments).env_clear().env("MODELDAY_URL", url).envs(env.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs `modelday` with these arguments for the Modelday at `url`.
pub(crate) fn modelday(url: &str, arguments: &[&str]) -> CommandResult {
    modelday_with(url, &[], arguments)
}

/// The same with more variables in the environment.
pub(crate) fn modelday_with(url: &str, env: &[(&str, &str)], arguments: &[&str]) -> CommandResult {
    CommandResult::of(command(url, env, arguments).output().expect("modelday runs"))
}

/// The same in another folder.
pub(crate) fn modelday_in(
    folder: &Path,
    url: &str,
    env: &[(&str, &str)],
    arguments: &[&str],
) -> CommandResult {
    CommandResult::of(command(url, env, arguments).current_dir(folder).output().expect("modelday runs"))
}

/// A running command.
pub(crate) struct RunningCommand {
    child: Child,
    out: BufReader<ChildStdout>,
    first: String,
}

impl RunningCommand {
    /// Starts a command and waits for its first line of output.
    pub(crate) fn start(url: &str, arguments: &[&str]) -> Self {
        let mut child = command(url, &[], arguments).spawn().expect("modelday starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first = String::new();
        out.read_line(&mut first).expect("it prints text");
        Self { child, out, first }
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub(crate) fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success(), "the signal was not sent");
    }

    /// Waits until the command has ended.
    pub(crate) fn ended(mut self) -> CommandResult {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("it prints text");
        let result = CommandResult::of(self.child.wait_with_output().expect("modelday ends"));
        CommandResult { out: self.first + &rest, ..result }
    }
}

/// One process with two symbols, generated prices, and policies that always work.
pub(crate) fn small() -> Builder {
    System::builder(Shape::OneProcess)
        .universe(&["AAPL", "MSFT"], Some("QQQ"))
        .models(POLICIES)
        .prices(|prices| prices.generated().today("2025-12-15".parse().expect("a date")))
}

/// Models that need no endpoint.
pub(crate) const POLICIES: &str = r#"
[[models]]
signature = "cash"
kind = "policy"
enabled = true
policy = { policy = "cash" }

[[models]]
signature = "a-random-trader-with-a-rather-long-name"
kind = "policy"
enabled = true
policy = { policy = "random", seed = 7, orders_per_day = 2 }
"#;
