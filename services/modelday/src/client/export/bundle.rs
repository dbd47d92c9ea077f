//! A job that has ended as one file.

use std::path::{Path, PathBuf};

use super::file::Part;
use crate::client::api::Api;
use crate::client::output::print_line;
use crate::replay;

/// Saves the job's bundle after a look whether it can be read.
pub(super) async fn save(api: &Api, job: &str, output: Option<&Path>) -> anyhow::Result<()> {
    let mut response = api.open(&["jobs", job, "bundle"], &(), &[]).await?;
    let output = output.map_or_else(|| PathBuf::from(format!("modelday-{job}.jsonl.gz")), Path::to_owned);
    let mut part = Part::begin(&output)?;
    while let Some(bytes) = api.chunk(&mut response).await? {
        part.write(&bytes)?;
    }
    part.sync()?;
    let bundle = replay::read(part.so_far())?;
    part.keep()?;
    print_line(&format!(
        "Saved {} model-days of job {} to {}",
        bundle.days(),
        bundle.job.id,
        output.display()
    ))?;
    Ok(())
}
