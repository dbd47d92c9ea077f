//! The download of one preparation: the sources are asked one after another, each for what the ones before it left.

mod calls;
pub(crate) mod clock;
mod conflicts;
mod doubts;
pub(crate) mod fetch;
mod priority;
mod progress;
pub(crate) mod quota;
pub(crate) mod report;
pub(crate) mod source;
pub(crate) mod source_name;
pub(crate) mod stop_reason;
pub(crate) mod stored_prices;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use domain::ingest::fetch_plan::plan;
use domain::ingest::outlook::Outlook;
use storage::market::Preparation;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::context::{Context, Interruption};
use crate::server_time::ServerTime;
use crate::source_list::SourceList;
use calls::Calls;
use clock::Clock;
use fetch::Fetcher;
use report::Report;
use source_name::SourceNames;
use stop_reason::StopReason;
use stored_prices::{StoredPrices, symbols_of};

/// Downloads missing prices.
pub(crate) struct Downloader {
    pub(crate) context: Arc<Context>,
    /// In order of preference.
    pub(crate) list: Arc<SourceList>,
    /// Concurrent calls of one download.
    pub(crate) concurrency: usize,
}

impl Downloader {
    /// How the database names the sources.
    pub(crate) fn source_names(&self) -> Arc<SourceNames> {
        let names = self.list.sources.iter().map(|source| source.name()).collect();
        Arc::new(SourceNames { names, hand_over: self.list.hand_over })
    }

    /// Downloads what is missing in `prices`, as far as the sources give it.
    pub(crate) async fn download(
        &self,
        preparation: &Preparation,
        prices: &mut StoredPrices,
        time: ServerTime,
        holder: Uuid,
        halt: &CancellationToken,
    ) -> Result<Report, Interruption> {
        prices.load_homes(&self.context.pool).await?;
        let open = symbols_of(&prices.need(&self.clock(time)));
        let total = preparation.symbols_total.map_or(0, |total| total as usize).max(open);
        let mut report = Report { total, succeeded: total - open, ..Report::default() };
        report.is_announced = preparation.symbols_total.is_some();
        for source in &self.list.sources {
            let need = prices.need_of(source, &self.clock(time));
            if need.is_empty() || source.is_paused(&self.context.pauses) {
                continue;
            }
            let fetcher = Fetcher {
                job: preparation.job,
                context: Arc::clone(&self.context),
                source: Arc::clone(source),
                scope: prices.scope().clone(),
                sources: Arc::clone(prices.sources()),
                time,
                holder,
                halt: halt.child_token(),
                throttled: AtomicBool::new(false),
                one_at_a_time: Mutex::new(()),
            };
            report = Calls::new(self.concurrency, preparation, fetcher, prices, report).run().await?;
        }
        let clock = self.clock(time);
        let need = prices.need(&clock);
        if need.is_empty() {
            // What one source refused, another has given.
            report.stops.retain(|stop| matches!(stop, StopReason::BadCredentials { .. }));
        }
        report.keep_missing(&need);
        report.stops.retain(|stop| !matches!(stop, StopReason::Paused { .. }));
        report.paused_source = self.paused_source(prices, &clock);
        report.outlook = self.outlook(&report, prices, &clock).await?;
        let (job, Report { succeeded, total, .. }) = (preparation.job, &report);
        tracing::info!(job.id = %job, "Job {job}: Download complete - {succeeded}/{total} symbols succeeded");
        Ok(report)
    }

    /// A paused source that may give something of what is missing.
    fn paused_source(&self, prices: &StoredPrices, clock: &Clock) -> Option<String> {
        let paused = self.list.sources.iter().filter(|source| source.is_paused(&self.context.pauses));
        let needed = paused.filter(|source| !prices.need_of(source, clock).is_empty());
        needed.map(|source| source.provider.name().to_owned()).next()
    }

    /// What is missing because a call quota is used up; `None` when that is not the reason.
    async fn outlook(
        &self,
        report: &Report,
        prices: &StoredPrices,
        clock: &Clock,
    ) -> Result<Option<Outlook>, Interruption> {
        let Some(StopReason::RateLimited { label, until }) = report.stop() else { return Ok(None) };
        let Some(source) = self.list.sources.iter().find(|source| source.label == label) else {
            return Ok(None);
        };
        let need = prices.need_of(source, clock);
        let calls = plan(&need, &source.offer(&self.context.calendar, clock), usize::MAX).len();
        let per_window = source.quota.calls_per_window().await?;
        Ok(Some(Outlook::new(until, symbols_of(&need), calls, per_window)))
    }

    fn clock(&self, time: ServerTime) -> Clock {
        Clock::at(&self.context.calendar, time.now())
    }
}
