//! What `deploy` holds for other machines: the compose file and the manifests for Kubernetes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod backup;
mod compose;
mod kubernetes;
mod standby;

use std::path::{Path, PathBuf};
use std::process::Output;

fn printed(output: &Output) -> String {
    format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
