//! The configured sources of prices: each is a provider with the call quota of its key.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::NaiveDate;
use domain::ingest::fetch_plan::Offer;
use domain::job::pause::PauseKind;
use domain::market::calendar::Calendar;
use runtime::pauses::Pauses;
use sha2::{Digest as _, Sha256};
use storage::PgPool;
use storage::market::{self, SourceRow};

use super::clock::Clock;
use super::quota::CallQuota;
use super::source_name::SourceName;
use crate::config::source_config::{Kind, SourceConfig};
use crate::provider::PriceProvider;
use crate::provider::alpha_vantage::{AlphaVantage, COMPACT_SESSIONS, History};
use crate::provider::http::Access;
use crate::provider::massive::Massive;
use crate::provider::tiingo::Tiingo;

/// A provider and its call quota.
pub(crate) struct PriceSource {
    pub(crate) provider: Arc<dyn PriceProvider>,
    pub(crate) quota: CallQuota,
    pub(crate) label: SourceLabel,
    /// How many sessions the key's plan reaches back; `None` without a limit.
    recent_sessions: Option<usize>,
}

/// How texts name a source and its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceLabel {
    /// Its name, e.g. `Alpha Vantage`.
    pub(crate) title: &'static str,
    /// The setting that holds its key.
    pub(crate) key_variable: String,
    /// The setting that holds its address.
    pub(crate) address_setting: &'static str,
}

impl PriceSource {
    /// A source that has a key. A call that would wait longer than `max_wait` for its quota counts as exhausted.
    pub(crate) fn new(
        source: &SourceConfig,
        access: Access,
        pool: &PgPool,
        max_wait: Duration,
    ) -> anyhow::Result<Self> {
        let key = quota_key(source.kind, &access);
        let provider = provider(source, access)
            .with_context(|| format!("preparing the client of {}", source.kind.title()))?;
        let quota = CallQuota { pool: pool.clone(), key, windows: source.windows.clone(), max_wait };
        let label = SourceLabel {
            title: source.kind.title(),
            key_variable: source.key_variable.clone(),
            address_setting: source.address_setting,
        };
        let is_recent = source.kind == Kind::AlphaVantage && source.history == History::Recent;
        let recent_sessions = is_recent.then_some(COMPACT_SESSIONS);
        Ok(Self { provider, quota, label, recent_sessions })
    }

    fn row(&self) -> SourceRow<'_> {
        SourceRow {
            name: self.provider.name(),
            quota_key: &self.quota.key,
            windows: &self.quota.windows,
            max_wait_seconds: self.quota.max_wait.as_secs(),
            recent_sessions: self.recent_sessions,
            shape: self.provider.shape(),
            calls_per_request: self.provider.calls(),
        }
    }

    /// How stored bars and refusals name it.
    pub(crate) fn name(&self) -> SourceName {
        SourceName { provider: self.provider.name(), quota: self.quota.key.clone() }
    }

    /// Whether an operator has paused it.
    pub(super) fn is_paused(&self, pauses: &Pauses) -> bool {
        pauses.has(PauseKind::Source, self.provider.name())
    }

    /// Waits until it is paused.
    pub(super) async fn paused(&self, pauses: &Pauses) {
        pauses.paused(PauseKind::Source, self.provider.name()).await;
    }

    /// What the provider's calls can bring at the moment of `clock`.
    pub(super) fn offer(&self, calendar: &Calendar, clock: &Clock) -> Offer {
        let is_session = |date: NaiveDate| calendar.is_session(date);
        self.provider.offer(&clock.sessions(&is_session), clock.now)
    }
}

/// The client of a source.
pub(crate) fn provider(source: &SourceConfig, access: Access) -> anyhow::Result<Arc<dyn PriceProvider>> {
    Ok(match source.kind {
        Kind::AlphaVantage => Arc::new(AlphaVantage::new(access, source.history, source.with_actions)?),
        Kind::Tiingo => Arc::new(Tiingo::new(access)?),
        Kind::Massive => Arc::new(Massive::new(access, source.with_actions)?),
    })
}

/// Records the sources for dry runs, which estimate how many calls a job needs.
pub(crate) async fn record(pool: &PgPool, sources: &[Arc<PriceSource>]) -> storage::Result<()> {
    let rows: Vec<SourceRow<'_>> = sources.iter().map(|source| source.row()).collect();
    market::record_sources(pool, &rows).await
}

/// The name of a key's quota: a short hash gives each key one of its own without revealing the key.
pub(crate) fn quota_key(kind: Kind, access: &Access) -> String {
    let digest = Sha256::digest(format!("{} {}", access.base_url, access.key.expose()));
    let fingerprint: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{}:{fingerprint}", kind.name())
}
