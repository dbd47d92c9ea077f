//! A bundle in a file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context as _;
use domain::replay::Bundle;
use flate2::bufread::GzDecoder;

/// Reads a whole bundle.
pub(crate) fn read(path: &Path) -> anyhow::Result<Bundle> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("opening {name}"))?;
    let unpacked = BufReader::with_capacity(1 << 16, GzDecoder::new(BufReader::new(file)));
    contract::bundle::read(unpacked).with_context(|| name.to_string())
}
