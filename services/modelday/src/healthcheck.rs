//! A health check that needs no other program in the container.

use std::time::Duration;

use anyhow::{Context as _, ensure};

/// Succeeds when `url` answers 200 within five seconds.
pub(crate) async fn healthcheck(url: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).no_proxy().build()?;
    let status = client.get(url).send().await.with_context(|| format!("asking {url}"))?.status();
    ensure!(status.is_success(), "{url} answered {status}");
    Ok(())
}
