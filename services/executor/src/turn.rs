//! A turn of a lane: days one after another, each in its own commit, until the slice is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{NaiveDate, SubsecRound as _, Utc};
use domain::accounting::split_detection::SuspectedSplit;
use domain::job::OnFailure;
use domain::simulation::decider::Decider;
use domain::simulation::lane::{DayAction, day_action};
use domain::simulation::model_day::{CRASHED, DayRef, SkipReason, SkippedDate};
use domain::simulation::run::{ModelDayRun, PortfolioDay};
use domain::values::ids::ModelDayKey;
use runtime::telemetry;
use storage::execution::{self, DayRow, Lane, PortfolioHistory};
use storage::outbox::StoredMessage;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use crate::Executor;
use crate::day::Decided;
use crate::error::ExecutorError;
use crate::jobs::PlannedJob;
use crate::plan::skipped_events;
use crate::settle::Failure;

/// A day that was begun so often without end is failed.
const MOST_CRASHES: u32 = 5;

/// A lane in hand, with its portfolio as it is now.
pub(crate) struct Hand {
    pub(crate) lane: Lane,
    pub(crate) job: Arc<PlannedJob>,
    pub(crate) done: usize,
    pub(crate) history: PortfolioHistory,
    pub(crate) previous: Option<PortfolioDay>,
    /// Why the lane's other days are not run, when they are not.
    pub(crate) stopped: Option<SkipReason>,
    /// The next turn's message, when the turn has ended and we are to send it.
    pub(crate) next_turn: Option<StoredMessage>,
    /// When the turn ends at the latest, between days.
    slice_ends: Instant,
}

impl Hand {
    /// Whether the turn ends with the day in hand.
    pub(crate) fn slice_is_over(&self) -> bool {
        Instant::now() >= self.slice_ends
    }

    /// Why the lane's other days are not run.
    pub(crate) fn reason_to_stop(&self) -> SkipReason {
        self.stopped.unwrap_or(SkipReason::StoppedAfterFailure)
    }
}

/// What follows a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// The lane's next day.
    Done,
    /// Nothing in this turn; the day in hand may not have ended.
    TurnEnded,
    /// The lane's end: neither this day nor the others are run.
    Stopped,
}

impl Executor {
    /// Runs a taken turn to the end of its slice, or the lane to its end. Answers the next turn's message when that is
    /// still to be sent.
    pub(crate) async fn run_turn(&self, lane: Lane) -> Result<Option<StoredMessage>, ExecutorError> {
        let _lease = self.keep(&lane);
        let job = self.jobs.get(&self.pool, lane.job).await?;
        let slice = if lane.endpoint.is_some() { self.config.agent_slice } else { self.config.slice };
        let stops = job.job.options.on_failure == OnFailure::Stop && lane.done > 0;
        // The worker before us may have died between the failed day and the lane's end.
        let stopped = stops && execution::has_failed(&self.pool, &lane).await?;
        let mut hand = Hand {
            done: lane.done,
            job,
            history: PortfolioHistory::default(),
            previous: None,
            stopped: stopped.then_some(SkipReason::StoppedAfterFailure),
            next_turn: None,
            slice_ends: Instant::now() + slice,
            lane,
        };
        if let (Some(next), Some(last)) = (hand.lane.dates.get(hand.done), hand.lane.dates.last()) {
            (hand.history, hand.previous) = match self.kept.take(&hand.lane, *next) {
                Some(known) => known,
                None => (execution::history(&self.pool, hand.lane.portfolio, *next, *last).await?, None),
            };
        }
        while let Some(date) = hand.lane.dates.get(hand.done).copied() {
            if hand.stopped.is_some() {
                break;
            }
            match self.one_day(&mut hand, date).await? {
                After::Done => hand.done += 1,
                After::TurnEnded => {
                    self.kept.keep(&hand.lane, hand.history, hand.previous);
                    if hand.next_turn.is_none() {
                        self.wake.wake();
                    }
                    return Ok(hand.next_turn);
                }
                After::Stopped => break,
            }
        }
        self.close(&hand).await?;
        Ok(None)
    }

    /// Runs the lane's next day.
    async fn one_day(&self, hand: &mut Hand, date: NaiveDate) -> Result<After, ExecutorError> {
        let job = hand.job.clone();
        let (model, decider) = job.model(&hand.lane.model).ok_or_else(|| {
            ExecutorError::Inconsistent(format!("job {} has no model {}", hand.lane.job, hand.lane.model))
        })?;
        let began = Utc::now().trunc_subsecs(6);
        let key = ModelDayKey {
            job: hand.lane.job,
            experiment: job.job.experiment.clone(),
            model: hand.lane.model.clone(),
            trial: hand.lane.trial,
            date,
        };
        let turn = day_action(&job.job, date, &hand.history.winners);
        let DayAction::Run { base, revision } = turn else {
            let skipped = [SkippedDate { date, reason: SkipReason::AlreadyCompleted }];
            let messages = skipped_events(key.job, &key.experiment, &key.model, key.trial, &skipped)?;
            let row = DayRow::Skipped(SkipReason::AlreadyCompleted);
            return self.commit(hand, date, 0, row, messages, None).await;
        };
        if hand.lane.crashes > MOST_CRASHES && hand.done == hand.lane.done {
            let error = CRASHED.to_owned();
            return self.fail(hand, Failure { key, error, began, talked: None }).await;
        }
        self.continue_from(hand, base).await?;
        let previous = hand.previous.clone();
        let held = previous.as_ref().map(|day| &day.position);
        let market = self.prices.around(&self.pool, &job, date, held).await?;
        let done_here = hand.history.winners.range(hand.lane.dates[hand.lane.done]..date).count();
        let today = ModelDayRun {
            key: &key,
            universe: &job.job.universe,
            model,
            decider,
            prices: &market.table,
            actions: &market.actions,
            calendar: &self.config.calendar,
            previous: previous.as_ref(),
            day_index: hand.history.completed_before + u32::try_from(done_here).unwrap_or_default(),
            revision,
            began,
        };
        self.suspect(&today).await?;
        let span =
            tracing::info_span!("model_day", job.id = %key.job, model = %key.model, trading_date = %date);
        if let Decider::Agent(agent) = decider {
            return self.agent_turn(hand, &today, agent).instrument(span).await;
        }
        match span.in_scope(|| today.run()) {
            Ok(result) => {
                let decided = Decided::new(&today, result, None);
                let traceparent = span.in_scope(telemetry::current_traceparent);
                self.complete(hand, model, decided, traceparent, None).await
            }
            Err(problem) => {
                let error = problem.to_string();
                self.fail(hand, Failure { key, error, began, talked: None }).await
            }
        }
    }

    /// Notes overnight moves that look like splits nobody told of; the job's end tells them.
    async fn suspect(&self, today: &ModelDayRun<'_>) -> Result<(), ExecutorError> {
        let found = today.suspected_splits();
        if found.is_empty() {
            return Ok(());
        }
        let (job, date) = (today.key.job, today.key.date);
        for SuspectedSplit { symbol, close, open, ratio } in &found {
            tracing::warn!(job.id = %job, %symbol, trading_date = %date,
                "{symbol} opens at {open} after a close of {close}: a split of {ratio} that is not known?");
        }
        let found: Vec<_> = found.iter().map(|split| (&split.symbol, split.ratio.as_str())).collect();
        execution::note_suspected(&self.pool, job, date, &found).await?;
        Ok(())
    }

    /// Makes `base` the day that the next one continues from.
    async fn continue_from(&self, hand: &mut Hand, base: Option<DayRef>) -> Result<(), ExecutorError> {
        if hand.previous.as_ref().map(|previous| previous.day) != base {
            hand.previous = match base {
                Some(day) => Some(execution::completed_before(&self.pool, hand.lane.portfolio, day).await?),
                None => None,
            };
        }
        Ok(())
    }

    /// Renews the lane's lease each second until dropped.
    fn keep(&self, lane: &Lane) -> AbortOnDropHandle<()> {
        let (pool, lane) = (self.pool.clone(), lane.clone());
        AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                match execution::renew(&pool, &lane).await {
                    Ok(()) => {}
                    Err(storage::StorageError::Fenced) => return,
                    Err(problem) => {
                        tracing::warn!(lane.id = %lane.id, "the lease was not renewed: {problem}");
                    }
                }
            }
        }))
    }
}
