//! One preparation from claim to event: load what is stored, download what is missing, conclude which dates can
//! run.

use std::sync::Arc;

use contract::{ContractError, decode_event, kind};
use domain::events::event::Event;
use domain::ingest::job_symbols::JobSymbols;
use domain::job::Job;
use domain::market::renames::Rename;
use storage::market::{self, Preparation};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::conclusion::{Conclusion, conclude, paused_source};
use super::needed_dates::NeededDates;
use crate::context::{Context, Interruption};
use crate::download::Downloader;
use crate::download::clock::Clock;
use crate::download::report::Report;
use crate::download::stop_reason::StopReason;
use crate::download::stored_prices::StoredPrices;
use crate::server_time::ServerTime;
use crate::source_list::{SourceList, Sources};

/// Prepares the prices of jobs.
pub(crate) struct Preparer {
    pub(crate) context: Arc<Context>,
    pub(crate) sources: Sources,
    /// Concurrent calls of one download.
    pub(crate) concurrency: usize,
}

impl Preparer {
    /// Prepares the prices of a job. Downloads are claimed in the name of `holder`; no call is begun once `halt`
    /// is cancelled.
    pub(super) async fn prepare(
        &self,
        preparation: &Preparation,
        holder: Uuid,
        halt: &CancellationToken,
    ) -> Result<(), Interruption> {
        let Context { pool, calendar, .. } = &*self.context;
        let time = ServerTime::read_now(preparation.claimed_at);
        let downloader = Downloader {
            context: Arc::clone(&self.context),
            list: self.sources.current(),
            concurrency: self.concurrency,
        };
        let mut job = job_of(&preparation.body)?;
        let renames = market::renames(pool, &job.universe.symbols, job.end).await?;
        let models: Vec<String> = job.models.iter().map(|model| model.signature.clone()).collect();
        let holdings = market::held_symbols(pool, &job.experiment, &models).await?;
        let symbols = JobSymbols::of(&mut job, holdings, &renames);
        let completed =
            market::completed_days(pool, &job.experiment, &models, job.first_date(), job.end).await?;
        let dates = NeededDates::of(&job, calendar, &completed);
        let mut others = market::received_in_job(pool, &job, &symbols).await?;
        if has_calls_to_spare(&downloader.list) {
            others.extend(symbols.compared(&job));
        }
        let scope = symbols.scope(dates.sessions.iter().copied(), others);
        let mut prices = StoredPrices::load(pool, scope, downloader.source_names()).await?;
        let mut report = self.download(&downloader, preparation, &mut prices, time, holder, halt).await?;
        if report.total > 0 || preparation.epoch > 1 {
            report.findings = market::findings(pool, job.id).await?;
        }
        report.absent = prices.absent(time.now());
        let of_job: Vec<Rename> = renames.between(job.first_date(), job.end).cloned().collect();
        report.takeovers = market::takeovers(pool, &of_job).await?;
        let verdicts = prices.coverage(time.now()).verdicts();
        if let Some(source) = paused_source(&verdicts, &report) {
            tracing::info!(job.id = %job.id, "Job {}: waits until {source} is resumed", job.id);
            return Ok(market::wait_for_source(pool, preparation, source).await?);
        }
        self.end(preparation, conclude(job, &dates, &verdicts, &report)).await
    }

    /// Downloads what is missing in `prices`.
    async fn download(
        &self,
        downloader: &Downloader,
        preparation: &Preparation,
        prices: &mut StoredPrices,
        time: ServerTime,
        holder: Uuid,
        halt: &CancellationToken,
    ) -> Result<Report, Interruption> {
        let job = preparation.job;
        if prices.need(&Clock::at(&self.context.calendar, time.now())).is_empty() {
            tracing::info!(job.id = %job, "Job {job}: All price data present");
            return Ok(Report::default());
        }
        if downloader.list.sources.is_empty() {
            let stop = StopReason::NoKey { variables: downloader.list.key_variables() };
            tracing::warn!(job.id = %job, "Job {job}: {stop}");
            return Ok(Report::stopped(stop));
        }
        downloader.download(preparation, prices, time, holder, halt).await
    }

    /// Commits the end of the preparation, or its delay, with the event.
    async fn end(&self, preparation: &Preparation, conclusion: Conclusion) -> Result<(), Interruption> {
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
        let codes: Vec<String> = conclusion.warnings().iter().map(|warning| warning.code.clone()).collect();
        let messages = [runtime::outgoing::event(&conclusion.into())?];
        let Context { pool, wake, .. } = &*self.context;
        match until {
            Some(until) => market::postpone(pool, preparation, until, &messages).await?,
            None => market::finish(pool, preparation, &messages).await?,
        }
        wake.wake_for_urgent_events();
        // Only the service that finds a warning counts it; later services pass it on.
        for code in codes {
            metrics::counter!("modelday_warnings_total", "code" => code).increment(1);
        }
        Ok(())
    }
}

/// Whether calls may be made for prices that no date needs: no limit keeps them from other jobs for long.
fn has_calls_to_spare(SourceList { sources, .. }: &SourceList) -> bool {
    !sources.is_empty() && !sources.iter().any(|source| source.quota.is_long())
}

/// The job of a `job.requested` body.
pub(super) fn job_of(body: &str) -> Result<Job, ContractError> {
    match decode_event(kind::JOB_REQUESTED, body.as_bytes())? {
        Event::JobRequested(job) => Ok(job),
        other => Err(ContractError::UnknownType(kind::of(&other).to_owned())),
    }
}
