//! The download of one preparation: plan, fetch side by side, plan again when things went otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use chrono::{NaiveDate, Utc};
use domain::events::event::{DownloadProgressed, DownloadStarted, Event};
use domain::ingest::coverage::Need;
use domain::market::instruments::Symbol;
use storage::market::{self, Finding, Preparation};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::budget::Outlook;
use crate::fetch::{Fate, Fetcher};
use crate::groups::Groups;
use crate::prepare::{Interrupted, Preparer};
use crate::prices::Prices;
use crate::progress::Progress;
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
    /// What was odd in the answers, now or before an interruption.
    pub(crate) findings: Vec<Finding>,
}

/// Symbols that are being fetched.
type UnderWay = JoinSet<(Symbol, storage::Result<Fate>)>;

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
    fetcher: Arc<Fetcher>,
    prices: &'a mut Prices,
    /// Symbols that have been answered for; they are not asked for again.
    answered: BTreeSet<Symbol>,
    /// Symbols under way.
    busy: BTreeSet<Symbol>,
    /// Which of the plan may be under way together.
    groups: Groups,
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
        fetcher: Fetcher,
        prices: &'a mut Prices,
    ) -> Self {
        Self {
            preparer,
            preparation,
            fetcher: Arc::new(fetcher),
            prices,
            answered: BTreeSet::new(),
            busy: BTreeSet::new(),
            groups: Groups::default(),
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
            return Err(Interrupted::Halted);
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
        let need = self.need();
        let mut plan = queue(&need, &offer, calls_left, &self.busy, &tried);
        self.groups = Groups::divide(&need, self.busy.iter().chain(&plan));
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

    /// Fetches the plan's symbols side by side. Calls under way are landed whatever happens here.
    async fn work_through(&mut self, plan: Vec<Symbol>) -> Result<(), Interrupted> {
        // Tasks of their own: a call that holds the budget's rows must go on while this one waits for them.
        let mut under_way = JoinSet::new();
        let worked = self.steer(plan, &mut under_way).await;
        if worked.is_err() {
            self.fetcher.halt.cancel();
            while under_way.join_next().await.is_some() {}
        }
        worked
    }

    /// Keeps as many calls under way as may be, until nothing is left to ask for or no call makes sense.
    async fn steer(&mut self, mut plan: Vec<Symbol>, under_way: &mut UnderWay) -> Result<(), Interrupted> {
        loop {
            while under_way.len() < self.preparer.concurrency && !self.fetcher.halt.is_cancelled() {
                let Some(symbol) = plan.pop_if(|next| self.groups.may_go_beside(next, &self.busy)) else {
                    break;
                };
                self.busy.insert(symbol.clone());
                let fetcher = Arc::clone(&self.fetcher);
                let fetching = async move {
                    let fate = fetcher.fetch(&symbol).await;
                    (symbol, fate)
                };
                under_way.spawn(fetching.in_current_span());
            }
            let Some(ended) = under_way.join_next().await else { return Ok(()) };
            let (symbol, fate) = ended?;
            self.busy.remove(&symbol);
            let went = self.note(symbol, fate?).await?;
            if self.report.stop.is_some() {
                // Calls under way bring what they bring; those that wait give up.
                self.fetcher.halt.cancel();
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
            Fate::Done => return self.note_done(symbol).await,
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

    async fn note_done(&mut self, symbol: Symbol) -> Result<Went, Interrupted> {
        self.unreachable = 0;
        self.prices.reload(&self.preparer.pool, std::slice::from_ref(&symbol)).await?;
        let clock = Clock::at(&self.preparer.calendar, Utc::now());
        let is_complete = self.prices.missing_of(&symbol, &clock).is_empty();
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
