//! Requests made up from the description, right and wrong ones: none breaks a service, and every answer is as
//! described.

use std::path::{Path, PathBuf};
use std::process::Command;

use it::{Shape, System, python_programs};
use serde_json::{Value, json};

use crate::token::made;

/// Requests that a run makes at least.
const REQUESTS: u64 = 5_000;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_the_answer_is_as_described() {
    let Some(programs) = python_programs("schemathesis") else { return };
    let everything = made("fuzzer", &["read", "trigger", "operate"]);
    let system = System::builder(Shape::OneProcess)
        .env("API_TOKENS", &everything.entry)
        .env("API_REQUESTS_PER_MINUTE", "10000000")
        .env("MAX_ACTIVE_JOBS", "100000")
        .start()
        .await;
    let folder = std::env::temp_dir().join(format!("modelday-fuzzing-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&folder).unwrap();

    let output = Command::new(programs.join("st"))
        .arg("--config-file")
        .arg(root().join("tests/python/schemathesis.toml"))
        .args(["run", &format!("{}/openapi.json", system.client.status_url)])
        .args(["--checks", "all", "--max-examples", "160", "--continue-on-failure"])
        // Another seed finds other things, at a time of somebody's choosing. Python parses code deep in its stack,
        // which fails now and then while another thread does too.
        .args(["--seed", &std::env::var("FUZZING_SEED").unwrap_or_else(|_| "1".to_owned()), "--workers", "1"])
        .arg("--no-color")
        .args(["-H", &format!("Authorization: Bearer {}", everything.token)])
        .current_dir(&folder)
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();

    std::fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let made: u64 = said
        .lines()
        .find_map(|line| line.trim().split_once(" generated")?.0.replace(',', "").parse().ok())
        .unwrap_or_else(|| panic!("no count in {said}"));
    assert!(made >= REQUESTS, "only {made} requests: {said}");
    let ready: (_, Value) = system.client.get("/readyz").await;
    assert_eq!(ready.1["status"], json!("healthy"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
