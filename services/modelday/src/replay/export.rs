//! Fetching a bundle from a Modelday that runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::Value;

use super::file;

/// What to save.
#[derive(Args)]
pub(crate) struct ExportArguments {
    /// The job; it must have ended.
    #[arg(long, value_name = "JOB")]
    bundle: String,
    /// Where to save it; by default `modelday-JOB.jsonl.gz` here.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Where Modelday listens.
    #[arg(long, env = "MODELDAY_URL", default_value = "http://127.0.0.1:8080")]
    base_url: String,
}

/// Saves the job's bundle, whole or not at all.
#[expect(clippy::print_stdout, reason = "a command for people")]
pub(crate) async fn export(arguments: &ExportArguments) -> anyhow::Result<()> {
    let job = &arguments.bundle;
    let output = arguments.output.clone().unwrap_or_else(|| format!("modelday-{job}.jsonl.gz").into());
    let part = PathBuf::from(format!("{}.part", output.display()));
    let saved = fetch(&arguments.base_url, job, &part).await.and_then(|()| file::read(&part));
    let bundle = match saved {
        Ok(bundle) => bundle,
        Err(problem) => {
            let _ = std::fs::remove_file(&part);
            return Err(problem);
        }
    };
    std::fs::rename(&part, &output).with_context(|| format!("saving {}", output.display()))?;
    println!("Saved {} model-days of job {} to {}", bundle.days(), bundle.job.id, output.display());
    Ok(())
}

async fn fetch(base_url: &str, job: &str, part: &Path) -> anyhow::Result<()> {
    use std::io::Write as _;

    let base_url = base_url.trim_end_matches('/');
    let client = reqwest::Client::builder().read_timeout(Duration::from_secs(30)).no_proxy().build()?;
    let url = format!("{base_url}/jobs/{job}/bundle");
    let mut response = client
        .get(&url)
        .send()
        .await
        .with_context(|| format!("no answer from {base_url}; is Modelday running?"))?;
    if !response.status().is_success() {
        let body = response.text().await.context("reading the answer")?;
        let problem: Value = serde_json::from_str(&body).unwrap_or_default();
        bail!("{}", problem["detail"].as_str().unwrap_or(&body));
    }
    let name = part.display();
    let mut file = std::fs::File::create(part).with_context(|| format!("creating {name}"))?;
    while let Some(chunk) = response.chunk().await.context("the answer was cut off")? {
        file.write_all(&chunk).with_context(|| format!("writing {name}"))?;
    }
    file.sync_all().with_context(|| format!("writing {name}"))
}
