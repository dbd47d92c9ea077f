//! One preparation from claim to event: load what is there, fetch what is missing, say what can run.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::Utc;
use contract::{ContractError, decode_event, kind};
use domain::events::event::Event;
use domain::ingest::coverage::symbols_held_by;
use domain::job::Job;
use domain::market::calendar::Calendar;
use runtime::relay::Wake;
use storage::market::{self, Preparation};
use storage::{PgPool, StorageError};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::budget::CallBudget;
use crate::conclusion::{Conclusion, conclude};
use crate::days::{Days, first_date};
use crate::download::{Download, Report};
use crate::fetch::Fetcher;
use crate::prices::Prices;
use crate::provider::PriceProvider;
use crate::sessions::Clock;
use crate::stop::Stop;

/// What preparations are made with.
pub(crate) struct Preparer {
    pub(crate) pool: PgPool,
    pub(crate) wake: Wake,
    pub(crate) calendar: Calendar,
    /// The source of prices with its budget; `None` without a key.
    pub(crate) source: Option<(Arc<dyn PriceProvider>, CallBudget)>,
    /// Calls side by side.
    pub(crate) concurrency: usize,
}

/// Why a preparation did not get to its end; it stays due.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Interrupted {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("the request cannot be read or the answer not be written: {0}")]
    Contract(#[from] ContractError),
    #[error("a download broke off: {0}")]
    Broken(#[from] tokio::task::JoinError),
    #[error("it was told to stop")]
    Halted,
}

impl Preparer {
    /// Prepares the prices of a job. Downloads are taken in the name of `holder`; nothing new is begun once
    /// `halt` is cancelled.
    pub(crate) async fn prepare(
        &self,
        preparation: &Preparation,
        holder: Uuid,
        halt: &CancellationToken,
    ) -> Result<(), Interrupted> {
        let job = job_of(&preparation.body)?;
        let models: Vec<String> = job.models.iter().map(|model| model.signature.clone()).collect();
        let completed =
            market::completed_days(&self.pool, &job.experiment, &models, first_date(&job), job.end).await?;
        let days = Days::of(&job, &self.calendar, &completed);
        let held = symbols_held_by(&job, market::held_symbols(&self.pool, &job.experiment, &models).await?);
        let mut prices = Prices::load(&self.pool, &days.needed, &job.universe, &held).await?;
        let mut report = self.fetch_missing(preparation, &days, &mut prices, holder, halt).await?;
        report.findings = market::findings(&self.pool, job.id).await?;
        let verdicts = prices.coverage(Utc::now()).verdicts();
        self.tell(preparation, conclude(job, &days, &verdicts, &report)).await
    }

    async fn fetch_missing(
        &self,
        preparation: &Preparation,
        days: &Days,
        prices: &mut Prices,
        holder: Uuid,
        halt: &CancellationToken,
    ) -> Result<Report, Interrupted> {
        let (job, clock) = (preparation.job, Clock::at(&self.calendar, Utc::now()));
        if prices.coverage(clock.now).need(clock.now, clock.storable_until).is_empty() {
            tracing::info!(job.id = %job, "Job {job}: All price data present");
            return Ok(Report::default());
        }
        let Some((provider, budget)) = &self.source else {
            tracing::warn!(job.id = %job, "Job {job}: {}", Stop::NoKey);
            return Ok(Report { stop: Some(Stop::NoKey), ..Report::default() });
        };
        let fetcher = Fetcher {
            job,
            pool: self.pool.clone(),
            provider: Arc::clone(provider),
            budget: budget.clone(),
            calendar: self.calendar.clone(),
            needed: days.needed.clone(),
            holder,
            halt: halt.child_token(),
            throttled: AtomicBool::new(false),
            one_at_a_time: Mutex::new(()),
        };
        Download::new(self, preparation, fetcher, prices).run().await
    }

    /// Commits the end of the preparation with its event.
    async fn tell(&self, preparation: &Preparation, conclusion: Conclusion) -> Result<(), Interrupted> {
        let job = preparation.job;
        for warning in conclusion.warnings() {
            tracing::info!(job.id = %job, warning.code = warning.code, "Job {job}: {}", warning.message);
        }
        match &conclusion {
            Conclusion::Ready(ready) => {
                tracing::info!(job.id = %job, "Job {job}: {} dates can run", ready.runnable.len());
            }
            Conclusion::Failed(failed) => tracing::warn!(job.id = %job, "Job {job}: {}", failed.error),
            Conclusion::Waiting(waiting) => {
                tracing::info!(job.id = %job, "Job {job}: waits for price data until {}", waiting.until);
            }
        }
        let until = conclusion.until();
        let warnings = conclusion.warnings().to_vec();
        let messages = [runtime::outgoing::event(&conclusion.into())?];
        match until {
            Some(until) => market::wait_until(&self.pool, preparation, until, &messages).await?,
            None => market::finish(&self.pool, preparation, &messages).await?,
        }
        self.wake.wake();
        // Counted here and nowhere else: the services behind carry them on.
        for warning in warnings {
            metrics::counter!("modelday_warnings_total", "code" => warning.code).increment(1);
        }
        Ok(())
    }
}

/// The job of a `job.requested` body.
pub(crate) fn job_of(body: &str) -> Result<Job, ContractError> {
    match decode_event(kind::JOB_REQUESTED, body.as_bytes())? {
        Event::JobRequested(job) => Ok(job),
        other => Err(ContractError::UnknownType(kind::of(&other).to_owned())),
    }
}
