//! The download of one preparation: plan, fetch side by side, plan again when things went otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use chrono::{NaiveDate, Utc};
use domain::coverage::Need;
use domain::event::{DownloadProgressed, DownloadStarted, Event};
use domain::market::Symbol;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use storage::market::{self, Preparation};

use crate::budget::Outlook;
use crate::fetch::{Fate, Fetcher};
use crate::prepare::{Interrupted, Preparer};
use crate::prices::Prices;
use crate::progress::Progress;
use crate::provider::RejectedRow;
use crate::queue::queue;
use crate::sessions::Clock;
use crate::stop::Stop;

/// So many symbols in a row without an answer, and the provider is taken to be away.
const UNREACHABLE_IN_A_ROW: u32 = 5;

/// What came of a download.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Symbols that had to be fetched.
    pub(crate) total: usize,
    /// Symbols that were fetched, now or before an interruption.
    pub(crate) succeeded: usize,
    /// Symbols that could not be fetched, with the reason.
    pub(crate) failed: BTreeMap<Symbol, String>,
    /// Why it ended early.
    pub(crate) stop: Option<Stop>,
    /// The oldest date that the key's plan reaches, when it has a limit.
    pub(crate) earliest: Option<NaiveDate>,
    /// Stored bars that differ from a newer answer.
    pub(crate) revised: BTreeMap<Symbol, Vec<NaiveDate>>,
    /// Rows of answers that are not bars.
    pub(crate) rejected: BTreeMap<Symbol, Vec<RejectedRow>>,
}

/// How a symbol's download went, compared with the plan.
#[derive(Debug, PartialEq, Eq)]
enum Went {
    AsPlanned,
    Otherwise,
}

/// A download under way.
pub(crate) struct Download<'a> {
    preparer: &'a Preparer,
    preparation: &'a Preparation,
    fetcher: &'a Fetcher<'a>,
    prices: &'a mut Prices,
    /// Symbols that have been answered for; they are not asked for again.
    answered: BTreeSet<Symbol>,
    /// Symbols under way.
    busy: BTreeSet<Symbol>,
    /// Symbols that were asked for further back than the key's plan reaches.
    gated: BTreeSet<Symbol>,
    unreachable: u32,
    progress: Progress,
    report: Report,
}

impl<'a> Download<'a> {
    pub(crate) fn new(
        preparer: &'a Preparer,
        preparation: &'a Preparation,
        fetcher: &'a Fetcher<'a>,
        prices: &'a mut Prices,
    ) -> Self {
        Self {
            preparer,
            preparation,
            fetcher,
            prices,
            answered: BTreeSet::new(),
            busy: BTreeSet::new(),
            gated: BTreeSet::new(),
            unreachable: 0,
            progress: Progress::default(),
            report: Report::default(),
        }
    }

    /// Fetches what is missing, as far as that goes.
    pub(crate) async fn run(mut self) -> Result<Report, Interrupted> {
        let need = self.need();
        let open = symbols_of(&need);
        self.report.total = self.preparation.symbols_total.map_or(0, |total| total as usize).max(open);
        self.report.succeeded = self.report.total - open;
        let plan = self.plan().await?;
        if self.report.stop.is_none() && !plan.is_empty() {
            self.begin(open).await?;
            self.work_through(plan).await?;
            if self.progress.is_untold(self.done()) {
                self.tell_progress().await?;
            }
        }
        if self.fetcher.halt.is_cancelled() && self.report.stop.is_none() {
            return Err(Interrupted::Shutdown);
        }
        let (job, Report { succeeded, total, .. }) = (self.preparation.job, &self.report);
        tracing::info!(job.id = %job, "Job {job}: Download complete - {succeeded}/{total} symbols succeeded");
        Ok(self.report)
    }

    fn need(&self) -> Need {
        let clock = Clock::at(&self.preparer.calendar, Utc::now());
        self.prices.coverage(clock.now).need(clock.now, clock.storable_until)
    }

    /// What to ask for next, the most useful last. Nothing when all that can be asked for was asked for; nothing,
    /// and the reason, when no call is left.
    async fn plan(&mut self) -> Result<Vec<Symbol>, Interrupted> {
        let calls_left = match self.fetcher.budget.outlook().await? {
            Outlook::Calls(calls) => calls,
            Outlook::Exhausted { until } => {
                self.report.stop = Some(Stop::RateLimited { until });
                return Ok(Vec::new());
            }
        };
        let clock = Clock::at(&self.preparer.calendar, Utc::now());
        let is_session = |date: NaiveDate| self.preparer.calendar.is_session(date);
        let offer = self.fetcher.provider.offer(&clock.sessions(&is_session), clock.now);
        self.report.earliest = offer.earliest;
        let tried = self.answered.iter().chain(self.report.failed.keys()).cloned().collect();
        let mut plan = queue(&self.need(), &offer, calls_left, &self.busy, &tried);
        plan.reverse();
        Ok(plan)
    }

    /// Says, once per job, that prices are missing and will be fetched.
    async fn begin(&mut self, open: usize) -> Result<(), Interrupted> {
        let (job, total) = (self.preparation.job, count(self.report.total));
        tracing::info!(job.id = %job, "Job {job}: Missing data for {open} symbols");
        if self.preparation.symbols_total.is_none() {
            let started = Event::DownloadStarted(DownloadStarted { job, symbols_total: total });
            let messages = [runtime::outgoing::event(&started)?];
            market::note_download(&self.preparer.pool, self.preparation, total, &messages).await?;
            self.preparer.wake.wake();
        }
        Ok(())
    }

    /// Fetches the plan's symbols side by side, until nothing is left to ask for or no call makes sense.
    async fn work_through(&mut self, mut plan: Vec<Symbol>) -> Result<(), Interrupted> {
        let fetcher = self.fetcher;
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < self.preparer.concurrency && !fetcher.halt.is_cancelled() {
                let Some(symbol) = plan.pop() else { break };
                self.busy.insert(symbol.clone());
                under_way.push(async move {
                    let fate = fetcher.fetch(&symbol).await;
                    (symbol, fate)
                });
            }
            let Some((symbol, fate)) = under_way.next().await else { return Ok(()) };
            self.busy.remove(&symbol);
            let went = self.note(symbol, fate?).await?;
            if self.report.stop.is_some() {
                // Calls under way bring what they bring; those that wait give up.
                fetcher.halt.cancel();
            } else if went == Went::Otherwise || plan.is_empty() {
                plan = self.plan().await?;
            }
            if self.progress.is_due(self.done(), Instant::now()) {
                self.tell_progress().await?;
            }
        }
    }

    /// Notes what became of a symbol.
    async fn note(&mut self, symbol: Symbol, fate: Fate) -> Result<Went, Interrupted> {
        match fate {
            Fate::Done { revised, rejected } => return self.note_done(symbol, revised, rejected).await,
            Fate::Gated if self.gated.insert(symbol.clone()) => {}
            Fate::Gated => self.note_failed(symbol, "the key's plan does not reach its dates".to_owned()),
            Fate::Failed { reason, unreachable: true } => {
                self.unreachable += 1;
                if self.unreachable >= UNREACHABLE_IN_A_ROW {
                    self.stop(Stop::Unreachable { reason: reason.clone() });
                }
                self.note_failed(symbol, reason);
            }
            Fate::Failed { reason, unreachable: false } => {
                self.unreachable = 0;
                self.note_failed(symbol, reason);
            }
            Fate::Stopped(stop) => self.stop(stop),
            Fate::TakenOver => self.prices.reload(&self.preparer.pool, &[symbol]).await?,
            Fate::Halted => {}
        }
        Ok(Went::Otherwise)
    }

    async fn note_done(
        &mut self,
        symbol: Symbol,
        revised: Vec<NaiveDate>,
        rejected: Vec<RejectedRow>,
    ) -> Result<Went, Interrupted> {
        self.unreachable = 0;
        self.prices.reload(&self.preparer.pool, std::slice::from_ref(&symbol)).await?;
        let clock = Clock::at(&self.preparer.calendar, Utc::now());
        let is_complete = self.prices.missing_of(&symbol, &clock).is_empty();
        if !revised.is_empty() {
            self.report.revised.insert(symbol.clone(), revised);
        }
        if !rejected.is_empty() {
            self.report.rejected.insert(symbol.clone(), rejected);
        }
        self.answered.insert(symbol);
        self.report.succeeded += 1;
        Ok(if is_complete { Went::AsPlanned } else { Went::Otherwise })
    }

    fn note_failed(&mut self, symbol: Symbol, reason: String) {
        tracing::warn!(%symbol, "{symbol} could not be fetched: {reason}");
        self.report.failed.insert(symbol, reason);
    }

    /// The first reason to stop is the one that is told.
    fn stop(&mut self, stop: Stop) {
        self.report.stop.get_or_insert(stop);
    }

    fn done(&self) -> usize {
        self.report.succeeded + self.report.failed.len()
    }

    async fn tell_progress(&self) -> Result<(), Interrupted> {
        let total = count(self.report.total);
        let progressed = Event::DownloadProgressed(DownloadProgressed {
            job: self.preparation.job,
            symbols_done: count(self.done()),
            symbols_total: total,
            budget_left: self.fetcher.budget.left().await?,
        });
        let messages = [runtime::outgoing::event(&progressed)?];
        market::note_download(&self.preparer.pool, self.preparation, total, &messages).await?;
        self.preparer.wake.wake();
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
