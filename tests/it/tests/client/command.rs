//! `modelday` as somebody else's program: nothing but its arguments, its environment and what it prints.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use it::{Builder, Shape, System, binary};
use serde_json::Value;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints text");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What it printed, which must be one JSON document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|problem| panic!("{problem}: {self:?}"))
    }

    /// What it printed, a JSON document in each line.
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
pub(crate) fn modelday(url: &str, arguments: &[&str]) -> Ran {
    modelday_with(url, &[], arguments)
}

/// The same with more in its environment.
pub(crate) fn modelday_with(url: &str, env: &[(&str, &str)], arguments: &[&str]) -> Ran {
    Ran::of(command(url, env, arguments).output().expect("modelday runs"))
}

/// A command that is at work.
pub(crate) struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    first: String,
}

impl Running {
    /// Starts it, and waits for its first line.
    pub(crate) fn start(url: &str, arguments: &[&str]) -> Self {
        let mut child = command(url, &[], arguments).spawn().expect("modelday starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first = String::new();
        out.read_line(&mut first).expect("it prints text");
        Self { child, out, first }
    }

    /// As somebody does who types Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success(), "it took no signal");
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Ran {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).expect("it prints text");
        let ran = Ran::of(self.child.wait_with_output().expect("modelday ends"));
        Ran { out: self.first + &rest, ..ran }
    }
}

/// One process with two symbols, generated prices, and policies that always work.
pub(crate) fn small() -> Builder {
    System::builder(Shape::OneProcess)
        .universe(&["AAPL", "MSFT"], Some("QQQ"))
        .models(POLICIES)
        .prices(|prices| prices.generated().today("2025-12-15".parse().expect("a date")))
}

/// Models that ask nobody.
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
