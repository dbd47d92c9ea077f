//! Valid and invalid requests, generated from the description: none breaks a service, and every response is as
//! described.

use std::path::{Path, PathBuf};
use std::process::Command;

use it::{Shape, System, python_programs};
use serde_json::{Value, json};

use crate::token::make_token;

/// The least number of requests of a run.
const MIN_REQUESTS: u64 = 5_000;

#[tokio::test(flavor = "multi_thread")]
async fn every_response_to_a_generated_request_is_as_described() {
    let Some(programs) = python_programs("schemathesis") else { return };
    let everything = make_token("fuzzer", &["read", "trigger", "operate"]);
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
        // What the API has stored covers the file's entry of the same name, which counts again when that is removed.
        .args(["--exclude-checks", "use_after_free"])
        // A fixed seed, so that a new finding appears only in a run that sets another one. One worker, because Python's
        // parser needs a deep stack and sometimes fails when two threads use it.
        .args(["--seed", &std::env::var("FUZZING_SEED").unwrap_or_else(|_| "1".to_owned()), "--workers", "1"])
        .arg("--no-color")
        .args(["-H", &format!("Authorization: Bearer {}", everything.token)])
        .current_dir(&folder)
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();

    std::fs::remove_dir_all(&folder).unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    let made: u64 = printed
        .lines()
        .find_map(|line| line.trim().split_once(" generated")?.0.replace(',', "").parse().ok())
        .unwrap_or_else(|| panic!("no count in {printed}"));
    assert!(made >= MIN_REQUESTS, "only {made} requests: {printed}");
    let ready: (_, Value) = system.client.get("/readyz").await;
    assert_eq!(ready.1["status"], json!("healthy"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
