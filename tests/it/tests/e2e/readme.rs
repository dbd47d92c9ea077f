//! Every command of the README does what the README says.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use it::{Shape, System};

/// The address in the README's commands.
const ADDRESS: &str = "http://127.0.0.1:8080";
/// Not run, since a release build takes minutes. The sample job, with which it ends, is run instead.
const MAKE_RUN: &str = "make run";

#[test]
fn make_run_is_a_target_that_runs_an_existing_script() {
    let mut make = Command::new("make");
    // Tests may themselves be run by make, which would pass its own settings on.
    make.args(["-n", "run"]).env_remove("MAKEFLAGS").env_remove("MAKELEVEL").env_remove("MFLAGS");
    let output = make.current_dir(root()).output().expect("make runs");

    let recipe = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let checked = Command::new("bash").arg("-n").arg(root().join(&recipe)).status().expect("bash runs");
    assert!(checked.success(), "`make run` runs {recipe:?}, which is no script");
}

/// Two threads, so that the stand-in responds while this test waits for a command.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_of_the_readme_works_after_the_sample_job() {
    let system = System::builder(Shape::OneProcess).start().await;
    let address = &system.client.status_url;
    let readme = readme();

    let shown = run(&format!("{} run --sample", program().display()), address);

    assert_eq!(rows(&readme, "text"), table(&shown), "the table of the README");
    for command in tried(&shown) {
        assert_prints_json(&command, address);
    }
    let mut commands = blocks(&readme, "sh");
    let count = commands.len();
    commands.retain(|command| command != MAKE_RUN);
    assert_eq!(commands.len() + 1, count, "`{MAKE_RUN}` is there, once");
    assert!(!commands.is_empty(), "the README has commands");
    for command in commands {
        assert_prints_json(&command, address);
    }
    run(&client_command(&readme), address);
}

/// Runs a command against the Modelday at `address`; returns its standard output.
fn run(command: &str, address: &str) -> String {
    let Output { status, stdout, stderr } = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &command.replace(ADDRESS, address)])
        .env("MODELDAY_URL", address)
        .env("no_proxy", "127.0.0.1")
        .current_dir(root())
        .output()
        .expect("bash runs");
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command}\n{status}: {stderr}\n{stdout}");
    stdout.into_owned()
}

fn assert_prints_json(command: &str, address: &str) {
    let printed = run(command, address);
    let response: serde_json::Value =
        serde_json::from_str(&printed).unwrap_or_else(|problem| panic!("{command}\n{problem}: {printed}"));
    assert!(response.is_object() || response.is_array(), "{command}\n{response}");
    assert!(response.get("detail").is_none(), "{command}\n{response}");
}

/// The one command inside a sentence, with the program that the tests have built.
fn client_command(readme: &str) -> String {
    let built = "target/release/modelday ";
    let (_, command) = readme.split_once(&format!("`{built}")).expect("a command of the client");
    let (arguments, _) = command.split_once('`').expect("its end");
    format!("{} {arguments}", program().display())
}

/// Commands that the client suggests when a job has ended.
fn tried(shown: &str) -> Vec<String> {
    let (_, tries) = shown.split_once("Try:").expect("something to try");
    let commands: Vec<String> = tries.lines().map(|line| line.trim().replace("curl", "curl -fsS")).collect();
    commands.into_iter().filter(|line| !line.is_empty()).collect()
}

/// Rows of the README's table: name, return, value, trades, days.
fn rows(readme: &str, language: &str) -> Vec<[String; 5]> {
    let table = blocks(readme, language).join("\n");
    table.lines().skip(1).map(|line| cells(line, [0, 1, 2, 3, 4])).collect()
}

/// The same columns of the client's table, which also has the Sharpe ratio and the drawdown.
fn table(shown: &str) -> Vec<[String; 5]> {
    let lines = shown.lines().skip_while(|line| !line.trim_start().starts_with("---")).skip(1);
    lines.take_while(|line| !line.is_empty()).map(|line| cells(line, [0, 1, 2, 5, 6])).collect()
}

/// Cells of a row; at least two spaces separate them.
fn cells(line: &str, places: [usize; 5]) -> [String; 5] {
    let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    places.map(|place| cells.get(place).map_or_else(String::new, |cell| (*cell).to_owned()))
}

/// The fenced blocks with this language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).filter_map(|rest| Some(rest.split_once("\n```")?.0.to_owned())).collect()
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("the README")
}

/// `modelday`, which the system under test was started with.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the test program has a path");
    test.ancestors().nth(2).expect("target/<profile>").join("modelday")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
