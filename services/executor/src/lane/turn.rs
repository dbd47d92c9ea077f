//! A turn of a lane: days one after another, several in a commit, until the slice is over.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use domain::events::event::LaneContinue;
use domain::job::OnFailure;
use domain::job::pause::PauseKind;
use domain::market::calendar::Calendar;
use domain::simulation::model_day::SkipReason;
use runtime::pauses::Pauses;
use runtime::relay::Wake;
use storage::PgPool;
use storage::execution::{self, DayOutcome, Lane, LaneCommit, Take, commit_days, hand_back, park};
use storage::outbox::StoredMessage;
use tracing::Instrument as _;

use super::cache::LaneCache;
use super::day_runner::DayRunner;
use super::day_spans::{self, TracedDays};
use super::day_step::DayStep;
use super::feeder::Feeder;
use super::in_hand::LaneInHand;
use super::lane_end::finish;
use super::lease::Leases;
use super::presence::Holder;
use crate::agent::{AgentDays, Stop};
use crate::error::ExecutorError;
use crate::job::cache::JobCache;
use crate::job::stop_signal::{StopSignal, StopSignals};
use crate::messages::next_turn;
use crate::metrics;
use crate::price_cache::PriceCache;
use crate::recovery::reconciler::Reconciler;
use crate::visit::Visit;

/// Which lanes a queue carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneKind {
    /// Those whose days are decided in memory.
    InMemory,
    /// Those whose days call endpoints.
    Agents,
}

/// A portfolio, by the names in its address; of several trials, the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PortfolioName {
    pub(crate) experiment: String,
    pub(crate) model: String,
}

/// What became of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visited {
    /// It was made, or its job was cancelled meanwhile.
    Made,
    /// No lane waits for the client.
    NoLane,
    /// A worker or another visit had the lane all the time.
    Busy,
    /// The model is paused.
    Paused,
}

/// How long a visit waits for the lane, and how often it looks.
const VISIT_PATIENCE: Duration = Duration::from_secs(5);
const VISIT_PAUSE: Duration = Duration::from_millis(10);

/// How long turns last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slices {
    pub(crate) in_memory: Duration,
    pub(crate) agents: Duration,
}

/// Runs turns of lanes.
pub(crate) struct LaneRunner {
    pool: PgPool,
    wake: Wake,
    jobs: Arc<JobCache>,
    stop_signals: Arc<StopSignals>,
    reconciler: Arc<Reconciler>,
    feeder: Arc<Feeder>,
    pauses: Pauses,
    slices: Slices,
    leases: Leases,
    cache: LaneCache,
    days: DayRunner,
    traced_days: TracedDays,
}

/// How a turn goes on after a day: it ends, with the next turn's message if that is still to be sent, or it does not.
type TurnEnd = ControlFlow<Option<StoredMessage>>;

/// What lanes share with other parts of the service.
pub(crate) struct Shared {
    pub(crate) pool: PgPool,
    pub(crate) wake: Wake,
    pub(crate) jobs: Arc<JobCache>,
    pub(crate) stop_signals: Arc<StopSignals>,
    pub(crate) reconciler: Arc<Reconciler>,
    pub(crate) feeder: Arc<Feeder>,
    pub(crate) pauses: Pauses,
    pub(crate) holder: Arc<Holder>,
}

impl LaneRunner {
    pub(crate) fn new(
        shared: Shared,
        slices: Slices,
        traced_days: TracedDays,
        calendar: Calendar,
        agents: AgentDays,
    ) -> Self {
        let Shared { pool, wake, jobs, stop_signals, reconciler, feeder, pauses, holder } = shared;
        let prices = PriceCache::new(calendar.clone());
        Self {
            leases: Leases::new(pool.clone(), holder),
            cache: LaneCache::default(),
            days: DayRunner { pool: pool.clone(), calendar, prices, agents },
            pool,
            wake,
            jobs,
            stop_signals,
            reconciler,
            feeder,
            pauses,
            slices,
            traced_days,
        }
    }

    /// Takes a turn and runs it; answers the next turn's message when that is still to be sent.
    pub(crate) async fn run(
        &self,
        LaneContinue { lane, turn }: LaneContinue,
        kind: LaneKind,
    ) -> Result<Option<StoredMessage>, ExecutorError> {
        let stop = self.stop_signals.listen();
        let dates = self.cache.dates(lane);
        let taken = match kind {
            LaneKind::InMemory => self.leases.take(lane, turn, dates.as_ref()).await?,
            LaneKind::Agents => self.leases.take_with_endpoint(lane, turn).await?,
        };
        let lane = match taken {
            Take::Taken(lane) => lane,
            // Its worker goes on with it, or has died a moment ago.
            Take::Held => {
                self.reconciler.look_soon();
                return Ok(None);
            }
            Take::Over => return Ok(None),
        };
        if self.pauses.has(PauseKind::Model, &lane.model) {
            self.pause(&lane).await?;
            return Ok(None);
        }
        self.run_until_stopped(lane, stop, None).await
    }

    /// Lets a client decide, in the lane that holds its portfolio. Visits and turns follow one another.
    pub(crate) async fn visit(
        &self,
        portfolio: &PortfolioName,
        visit: &Arc<Visit>,
    ) -> Result<Visited, ExecutorError> {
        let patience = Instant::now() + VISIT_PATIENCE;
        loop {
            if self.pauses.has(PauseKind::Model, &portfolio.model) {
                return Ok(Visited::Paused);
            }
            let stop = self.stop_signals.listen();
            let taken = self.leases.take_for_visit(&portfolio.experiment, &portfolio.model).await?;
            let lane = match taken {
                Take::Taken(lane) => lane,
                Take::Held if Instant::now() >= patience => return Ok(Visited::Busy),
                Take::Held => {
                    tokio::time::sleep(VISIT_PAUSE).await;
                    continue;
                }
                Take::Over => return Ok(Visited::NoLane),
            };
            if let Some(next) = self.run_until_stopped(lane, stop, Some(visit.clone())).await? {
                self.wake.hand_over(next);
            }
            return Ok(Visited::Made);
        }
    }

    /// Runs a taken turn, unless its job is stopped meanwhile.
    async fn run_until_stopped(
        &self,
        lane: Lane,
        stop: StopSignal,
        visit: Option<Arc<Visit>>,
    ) -> Result<Option<StoredMessage>, ExecutorError> {
        let (id, epoch, job, endpoint) = (lane.id, lane.epoch, lane.job, lane.endpoint.clone());
        let ran = tokio::select! {
            ran = self.run_taken(lane, visit) => ran,
            () = stop.received(job) => {
                tracing::info!(job.id = %job, "Job {job}: a lane was stopped in the middle of a turn");
                Ok(None)
            }
        };
        if ran.as_ref().is_err_and(ExecutorError::is_transient) {
            self.leases.put_down(id, epoch).await;
        }
        if let Some(endpoint) = endpoint {
            self.reconciler.call_next(&endpoint).await;
        }
        ran
    }

    /// Runs a taken turn to the end of its slice, or the lane to its end.
    async fn run_taken(
        &self,
        lane: Lane,
        visit: Option<Arc<Visit>>,
    ) -> Result<Option<StoredMessage>, ExecutorError> {
        let _lease = self.leases.keep(&lane);
        let mut in_hand = self.pick_up(lane).await?;
        in_hand.visit = visit;
        let span = self.traced_days.of_turn(&in_hand);
        let ran = self.run_days(&mut in_hand).instrument(span.clone()).await;
        day_spans::count(&span, in_hand.ended());
        drop(span);
        match ran? {
            ControlFlow::Break(next) => {
                self.cache.put(&in_hand.lane, in_hand.history, in_hand.previous);
                Ok(next)
            }
            ControlFlow::Continue(()) => {
                finish(&self.pool, &self.wake, &in_hand).await?;
                self.feeder.place_left();
                Ok(None)
            }
        }
    }

    /// Runs days until the turn ends, which leads to the next turn's message if that is still to be sent, or until no day
    /// is left.
    async fn run_days(&self, in_hand: &mut LaneInHand) -> Result<TurnEnd, ExecutorError> {
        while let Some(date) = in_hand.next_date() {
            let span = self.traced_days.of_day(in_hand, date);
            if let ControlFlow::Break(end) = self.run_day(in_hand, date).instrument(span).await? {
                return Ok(ControlFlow::Break(end));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Runs the next day, and commits what has to be committed with it.
    async fn run_day(&self, in_hand: &mut LaneInHand, date: NaiveDate) -> Result<TurnEnd, ExecutorError> {
        match self.days.run(in_hand, date).await? {
            DayStep::Ended(ended) => {
                let failed = matches!(ended.day.outcome, DayOutcome::Failed(_));
                if failed && in_hand.job.job.options.on_failure == OnFailure::Stop {
                    in_hand.stopped = Some(SkipReason::StoppedAfterFailure);
                }
                if let Some(visit) = &in_hand.visit {
                    visit.show_end(&ended.day);
                }
                in_hand.add(*ended);
                if self.pauses.has(PauseKind::Model, &in_hand.lane.model) {
                    in_hand.end_slice();
                }
                let now = Instant::now();
                if in_hand.turn_ends(now) {
                    return Ok(ControlFlow::Break(self.end_turn(in_hand).await?));
                }
                if in_hand.has_to_commit(now) {
                    self.commit(in_hand, false).await?;
                }
            }
            DayStep::PutOff(stop) => {
                self.put_off(&in_hand.lane, stop).await?;
                return Ok(ControlFlow::Break(None));
            }
            DayStep::OutOfBudget => in_hand.stopped = Some(SkipReason::BudgetExhausted),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Commits the days that were run and ends the turn: the next one follows, or waits to be fed when the lane has to leave
    /// the line.
    async fn end_turn(&self, in_hand: &mut LaneInHand) -> Result<Option<StoredMessage>, ExecutorError> {
        if !self.feeder.has_to_leave(in_hand.lane.job) {
            return self.commit(in_hand, true).await;
        }
        self.commit(in_hand, false).await?;
        self.park(&in_hand.lane).await?;
        Ok(None)
    }

    async fn park(&self, lane: &Lane) -> Result<(), ExecutorError> {
        park(&self.pool, lane).await?;
        self.feeder.feed_soon();
        Ok(())
    }

    /// Lets go of a lane that was just taken until its model is resumed, and of its place at its endpoint.
    async fn pause(&self, lane: &Lane) -> Result<(), ExecutorError> {
        execution::pause_lane(&self.pool, lane).await?;
        self.feeder.place_left();
        if let Some(endpoint) = &lane.endpoint {
            self.reconciler.call_next(endpoint).await;
        }
        Ok(())
    }

    /// The taken lane with its job and the history of its portfolio.
    async fn pick_up(&self, lane: Lane) -> Result<LaneInHand, ExecutorError> {
        let job = self.jobs.get(&self.pool, lane.job).await?;
        if job.begins()
            && let Some(seconds) = execution::note_first_day(&self.pool, lane.job, lane.id).await?
        {
            metrics::first_day_began(seconds);
        }
        let slice = if lane.endpoint.is_some() { self.slices.agents } else { self.slices.in_memory };
        let stops = job.job.options.on_failure == OnFailure::Stop && lane.done > 0;
        // The worker before us may have died between the failed day and the lane's end.
        let stopped = stops && execution::has_failed(&self.pool, &lane).await?;
        let stopped = stopped.then_some(SkipReason::StoppedAfterFailure);
        let mut in_hand = LaneInHand::new(lane, job, slice, stopped);
        let lane = &in_hand.lane;
        if let (Some(next), Some(last)) = (in_hand.rest().first(), lane.dates.last()) {
            (in_hand.history, in_hand.previous) = match self.cache.take(lane, *next) {
                Some(cached) => cached,
                None => (execution::history(&self.pool, lane.portfolio, *next, *last).await?, None),
            };
        }
        Ok(in_hand)
    }

    /// Commits the days that were run and, when the turn ends with them, the next turn's message, which it answers.
    async fn commit(
        &self,
        in_hand: &mut LaneInHand,
        ends_turn: bool,
    ) -> Result<Option<StoredMessage>, ExecutorError> {
        let message = if ends_turn { Some(next_turn(&in_hand.lane)?) } else { None };
        let commit = in_hand.take_commit(message);
        let span = self.traced_days.of_commit(in_hand, commit.days.len());
        self.store(commit).instrument(span).await
    }

    /// Stores days, each by itself when together they are refused.
    async fn store(&self, commit: LaneCommit) -> Result<Option<StoredMessage>, ExecutorError> {
        match self.write(&commit).await {
            // One of the days is to blame. Those before it take effect without it.
            Err(problem) if problem.is_refusal() && commit.days.len() > 1 => {
                tracing::debug!(lane.id = %commit.lane, "{} days go one by one: {problem}", commit.days.len());
                let mut next = None;
                for day in commit.one_by_one() {
                    next = self.write(&day).await?;
                }
                Ok(next)
            }
            written => Ok(written?),
        }
    }

    async fn write(&self, commit: &LaneCommit) -> storage::Result<Option<StoredMessage>> {
        let next = commit_days(&self.pool, commit).await?;
        self.wake.wake_for_events();
        commit.days.iter().for_each(|day| metrics::model_days(day.outcome.as_str(), 1));
        Ok(next)
    }

    /// Ends the turn within a day: it goes on in the next one, from its journal.
    async fn put_off(&self, lane: &Lane, stop: Stop) -> Result<(), ExecutorError> {
        let (wait, message) = match stop {
            Stop::Wait(wait) => (Some(wait), None),
            Stop::Slice if self.feeder.has_to_leave(lane.job) => return self.park(lane).await,
            Stop::Slice => (None, Some(next_turn(lane)?)),
        };
        hand_back(&self.pool, lane, wait, message).await?;
        self.wake.wake();
        Ok(())
    }
}
