//! Notices that files have changed.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// What differs between a file and one that replaced it or was written in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    inode: u64,
    bytes: u64,
    modified: Option<SystemTime>,
}

/// Calls `changed` each time after one of `files` has changed. A file that is missing has not changed: a program that
/// replaces it may be at work. Never returns.
pub(crate) async fn watch(files: &[PathBuf], mut changed: impl FnMut()) {
    let mut known: Vec<_> = files.iter().map(|file| version(file)).collect();
    loop {
        tokio::time::sleep(INTERVAL).await;
        let found: Vec<_> = files.iter().zip(&known).map(|(file, known)| version(file).or(*known)).collect();
        if found != known {
            known = found;
            changed();
        }
    }
}

/// Also of the file that a symbolic link leads to. `None` when there is none.
fn version(file: &Path) -> Option<Version> {
    let metadata = std::fs::metadata(file).ok()?;
    Some(Version { inode: metadata.ino(), bytes: metadata.len(), modified: metadata.modified().ok() })
}
