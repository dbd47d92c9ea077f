//! A job that has ended, as one file.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::partial_file::PartialFile;
use crate::client::http::Api;
use crate::replay::bundle_file::{self, BundleLimit};
use crate::terminal::output::print_line;

/// Saves the job's bundle once it has been read back without an error.
pub(super) async fn save(
    api: &Api,
    job: &str,
    output: Option<&Path>,
    limit: BundleLimit,
) -> anyhow::Result<()> {
    let mut response = api.open(&["jobs", job, "bundle"], &(), &[]).await?;
    let output = output.map_or_else(|| PathBuf::from(format!("modelday-{job}.jsonl.gz")), Path::to_owned);
    let mut file = PartialFile::create(&output)?;
    let mut received = 0;
    while let Some(bytes) = api.chunk(&mut response).await? {
        received += bytes.len() as u64;
        ensure!(
            received <= limit.bytes(),
            "the bundle of job {job} is larger than {} GiB; if you trust {}, allow more with --max-unpacked-gib",
            limit.bytes() >> 30,
            api.display_url()
        );
        file.write(&bytes)?;
    }
    file.sync()?;
    let bundle = bundle_file::read(file.partial_path(), limit)?;
    file.keep()?;
    print_line(&format!(
        "Saved {} model-days of job {} to {}",
        bundle.days(),
        bundle.job.id,
        output.display()
    ))?;
    Ok(())
}
