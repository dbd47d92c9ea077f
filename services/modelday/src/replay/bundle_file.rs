//! A bundle in a file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use contract::bundle::BundleError;
use domain::replay::Bundle;
use flate2::bufread::GzDecoder;

/// How large a bundle may be.
#[derive(Args, Clone, Copy)]
pub(crate) struct BundleLimit {
    /// The most GiB that the bundle may unpack to; all of it is held in memory.
    #[arg(long, value_name = "GIB", default_value_t = 2)]
    max_unpacked_gib: u32,
}

impl BundleLimit {
    /// In bytes.
    pub(crate) fn bytes(self) -> u64 {
        u64::from(self.max_unpacked_gib) << 30
    }
}

/// Reads a whole bundle.
pub(crate) fn read(path: &Path, limit: BundleLimit) -> anyhow::Result<Bundle> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("opening {name}"))?;
    let unpacked = BufReader::with_capacity(1 << 16, GzDecoder::new(BufReader::new(file)));
    contract::bundle::read(unpacked, limit.bytes()).map_err(|problem| match problem {
        BundleError::TooLarge { .. } => anyhow::anyhow!(
            "{name}: the file unpacks to more than {} GiB; if you trust it, allow more with --max-unpacked-gib",
            limit.max_unpacked_gib
        ),
        problem => anyhow::Error::new(problem).context(name.to_string()),
    })
}
