//! Programs from Python's package index with which tests check ours.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder with the programs of `tests/python/NAME.txt`, installed at first use; `None` with a message on a machine
/// that cannot reach the index.
///
/// # Panics
/// When the installation fails for another reason.
pub fn python_programs(name: &str) -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/local/python.sh");
    let output = Command::new(script).arg(name).output().expect("bash is there");
    match output.status.code() {
        Some(0) => Some(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()).join("bin")),
        Some(3) => {
            eprintln!("not run: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        _ => panic!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}
