//! The download of one preparation: plan the calls, make them concurrently, plan again when a result changes what
//! is useful.

pub(crate) mod clock;
mod conflicts;
mod doubts;
pub(crate) mod fetch;
mod priority;
mod progress;
pub(crate) mod quota;
pub(crate) mod report;
pub(crate) mod source;
pub(crate) mod stop_reason;
pub(crate) mod stored_prices;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use chrono::{DateTime, NaiveDate, Utc};
use domain::events::event::{DownloadProgressed, DownloadStarted, Event};
use domain::ingest::coverage::Need;
use domain::ingest::fetch_plan::{Offer, plan};
use domain::ingest::outlook::Outlook;
use domain::market::instruments::Symbol;
use storage::market::{self, Preparation};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::context::{Context, Interruption};
use crate::provider::{Certainty, NoPrices};
use crate::server_time::ServerTime;
use clock::Clock;
use conflicts::Conflicts;
use doubts::Doubts;
use fetch::{Fetcher, SymbolOutcome};
use priority::by_priority;
use progress::Progress;
use quota::Allowance;
use report::Report;
use source::PriceSource;
use stop_reason::StopReason;
use stored_prices::StoredPrices;

/// After this many symbols in a row without a response the provider counts as unreachable.
const MAX_UNREACHABLE_IN_A_ROW: u32 = 5;

/// Downloads missing prices.
pub(crate) struct Downloader {
    pub(crate) context: Arc<Context>,
    pub(crate) source: Arc<PriceSource>,
    /// Concurrent calls of one download.
    pub(crate) concurrency: usize,
}

impl Downloader {
    /// Downloads what is missing in `prices` for the sessions in `needed`, as far as the provider gives it.
    pub(crate) async fn download(
        &self,
        preparation: &Preparation,
        needed: &BTreeSet<NaiveDate>,
        prices: &mut StoredPrices,
        time: ServerTime,
        holder: Uuid,
        halt: &CancellationToken,
    ) -> Result<Report, Interruption> {
        let fetcher = Fetcher {
            job: preparation.job,
            context: Arc::clone(&self.context),
            source: Arc::clone(&self.source),
            needed: needed.clone(),
            time,
            holder,
            halt: halt.child_token(),
            throttled: AtomicBool::new(false),
            one_at_a_time: Mutex::new(()),
        };
        let download = Download {
            downloader: self,
            preparation,
            fetcher: Arc::new(fetcher),
            prices,
            time,
            fetched: BTreeSet::new(),
            in_progress: BTreeSet::new(),
            conflicts: Conflicts::default(),
            doubts: Doubts::default(),
            refused: 0,
            gated: BTreeSet::new(),
            unreachable: 0,
            progress: Progress::default(),
            report: Report::default(),
        };
        download.run().await
    }
}

/// Symbols that are being fetched.
type Calls = JoinSet<(Symbol, storage::Result<SymbolOutcome>)>;

/// Whether the plan still holds after a symbol's outcome.
#[derive(Debug, PartialEq, Eq)]
enum PlanState {
    Valid,
    Outdated,
}

/// A download in progress.
struct Download<'a> {
    downloader: &'a Downloader,
    preparation: &'a Preparation,
    fetcher: Arc<Fetcher>,
    prices: &'a mut StoredPrices,
    time: ServerTime,
    /// Symbols that were fetched; they are not fetched again.
    fetched: BTreeSet<Symbol>,
    in_progress: BTreeSet<Symbol>,
    conflicts: Conflicts,
    doubts: Doubts,
    /// How many symbols the provider has refused.
    refused: usize,
    /// Symbols whose dates are older than the key's plan reaches.
    gated: BTreeSet<Symbol>,
    /// Symbols in a row without a response.
    unreachable: u32,
    progress: Progress,
    report: Report,
}

impl Download<'_> {
    async fn run(mut self) -> Result<Report, Interruption> {
        let open = symbols_of(&self.need());
        self.report.total = self.preparation.symbols_total.map_or(0, |total| total as usize).max(open);
        self.report.succeeded = self.report.total - open;
        let plan = self.plan().await?;
        if self.report.stop.is_none() && !plan.is_empty() {
            self.begin(open).await?;
            self.work_through(plan).await?;
            if self.progress.is_unpublished(self.done()) {
                self.publish_progress().await?;
            }
        }
        if self.fetcher.halt.is_cancelled() && self.report.stop.is_none() {
            return Err(Interruption::Halted);
        }
        if let Some(StopReason::RateLimited { until }) = self.report.stop {
            self.report.outlook = Some(self.outlook(until).await?);
        }
        let (job, Report { succeeded, total, .. }) = (self.preparation.job, &self.report);
        tracing::info!(job.id = %job, "Job {job}: Download complete - {succeeded}/{total} symbols succeeded");
        Ok(self.report)
    }

    /// What is missing when no call is allowed before `until`.
    async fn outlook(&self, until: DateTime<Utc>) -> Result<Outlook, Interruption> {
        let need = self.need();
        let calls = plan(&need, &self.offer(), usize::MAX).len();
        let per_window = self.fetcher.source.quota.calls_per_window().await?;
        Ok(Outlook::new(until, symbols_of(&need), calls, per_window))
    }

    /// What the provider's calls can bring now.
    fn offer(&self) -> Offer {
        let clock = self.clock();
        let is_session = |date: NaiveDate| self.downloader.context.calendar.is_session(date);
        self.fetcher.source.provider.offer(&clock.sessions(&is_session), clock.now)
    }

    fn need(&self) -> Need {
        self.prices.need(&self.clock())
    }

    fn clock(&self) -> Clock {
        Clock::at(&self.downloader.context.calendar, self.time.now())
    }

    /// The symbols to fetch next, the most useful last. Empty when every fetchable symbol was tried, or when no
    /// call is left; in that case the report has the stop reason.
    async fn plan(&mut self) -> Result<Vec<Symbol>, Interruption> {
        let source = &self.fetcher.source;
        let calls_left = match source.quota.allowance().await? {
            Allowance::Calls(calls) => calls,
            Allowance::Exhausted { until } => {
                self.report.stop = Some(StopReason::RateLimited { until });
                return Ok(Vec::new());
            }
        };
        let offer = self.offer();
        self.report.earliest = offer.earliest;
        let ended = self.fetched.iter().chain(self.report.failed.keys());
        let tried = ended.chain(self.doubts.open()).cloned().collect();
        let need = self.need();
        let mut plan = by_priority(&need, &offer, calls_left, &self.in_progress, &tried);
        self.conflicts = Conflicts::of_plan(&need, self.in_progress.iter().chain(&plan));
        plan.reverse();
        Ok(plan)
    }

    /// Publishes, once a job, that prices are missing and will be fetched.
    async fn begin(&mut self, open: usize) -> Result<(), Interruption> {
        let (job, total) = (self.preparation.job, count(self.report.total));
        tracing::info!(job.id = %job, "Job {job}: Missing data for {open} symbols");
        if self.preparation.symbols_total.is_none() {
            self.publish(&Event::DownloadStarted(DownloadStarted { job, symbols_total: total })).await?;
        }
        Ok(())
    }

    /// Fetches the plan's symbols concurrently. Calls in progress are finished even after an error.
    async fn work_through(&mut self, plan: Vec<Symbol>) -> Result<(), Interruption> {
        // Calls run as tasks: one that has locked the quota's rows must go on while this function waits for them.
        let mut calls = JoinSet::new();
        let worked = self.schedule(plan, &mut calls).await;
        if worked.is_err() {
            self.fetcher.halt.cancel();
            while calls.join_next().await.is_some() {}
        }
        worked
    }

    /// Keeps as many calls in progress as are allowed, until nothing is left to fetch or there is a stop reason.
    async fn schedule(&mut self, mut plan: Vec<Symbol>, calls: &mut Calls) -> Result<(), Interruption> {
        loop {
            while calls.len() < self.downloader.concurrency && !self.fetcher.halt.is_cancelled() {
                let Some(symbol) = plan.pop_if(|next| self.conflicts.allow(next, &self.in_progress)) else {
                    break;
                };
                self.in_progress.insert(symbol.clone());
                let fetcher = Arc::clone(&self.fetcher);
                let call = async move {
                    let outcome = fetcher.fetch(&symbol).await;
                    (symbol, outcome)
                };
                calls.spawn(call.in_current_span());
            }
            let Some(ended) = calls.join_next().await else {
                if !self.wait_for_next_round().await {
                    return Ok(());
                }
                plan = self.plan().await?;
                continue;
            };
            let (symbol, outcome) = ended?;
            self.in_progress.remove(&symbol);
            let state = self.note(symbol, outcome?).await?;
            if self.report.stop.is_some() {
                // Calls in progress are finished; those that wait for the quota give up.
                self.fetcher.halt.cancel();
            } else if state == PlanState::Outdated || plan.is_empty() {
                plan = self.plan().await?;
            }
            if self.progress.is_due(self.done(), Instant::now()) {
                self.publish_progress().await?;
            }
        }
    }

    /// Waits until symbols in doubt are to be fetched again; false when there are none, or no call is to be made.
    async fn wait_for_next_round(&mut self) -> bool {
        if self.report.stop.is_some() {
            return false;
        }
        let Some(wait) = self.doubts.next_round() else { return false };
        tokio::select! {
            () = self.fetcher.halt.cancelled() => false,
            () = tokio::time::sleep(wait) => true,
        }
    }

    /// Notes what became of a symbol.
    async fn note(&mut self, symbol: Symbol, outcome: SymbolOutcome) -> Result<PlanState, Interruption> {
        match outcome {
            SymbolOutcome::Stored => return self.note_stored(symbol).await,
            SymbolOutcome::Gated if self.gated.insert(symbol.clone()) => {}
            SymbolOutcome::Gated => {
                self.note_failed(symbol, "the key's plan does not reach its dates".to_owned());
            }
            SymbolOutcome::Failed { reason, unreachable: true } => {
                self.unreachable += 1;
                if self.unreachable >= MAX_UNREACHABLE_IN_A_ROW {
                    let stop = StopReason::Unreachable { reason: reason.clone() };
                    self.report.stop.get_or_insert(stop);
                }
                self.note_failed(symbol, reason);
            }
            SymbolOutcome::Failed { reason, unreachable: false } => {
                self.unreachable = 0;
                if !self.doubts.again(&symbol) {
                    self.note_failed(symbol, reason);
                }
            }
            SymbolOutcome::NoPrices(why) => {
                self.unreachable = 0;
                let is_doubtful = why.certainty() == Certainty::Doubtful;
                if !(is_doubtful && self.doubts.again(&symbol)) {
                    self.note_refused(symbol, why).await?;
                }
            }
            // Only the first stop reason is reported.
            SymbolOutcome::Stopped(reason) => _ = self.report.stop.get_or_insert(reason),
            SymbolOutcome::TakenOver => self.prices.reload(&self.downloader.context.pool, &[symbol]).await?,
            SymbolOutcome::Halted => {}
        }
        Ok(PlanState::Outdated)
    }

    async fn note_stored(&mut self, symbol: Symbol) -> Result<PlanState, Interruption> {
        self.unreachable = 0;
        self.prices.reload(&self.downloader.context.pool, std::slice::from_ref(&symbol)).await?;
        let clock = self.clock();
        let is_complete = self.prices.missing_of(&symbol, &clock).is_empty();
        self.fetched.insert(symbol);
        self.report.succeeded += 1;
        Ok(if is_complete { PlanState::Valid } else { PlanState::Outdated })
    }

    /// The provider has no prices of a symbol: dates run without it, and it is not asked again for a day.
    async fn note_refused(&mut self, symbol: Symbol, why: NoPrices) -> Result<(), Interruption> {
        let (pool, source) = (&self.downloader.context.pool, &self.fetcher.source);
        let reason = format!("{} {}", source.provider.title(), why.reason());
        tracing::warn!(%symbol, "{symbol} has no prices: {reason}");
        market::record_refusal(pool, &source.quota.key, &symbol, &reason).await?;
        self.prices.reload(pool, std::slice::from_ref(&symbol)).await?;
        self.fetched.insert(symbol);
        self.refused += 1;
        Ok(())
    }

    fn note_failed(&mut self, symbol: Symbol, reason: String) {
        tracing::warn!(%symbol, "{symbol} could not be fetched: {reason}");
        self.report.failed.insert(symbol, reason);
    }

    fn done(&self) -> usize {
        self.report.succeeded + self.refused + self.report.failed.len()
    }

    async fn publish_progress(&self) -> Result<(), Interruption> {
        let progressed = DownloadProgressed {
            job: self.preparation.job,
            symbols_done: count(self.done()),
            symbols_total: count(self.report.total),
            budget_left: self.fetcher.source.quota.calls_left().await?,
        };
        self.publish(&Event::DownloadProgressed(progressed)).await
    }

    async fn publish(&self, event: &Event) -> Result<(), Interruption> {
        let Context { pool, wake, .. } = &*self.downloader.context;
        let messages = [runtime::outgoing::event(event)?];
        market::record_download(pool, self.preparation, count(self.report.total), &messages).await?;
        wake.wake();
        Ok(())
    }
}

fn symbols_of(need: &Need) -> usize {
    let others = need.others.iter().map(|(symbol, _)| symbol);
    need.missing.keys().chain(need.recheck.keys()).chain(others).collect::<BTreeSet<_>>().len()
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
