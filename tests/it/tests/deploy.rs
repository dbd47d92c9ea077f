//! `docker-compose.yml` is accepted by a real compose tool.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

#[test]
fn a_real_compose_tool_accepts_the_compose_file() {
    let output = check("docker-compose.yml");

    assert!(output.status.success(), "{}", printed(&output));
}

#[test]
fn a_compose_file_with_an_unknown_key_is_refused() {
    assert_refused("restart: on-failure", "restarts: on-failure", "does not accept");
}

#[test]
fn a_compose_file_in_which_a_service_waits_for_an_unknown_service_is_refused() {
    assert_refused(
        "    depends_on:\n      postgres:",
        "    depends_on:\n      postgresql:",
        "does not accept",
    );
}

#[test]
fn a_compose_file_without_one_of_our_services_is_refused() {
    assert_refused("\n  executor:\n    <<", "\n  executer:\n    <<", "has no service executor");
}

/// Checks that the compose tool refuses the file after one change.
fn assert_refused(from: &str, to: &str, expected: &str) {
    let whole = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let broken = whole.replacen(from, to, 1);
    assert_ne!(broken, whole, "{from:?} is in the file");
    let path = std::env::temp_dir().join(format!("modelday-compose-{}.yml", uuid::Uuid::now_v7()));
    std::fs::write(&path, broken).unwrap();

    let output = check(path.to_str().unwrap());

    std::fs::remove_file(&path).unwrap();
    assert!(!output.status.success() && printed(&output).contains(expected), "{to:?}: {}", printed(&output));
}

fn check(file: &str) -> Output {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let output = script(&["install"]);
        assert!(output.status.success(), "{}", printed(&output));
    });
    script(&[file])
}

/// Runs the script without the state folder of the tests' servers, so that the installed tool is kept.
fn script(arguments: &[&str]) -> Output {
    let mut script = Command::new("deploy/local/compose-check.sh");
    script.args(arguments).current_dir(root()).env_remove("MODELDAY_STATE").output().unwrap()
}

fn printed(output: &Output) -> String {
    format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
