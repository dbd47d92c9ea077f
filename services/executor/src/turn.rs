//! A turn of a lane: days one after another, each in its own commit, until the slice is over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, SubsecRound as _, Utc};
use domain::event::{Event, LaneContinue};
use domain::job::{Model, OnFailure};
use domain::lane::{Turn, Winner, take_turn};
use domain::model_day::{DayRef, FailedDay, ModelDayKey, SkipReason, SkippedDate};
use runtime::telemetry;
use storage::execution::{
    self, Closing, DayCommit, DayRow, Lane, PortfolioDay, PortfolioHistory, SkippedRow,
};
use storage::outbox::Outgoing;
use tokio_util::task::AbortOnDropHandle;

use crate::Executor;
use crate::counts;
use crate::day::{Decided, Today, run_day};
use crate::end::{self, End};
use crate::error::ExecutorError;
use crate::jobs::PlannedJob;
use crate::plan::skipped_events;

/// A day that was begun so often without end is failed.
const MOST_CRASHES: u32 = 5;

/// A lane in hand, with its portfolio as it is now.
struct Hand {
    lane: Lane,
    job: Arc<PlannedJob>,
    done: usize,
    history: PortfolioHistory,
    previous: Option<PortfolioDay>,
    stopped: bool,
}

impl Executor {
    /// Runs a taken turn to the end of its slice, or the lane to its end.
    pub(crate) async fn run_turn(&self, lane: Lane) -> Result<(), ExecutorError> {
        let _lease = self.keep(&lane);
        let job = self.jobs.get(&self.pool, lane.job).await?;
        let started = Instant::now();
        let stops = job.job.options.on_failure == OnFailure::Stop && lane.done > 0;
        // The worker before us may have died between the failed day and the lane's end.
        let stopped = stops && execution::has_failed(&self.pool, &lane).await?;
        let mut hand = Hand {
            done: lane.done,
            job,
            history: PortfolioHistory::default(),
            previous: None,
            stopped,
            lane,
        };
        if let (Some(next), Some(last)) = (hand.lane.dates.get(hand.done), hand.lane.dates.last()) {
            hand.history = execution::history(&self.pool, hand.lane.portfolio, *next, *last).await?;
        }
        while let Some(date) = hand.lane.dates.get(hand.done).copied() {
            if hand.stopped {
                break;
            }
            let last = hand.done + 1 == hand.lane.dates.len();
            let ended = self.one_day(&mut hand, date, last, started).await?;
            hand.done += 1;
            if ended {
                self.wake.wake();
                return Ok(());
            }
        }
        self.close(&hand).await
    }

    /// Runs the lane's next day; true when the turn ended with it.
    async fn one_day(
        &self,
        hand: &mut Hand,
        date: NaiveDate,
        last: bool,
        slice_began: Instant,
    ) -> Result<bool, ExecutorError> {
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
        let turn = take_turn(&job.job, date, &hand.history.winners);
        let span =
            tracing::info_span!("model_day", job.id = %key.job, model = %key.model, trading_date = %date);
        let Turn::Run { base, revision } = turn else {
            let skipped = [SkippedDate { date, reason: SkipReason::AlreadyCompleted }];
            let messages = skipped_events(key.job, &key.experiment, &key.model, key.trial, &skipped)?;
            let row = DayRow::Skipped(SkipReason::AlreadyCompleted);
            return self.commit(hand, date, 0, row, messages, last, slice_began).await;
        };
        if hand.lane.crashes > MOST_CRASHES && hand.done == hand.lane.done {
            return self.fail(hand, key, "crashed repeatedly", began, last, slice_began).await;
        }
        self.continue_from(hand, base).await?;
        let held = hand.previous.as_ref().map(|day| &day.position);
        let prices = self.prices.around(&self.pool, &job, date, held).await?;
        let today = Today {
            key: &key,
            job: &job.job,
            model,
            decider,
            prices: prices.as_ref(),
            calendar: &self.config.calendar,
            previous: hand.previous.as_ref(),
            day_index: hand.history.completed_before
                + u32::try_from(hand.history.winners.range(hand.lane.dates[hand.lane.done]..date).count())
                    .unwrap_or_default(),
            revision,
            began,
        };
        match span.in_scope(|| run_day(&today)) {
            Ok(decided) => {
                let traceparent = span.in_scope(telemetry::current_traceparent);
                self.complete(hand, model, decided, base, traceparent, last, slice_began).await
            }
            Err(problem) => self.fail(hand, key, &problem.to_string(), began, last, slice_began).await,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call site; all are facts of the same day")]
    async fn complete(
        &self,
        hand: &mut Hand,
        model: &Model,
        decided: Decided,
        base: Option<DayRef>,
        traceparent: Option<String>,
        last: bool,
        slice_began: Instant,
    ) -> Result<bool, ExecutorError> {
        let Decided { day, fills } = decided;
        let (date, revision) = (day.key.date, day.revision);
        let row = DayRow::Completed {
            revision,
            base,
            config_hash: &model.config_hash,
            position: &day.ending_position,
            value_at_open: day.value_at_open,
            value_at_close: day.value_at_close,
            fills: &fills,
        };
        let event = Event::ModelDayCompleted(Box::new(day.clone()));
        let messages = vec![runtime::outgoing::event_from(&event, traceparent)?];
        let ended = self.commit(hand, date, day.attempt, row, messages, last, slice_began).await?;
        hand.history.winners.insert(date, Winner { revision, base, config_hash: model.config_hash.clone() });
        hand.previous = Some(PortfolioDay {
            day: DayRef { date, revision },
            position: day.ending_position,
            value_at_open: day.value_at_open,
        });
        Ok(ended)
    }

    async fn fail(
        &self,
        hand: &mut Hand,
        key: ModelDayKey,
        error: &str,
        began: DateTime<Utc>,
        last: bool,
        slice_began: Instant,
    ) -> Result<bool, ExecutorError> {
        let date = key.date;
        tracing::warn!(job.id = %key.job, model = %key.model, trading_date = %date, "model-day failed: {error}");
        let failed = FailedDay {
            key,
            attempt: 1,
            error: error.to_owned(),
            started_at: began,
            completed_at: Utc::now().trunc_subsecs(6),
        };
        let messages = vec![runtime::outgoing::event(&Event::ModelDayFailed(failed))?];
        hand.stopped = hand.job.job.options.on_failure == OnFailure::Stop;
        let stays = last || hand.stopped;
        self.commit(hand, date, 1, DayRow::Failed(error), messages, stays, slice_began).await
    }

    #[expect(clippy::too_many_arguments, reason = "one statement; all are facts of the same day")]
    async fn commit(
        &self,
        hand: &Hand,
        date: NaiveDate,
        attempt: u32,
        row: DayRow<'_>,
        mut messages: Vec<Outgoing>,
        last: bool,
        slice_began: Instant,
    ) -> Result<bool, ExecutorError> {
        let ends_turn = !last && slice_began.elapsed() >= self.config.slice;
        if ends_turn {
            let command = LaneContinue { lane: hand.lane.id, turn: hand.lane.turn + 1 };
            let traceparent = telemetry::current_traceparent();
            let key = &hand.lane.routing_key;
            messages.push(runtime::outgoing::lane_continue(&command, hand.lane.job, key, traceparent)?);
        }
        let commit = DayCommit { date, attempt, row, messages: &messages, ends_turn };
        let outcome = match &commit.row {
            DayRow::Completed { .. } => "completed",
            DayRow::Failed(_) => "failed",
            DayRow::Skipped(_) => "skipped",
        };
        execution::commit_day(&self.pool, &hand.lane, hand.done, &commit).await?;
        self.wake.wake();
        counts::model_days(outcome, 1);
        Ok(ends_turn)
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

    /// Finishes the lane: hands the portfolio on and, with the last lane, ends the job.
    async fn close(&self, hand: &Hand) -> Result<(), ExecutorError> {
        let (lane, job) = (&hand.lane, &hand.job);
        let rest = lane.dates.iter().skip(hand.done);
        let skipped: Vec<SkippedDate> =
            rest.map(|date| SkippedDate { date: *date, reason: SkipReason::StoppedAfterFailure }).collect();
        let row = SkippedRow { portfolio: lane.portfolio, dates: skipped };
        let mut messages =
            skipped_events(lane.job, &job.job.experiment, &lane.model, lane.trial, &row.dates)?;

        let mut closing = Closing::begin(&self.pool, lane, (!row.dates.is_empty()).then_some(&row)).await?;
        if let Some((next, turn, routing_key, next_job)) = &closing.next {
            let command = LaneContinue { lane: *next, turn: *turn };
            let traceparent = telemetry::current_traceparent();
            messages.push(runtime::outgoing::lane_continue(&command, *next_job, routing_key, traceparent)?);
        }
        let mut warnings = Vec::new();
        if closing.open_lanes == 0 {
            let tally = closing.tally().await?;
            let End { outcome, message, added } = end::end(closing.connection(), job, tally).await?;
            closing.end_job(outcome).await?;
            messages.push(message);
            warnings = added;
        }
        closing.commit(&messages).await?;
        self.wake.wake();
        counts::model_days("skipped", row.dates.len());
        counts::warnings(&warnings);
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
