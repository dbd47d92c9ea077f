//! The calls of one source for one preparation: plan them, make them concurrently, plan again when a result changes
//! what is useful.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use domain::events::event::{DownloadProgressed, DownloadStarted, Event};
use domain::ingest::coverage::Need;
use domain::ingest::fetch_plan::Request;
use domain::market::instruments::Symbol;
use storage::market::{self, Preparation};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::clock::Clock;
use super::conflicts::Conflicts;
use super::doubts::Doubts;
use super::fetch::{CallOutcome, Fetcher};
use super::priority::by_priority;
use super::progress::Progress;
use super::quota::Allowance;
use super::report::Report;
use super::stop_reason::StopReason;
use super::stored_prices::{StoredPrices, symbols_of};
use crate::context::{Context, Interruption};
use crate::provider::{Certainty, NoPrices};

/// After this many calls in a row without a response the provider counts as unreachable.
const MAX_UNREACHABLE_IN_A_ROW: u32 = 5;

/// Calls that are being made.
type InProgress = JoinSet<(Request, storage::Result<CallOutcome>)>;

/// Whether the plan still holds after the outcome of a call.
#[derive(Debug, PartialEq, Eq)]
enum PlanState {
    Valid,
    Outdated,
}

/// The calls of one source.
pub(super) struct Calls<'a> {
    /// Concurrent calls.
    concurrency: usize,
    preparation: &'a Preparation,
    fetcher: Arc<Fetcher>,
    prices: &'a mut StoredPrices,
    /// Calls that were answered; they are not made again.
    answered: BTreeSet<Request>,
    /// Calls that failed for good.
    failed: BTreeSet<Request>,
    in_progress: BTreeSet<Request>,
    conflicts: Conflicts,
    doubts: Doubts,
    /// Calls for dates that are older than the key's plan reaches.
    gated: BTreeSet<Request>,
    /// Calls in a row without a response.
    unreachable: u32,
    stop: Option<StopReason>,
    progress: Progress,
    report: Report,
}

impl<'a> Calls<'a> {
    /// The calls of the source of `fetcher`; `report` has what the sources before it achieved.
    pub(super) fn new(
        concurrency: usize,
        preparation: &'a Preparation,
        fetcher: Fetcher,
        prices: &'a mut StoredPrices,
        report: Report,
    ) -> Self {
        Self {
            concurrency,
            preparation,
            fetcher: Arc::new(fetcher),
            prices,
            answered: BTreeSet::new(),
            failed: BTreeSet::new(),
            in_progress: BTreeSet::new(),
            conflicts: Conflicts::default(),
            doubts: Doubts::default(),
            gated: BTreeSet::new(),
            unreachable: 0,
            stop: None,
            progress: Progress::default(),
            report,
        }
    }

    /// Makes the calls and returns the report with what they achieved.
    pub(super) async fn run(mut self) -> Result<Report, Interruption> {
        let plan = self.plan().await?;
        if self.stop.is_none() && !plan.is_empty() {
            self.begin().await?;
            self.work_through(plan).await?;
            if self.progress.is_unpublished(self.report.done()) {
                self.publish_progress().await?;
            }
        }
        if self.fetcher.halt.is_cancelled() && self.stop.is_none() {
            return Err(Interruption::Halted);
        }
        self.report.stops.extend(self.stop);
        Ok(self.report)
    }

    fn need(&self) -> Need {
        self.prices.need_of(&self.fetcher.source, &self.clock())
    }

    fn clock(&self) -> Clock {
        Clock::at(&self.fetcher.context.calendar, self.fetcher.time.now())
    }

    /// The calls to make next, the most useful last. Empty when every useful call was made, or when none is left; in
    /// that case there is a stop reason.
    async fn plan(&mut self) -> Result<Vec<Request>, Interruption> {
        let source = &self.fetcher.source;
        if source.is_paused(&self.fetcher.context.pauses) {
            self.stop = Some(StopReason::Paused { label: source.label.clone() });
            return Ok(Vec::new());
        }
        let requests_left = match source.quota.allowance().await? {
            // One that does not fit any more is made in the next window.
            Allowance::Calls(calls) => (calls / source.provider.calls() as usize).max(1),
            Allowance::Exhausted { until } => {
                self.stop = Some(StopReason::RateLimited { label: source.label.clone(), until });
                return Ok(Vec::new());
            }
        };
        let offer = source.offer(&self.fetcher.context.calendar, &self.clock());
        self.report.note_reach(&source.label, offer.earliest);
        let tried = self.answered.iter().chain(&self.failed).chain(self.doubts.open()).cloned().collect();
        let need = self.need();
        let mut plan = by_priority(&need, &offer, requests_left, &self.in_progress, &tried);
        self.conflicts = Conflicts::of_plan(&need, self.in_progress.iter().chain(&plan));
        plan.reverse();
        Ok(plan)
    }

    /// Publishes, once a job, that prices are missing and will be fetched.
    async fn begin(&mut self) -> Result<(), Interruption> {
        let (job, total) = (self.preparation.job, count(self.report.total));
        let open = self.report.total - self.report.succeeded.min(self.report.total);
        tracing::info!(job.id = %job, "Job {job}: Missing data for {open} symbols");
        if !self.report.is_announced {
            self.report.is_announced = true;
            self.publish(&Event::DownloadStarted(DownloadStarted { job, symbols_total: total })).await?;
        }
        Ok(())
    }

    /// Makes the plan's calls concurrently. Calls in progress are finished even after an error.
    async fn work_through(&mut self, plan: Vec<Request>) -> Result<(), Interruption> {
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
    async fn schedule(&mut self, mut plan: Vec<Request>, calls: &mut InProgress) -> Result<(), Interruption> {
        loop {
            while calls.len() < self.concurrency && !self.fetcher.halt.is_cancelled() {
                let Some(request) = plan.pop_if(|next| self.conflicts.allow(next, &self.in_progress)) else {
                    break;
                };
                self.in_progress.insert(request.clone());
                let fetcher = Arc::clone(&self.fetcher);
                let call = async move {
                    let outcome = fetcher.fetch(&request).await;
                    (request, outcome)
                };
                calls.spawn(call.in_current_span());
            }
            let source = Arc::clone(&self.fetcher.source);
            let ended = tokio::select! {
                ended = calls.join_next() => ended,
                () = source.paused(&self.fetcher.context.pauses), if self.stop.is_none() => {
                    self.stop = Some(StopReason::Paused { label: source.label.clone() });
                    self.fetcher.halt.cancel();
                    continue;
                }
            };
            let Some(ended) = ended else {
                if !self.wait_for_next_round().await {
                    return Ok(());
                }
                plan = self.plan().await?;
                continue;
            };
            let (request, outcome) = ended?;
            self.in_progress.remove(&request);
            let state = self.note(request, outcome?).await?;
            if self.stop.is_some() {
                // Calls in progress are finished; those that wait for the quota give up.
                self.fetcher.halt.cancel();
            } else if state == PlanState::Outdated || plan.is_empty() {
                plan = self.plan().await?;
            }
            if self.progress.is_due(self.report.done(), Instant::now()) {
                self.publish_progress().await?;
            }
        }
    }

    /// Waits until calls in doubt are to be made again; false when there are none, or no call is to be made.
    async fn wait_for_next_round(&mut self) -> bool {
        if self.stop.is_some() {
            return false;
        }
        let Some(wait) = self.doubts.next_round() else { return false };
        tokio::select! {
            () = self.fetcher.halt.cancelled() => false,
            () = tokio::time::sleep(wait) => true,
        }
    }

    /// Notes what became of a call.
    async fn note(&mut self, request: Request, outcome: CallOutcome) -> Result<PlanState, Interruption> {
        match outcome {
            CallOutcome::Stored => return self.note_stored(request).await,
            CallOutcome::Gated if self.gated.insert(request.clone()) => {}
            CallOutcome::Gated => {
                self.note_failed(request, "the key's plan does not reach its dates".to_owned());
            }
            CallOutcome::Failed { reason, unreachable: true } => {
                self.unreachable += 1;
                if self.unreachable >= MAX_UNREACHABLE_IN_A_ROW {
                    let (label, reason) = (self.fetcher.source.label.clone(), reason.clone());
                    self.stop.get_or_insert(StopReason::Unreachable { label, reason });
                }
                self.note_failed(request, reason);
            }
            CallOutcome::Failed { reason, unreachable: false } => {
                self.unreachable = 0;
                if !self.doubts.again(&request) {
                    self.note_failed(request, reason);
                }
            }
            CallOutcome::NoPrices(why) => {
                self.unreachable = 0;
                let is_doubtful = why.certainty() == Certainty::Doubtful;
                if !(is_doubtful && self.doubts.again(&request)) {
                    self.note_no_prices(request, why).await?;
                }
            }
            // Only the first stop reason is reported.
            CallOutcome::Stopped(reason) => _ = self.stop.get_or_insert(reason),
            CallOutcome::TakenOver => self.reload(&request).await?,
            CallOutcome::Halted => {}
        }
        Ok(PlanState::Outdated)
    }

    async fn note_stored(&mut self, request: Request) -> Result<PlanState, Interruption> {
        self.unreachable = 0;
        self.reload(&request).await?;
        let is_complete = match &request {
            Request::Symbol(symbol) => {
                self.report.failed.remove(symbol);
                self.report.refused.remove(symbol);
                self.report.succeeded += 1;
                self.prices.missing_of(symbol, &self.clock()).is_empty()
            }
            Request::Date(_) => {
                let open = symbols_of(&self.prices.need(&self.clock()));
                let ended = open + self.report.refused.len() + self.report.failed.len();
                self.report.succeeded = self.report.succeeded.max(self.report.total.saturating_sub(ended));
                true
            }
        };
        self.answered.insert(request);
        Ok(if is_complete { PlanState::Valid } else { PlanState::Outdated })
    }

    /// The source has no prices of a symbol: it is not asked for it again for a day.
    async fn note_no_prices(&mut self, request: Request, why: NoPrices) -> Result<(), Interruption> {
        let source = &self.fetcher.source;
        match &request {
            Request::Date(_) => self.note_failed(request, format!("{} {}", source.label.title, why.reason())),
            Request::Symbol(symbol) => {
                let pool = &self.fetcher.context.pool;
                let reason = format!("{} {}", source.label.title, why.reason());
                tracing::warn!(%symbol, "{symbol} has no prices: {reason}");
                market::record_refusal(pool, &source.quota.key, symbol, &reason).await?;
                self.prices.reload(pool, std::slice::from_ref(symbol)).await?;
                self.report.refused.insert(symbol.clone());
                self.answered.insert(request);
            }
        }
        Ok(())
    }

    fn note_failed(&mut self, request: Request, reason: String) {
        match &request {
            Request::Symbol(symbol) => {
                tracing::warn!(%symbol, "{symbol} could not be fetched: {reason}");
                self.report.failed.insert(symbol.clone(), reason);
            }
            Request::Date(date) => {
                tracing::warn!(trading_date = %date, "the prices of {date} could not be fetched: {reason}");
                self.report.failed_dates.insert(*date, reason);
            }
        }
        self.failed.insert(request);
    }

    /// Loads again what is stored about the symbols of a call.
    async fn reload(&mut self, request: &Request) -> Result<(), Interruption> {
        let pool = &self.fetcher.context.pool;
        match request {
            Request::Symbol(symbol) => self.prices.reload(pool, std::slice::from_ref(symbol)).await?,
            Request::Date(_) => {
                let symbols: Vec<Symbol> = self.prices.scope().symbols().cloned().collect();
                self.prices.reload(pool, &symbols).await?;
            }
        }
        Ok(())
    }

    async fn publish_progress(&self) -> Result<(), Interruption> {
        let progressed = DownloadProgressed {
            job: self.preparation.job,
            symbols_done: count(self.report.done()),
            symbols_total: count(self.report.total),
            budget_left: self.fetcher.source.quota.calls_left().await?,
        };
        self.publish(&Event::DownloadProgressed(progressed)).await
    }

    async fn publish(&self, event: &Event) -> Result<(), Interruption> {
        let Context { pool, wake, .. } = &*self.fetcher.context;
        let messages = [runtime::outgoing::event(event)?];
        market::record_download(pool, self.preparation, count(self.report.total), &messages).await?;
        wake.wake_for_urgent_events();
        Ok(())
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
