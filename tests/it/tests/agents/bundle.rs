//! Bundles as files: saved, looked into, changed, and given to `modelday`.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A file that goes with the test.
pub(crate) struct Saved(PathBuf);

impl Saved {
    /// These bytes in a file.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("modelday-test-{}.jsonl.gz", uuid::Uuid::now_v7()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// What `modelday replay` of it writes, with its exit code and what it says.
    pub(crate) fn replay(&self) -> (String, Option<i32>, String) {
        let results = self.0.with_extension("results");
        let output = it::modelday(&["replay", self.path(), "--output", results.to_str().unwrap()]);
        let text = std::fs::read_to_string(&results).unwrap_or_default();
        let _ = std::fs::remove_file(results);
        (text, output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The exit code of `modelday verify`, and what it says.
    pub(crate) fn verify(&self) -> (Option<i32>, String) {
        let output = it::modelday(&["verify", self.path()]);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }
}

/// The job's bundle replays as it was recorded.
pub(crate) async fn replays_as_recorded(system: &it::System, job: &str) {
    let (status, bundle) = system.client.bundle(job).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bundle));
    let (code, said) = Saved::new(&bundle).verify();
    assert_eq!(code, Some(0), "{said}");
}

impl Drop for Saved {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The lines of a bundle.
pub(crate) fn lines(bundle: &[u8]) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(bundle).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A bundle of these lines, with a checksum that fits them instead of their own.
pub(crate) fn packed(lines: &[Value]) -> Vec<u8> {
    let kept: Vec<&Value> = lines.iter().filter(|line| line["kind"] != "end").collect();
    let mut text: String = kept.iter().map(|line| format!("{line}\n")).collect();
    let sha256: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    text += &format!("{}\n", json!({ "kind": "end", "lines": kept.len(), "sha256": sha256 }));
    gzip(text.as_bytes())
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}
