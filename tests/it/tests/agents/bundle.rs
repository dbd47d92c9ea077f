//! Bundles as files: saved, read, changed, and given to `modelday replay` and `modelday verify`.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A file with a bundle. It is removed with this value.
pub(crate) struct BundleFile(PathBuf);

impl BundleFile {
    /// Saves these bytes.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("modelday-test-{}.jsonl.gz", uuid::Uuid::now_v7()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Runs `modelday replay`: the results, the exit code, and the text on standard error.
    pub(crate) fn replay(&self) -> (String, Option<i32>, String) {
        let results = self.0.with_extension("results");
        let output = it::modelday(&["replay", self.path(), "--output", results.to_str().unwrap()]);
        let text = std::fs::read_to_string(&results).unwrap_or_default();
        let _ = std::fs::remove_file(results);
        (text, output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Runs `modelday verify`: the exit code, and the printed text.
    pub(crate) fn verify(&self) -> (Option<i32>, String) {
        let output = it::modelday(&["verify", self.path()]);
        let printed = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
    }
}

/// Checks that the job's bundle replays as it was recorded.
pub(crate) async fn replays_as_recorded(system: &it::System, job: &str) {
    let (status, bundle) = system.client.bundle(job).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bundle));
    let (code, printed) = BundleFile::new(&bundle).verify();
    assert_eq!(code, Some(0), "{printed}");
}

impl Drop for BundleFile {
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

/// A bundle of these lines, with a new line `end` whose checksum is correct.
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
