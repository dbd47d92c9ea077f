//! A job that has ended, as one file.

use std::path::{Path, PathBuf};

use super::partial_file::PartialFile;
use crate::client::http::Api;
use crate::replay::bundle_file;
use crate::terminal::output::print_line;

/// Saves the job's bundle once it has been read back without an error.
pub(super) async fn save(api: &Api, job: &str, output: Option<&Path>) -> anyhow::Result<()> {
    let mut response = api.open(&["jobs", job, "bundle"], &(), &[]).await?;
    let output = output.map_or_else(|| PathBuf::from(format!("modelday-{job}.jsonl.gz")), Path::to_owned);
    let mut file = PartialFile::create(&output)?;
    while let Some(bytes) = api.chunk(&mut response).await? {
        file.write(&bytes)?;
    }
    file.sync()?;
    let bundle = bundle_file::read(file.partial_path())?;
    file.keep()?;
    print_line(&format!(
        "Saved {} model-days of job {} to {}",
        bundle.days(),
        bundle.job.id,
        output.display()
    ))?;
    Ok(())
}
