//! JavaScript packages with which tests check our messages.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the packages of `tests/javascript/NAME`, installed at first use; `None` with a message on a machine where
/// they cannot be installed.
///
/// # Panics
/// When the installation fails for another reason.
pub fn node_packages(name: &str) -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/local/node.sh");
    let output = Command::new(script).arg(name).output().expect("bash is there");
    match output.status.code() {
        Some(0) => Some(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())),
        Some(3) => {
            eprintln!("not run: {}", String::from_utf8_lossy(&output.stderr));
            None
        }
        _ => panic!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}
