//! The configured source of prices: a provider with the call quota of its key.

use std::sync::Arc;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use storage::PgPool;
use storage::market::{self, SourceRow};

use super::quota::CallQuota;
use crate::config::Config;
use crate::provider::PriceProvider;
use crate::provider::alpha_vantage::{AlphaVantage, COMPACT_SESSIONS, History};
use crate::provider::http::Access;

/// A provider and its call quota.
pub(crate) struct PriceSource {
    pub(crate) provider: Arc<dyn PriceProvider>,
    pub(crate) quota: CallQuota,
    /// How many sessions the key's plan reaches back; `None` without a limit.
    recent_sessions: Option<usize>,
}

impl PriceSource {
    /// The source that is configured; `None` without a key.
    pub(crate) fn from_config(config: &Config, pool: &PgPool) -> anyhow::Result<Option<Self>> {
        let Some(settings) = &config.alpha_vantage else { return Ok(None) };
        let provider = AlphaVantage::new(settings.clone(), config.history)
            .context("preparing the client of Alpha Vantage")?;
        let quota = CallQuota {
            pool: pool.clone(),
            key: format!("{}:{}", provider.name(), fingerprint(settings)),
            windows: config.windows.clone(),
            max_wait: config.max_quota_wait,
        };
        let recent_sessions = (config.history == History::Recent).then_some(COMPACT_SESSIONS);
        Ok(Some(Self { provider: Arc::new(provider), quota, recent_sessions }))
    }
}

/// Records the source for dry runs, which estimate how many calls a job needs.
pub(crate) async fn record(pool: &PgPool, source: Option<&PriceSource>) -> storage::Result<()> {
    let note = source.map(|source| SourceRow {
        name: source.provider.name(),
        quota_key: &source.quota.key,
        windows: &source.quota.windows,
        max_wait_seconds: source.quota.max_wait.as_secs(),
        recent_sessions: source.recent_sessions,
    });
    market::record_source(pool, note.as_ref()).await
}

/// A short hash that gives each key a quota of its own without revealing the key.
fn fingerprint(settings: &Access) -> String {
    let digest = Sha256::digest(format!("{} {}", settings.base_url, settings.key.expose()));
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
