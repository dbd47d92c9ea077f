//! The workers: they claim preparations that are due, so many side by side, and keep them while they work.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{TimeDelta, Utc};
use runtime::relay::Wake;
use runtime::telemetry;
use sha2::{Digest as _, Sha256};
use storage::market::{self, Preparation, SourceNote};
use storage::{PgPool, StorageError};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::budget::CallBudget;
use crate::cancelled::{self, Hints};
use crate::config::Config;
use crate::lease;
use crate::prepare::{Interrupted, Preparer};
use crate::provider::PriceProvider;
use crate::provider::alpha_vantage::{self, AlphaVantage, COMPACT_SESSIONS, History};

/// How often work is looked for when nobody says that there is some: other replicas' and abandoned work.
const POLL: Duration = Duration::from_millis(500);

/// How long a preparation is left alone after our infrastructure failed.
const PAUSE: TimeDelta = TimeDelta::seconds(2);

/// How long one is left alone that this version of the service cannot handle.
const LONG_PAUSE: TimeDelta = TimeDelta::minutes(5);

/// Everything that prepares prices in this process.
pub(crate) struct Workers {
    preparer: Arc<Preparer>,
    due: Arc<Notify>,
    hints: Hints,
    at_once: Arc<Semaphore>,
}

impl Workers {
    pub(crate) fn new(
        config: &Config,
        pool: PgPool,
        wake: Wake,
        due: Arc<Notify>,
        hints: Hints,
    ) -> anyhow::Result<Self> {
        let source =
            config.alpha_vantage.as_ref().map(|settings| source(settings, config, &pool)).transpose()?;
        let preparer = Preparer {
            pool,
            wake,
            calendar: config.calendar.clone(),
            source,
            concurrency: config.download_concurrency,
        };
        let at_once = Arc::new(Semaphore::new(config.preparations_at_once));
        Ok(Self { preparer: Arc::new(preparer), due, hints, at_once })
    }

    /// Provider of the budget's rows; `None` without a key.
    pub(crate) fn budget_key(&self) -> Option<String> {
        self.preparer.source.as_ref().map(|(_, budget)| budget.key.clone())
    }

    /// Tells those who ask what a job would need where prices come from.
    pub(crate) async fn note_source(&self, config: &Config) -> storage::Result<()> {
        let recent_only = config.alpha_vantage.as_ref().is_some_and(|own| own.history == History::Recent);
        let note = self.preparer.source.as_ref().map(|(provider, budget)| SourceNote {
            name: provider.name(),
            budget_key: &budget.key,
            windows: &budget.windows,
            max_wait_seconds: budget.max_wait.as_secs(),
            recent_sessions: recent_only.then_some(COMPACT_SESSIONS),
        });
        market::note_source(&self.preparer.pool, note.as_ref()).await
    }

    /// Prepares prices until shutdown, then lets calls under way finish and hands the rest back.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let ender = cancelled::end_cancelled(&self.preparer, &self.hints, shutdown.clone());
        tokio::join!(self.prepare_due(shutdown), ender);
    }

    async fn prepare_due(&self, shutdown: CancellationToken) {
        let tasks = TaskTracker::new();
        let mut is_told = false;
        while !shutdown.is_cancelled() {
            let permit = tokio::select! {
                () = shutdown.cancelled() => break,
                permit = Arc::clone(&self.at_once).acquire_owned() => permit,
            };
            match market::claim_due(&self.preparer.pool).await {
                Ok(Some(preparation)) => {
                    let (preparer, shutdown) = (Arc::clone(&self.preparer), shutdown.clone());
                    let hints = self.hints.clone();
                    tasks.spawn(async move {
                        let _permit = permit;
                        work(&preparer, preparation, &hints, shutdown).await;
                    });
                    continue;
                }
                Ok(None) => is_told = false,
                Err(problem) if is_told => tracing::debug!("no preparation could be claimed: {problem}"),
                Err(problem) => {
                    is_told = true;
                    tracing::warn!("no preparation could be claimed, trying again: {problem}");
                }
            }
            drop(permit);
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.due.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        tasks.close();
        tasks.wait().await;
    }
}

fn source(
    settings: &alpha_vantage::Settings,
    config: &Config,
    pool: &PgPool,
) -> anyhow::Result<(Arc<dyn PriceProvider>, CallBudget)> {
    let provider = AlphaVantage::new(settings.clone()).context("preparing the client of Alpha Vantage")?;
    let key = format!("{}:{}", provider.name(), fingerprint(settings));
    let windows = config.windows.clone();
    let budget = CallBudget { pool: pool.clone(), key, windows, max_wait: config.max_budget_wait };
    Ok((Arc::new(provider), budget))
}

/// What tells this key's budget from another's, without being the key.
fn fingerprint(settings: &alpha_vantage::Settings) -> String {
    let digest = Sha256::digest(format!("{} {}", settings.base_url, settings.key.expose()));
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// Works on one preparation, keeping its lease, until it is told, fenced off, or handed back.
async fn work(preparer: &Preparer, preparation: Preparation, hints: &Hints, shutdown: CancellationToken) {
    let job = preparation.job;
    let span = tracing::info_span!("prepare prices", job.id = %job);
    telemetry::continue_from(&span, preparation.traceparent.as_deref());
    let holder = Uuid::now_v7();
    let halt = shutdown.child_token();
    let prepared = async {
        tokio::select! {
            prepared = preparer.prepare(&preparation, holder, &halt) => prepared,
            () = lease::keep(&preparer.pool, &preparation, holder, &halt, hints) => Err(Interrupted::Halted),
        }
    };
    match prepared.instrument(span).await {
        Ok(()) => return,
        Err(Interrupted::Storage(StorageError::Fenced)) => {
            metrics::counter!("modelday_fenced_writes_total", "service" => "downloader").increment(1);
            tracing::info!(job.id = %job, "Job {job}: another worker prepares its prices, or nobody any more");
        }
        Err(Interrupted::Halted) => hand_back(preparer, &preparation, TimeDelta::zero()).await,
        Err(problem @ Interrupted::Storage(_)) => {
            tracing::warn!(job.id = %job, "Job {job}: prices could not be prepared, trying again: {problem}");
            hand_back(preparer, &preparation, PAUSE).await;
        }
        Err(problem @ (Interrupted::Contract(_) | Interrupted::Broken(_))) => {
            tracing::error!(job.id = %job, "Job {job}: prices cannot be prepared: {problem}");
            hand_back(preparer, &preparation, LONG_PAUSE).await;
        }
    }
    if let Err(problem) = market::release_all(&preparer.pool, holder).await {
        tracing::debug!("downloads in hand will run out by themselves: {problem}");
    }
}

/// Lets somebody else claim the preparation after `pause`.
async fn hand_back(preparer: &Preparer, preparation: &Preparation, pause: TimeDelta) {
    if let Err(problem) = market::wait_until(&preparer.pool, preparation, Utc::now() + pause, &[]).await {
        tracing::debug!("the claim will run out by itself: {problem}");
    }
}
