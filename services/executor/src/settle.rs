//! The end of a day: its one commit, with its events and, when the slice is over, the next turn.

use chrono::{DateTime, SubsecRound as _, Utc};
use domain::events::event::{Event, LaneContinue};
use domain::job::{Model, OnFailure};
use domain::simulation::lane::Winner;
use domain::simulation::model_day::{CompletedDay, DayRef, FailedDay, SkipReason};
use domain::simulation::run::PortfolioDay;
use domain::values::ids::ModelDayKey;
use runtime::telemetry;
use storage::execution::{AgentEnd, DayCommit, DayRow};
use storage::outbox::NewMessage;

use crate::Executor;
use crate::agent::Talked;
use crate::counts;
use crate::day::Decided;
use crate::error::ExecutorError;
use crate::turn::{After, Hand};

/// A day that failed.
pub(crate) struct Failure<'a> {
    pub(crate) key: ModelDayKey,
    pub(crate) error: String,
    pub(crate) began: DateTime<Utc>,
    /// Of agents: the conversation.
    pub(crate) talked: Option<&'a Talked>,
}

impl Executor {
    /// Commits a day that takes effect.
    pub(crate) async fn complete(
        &self,
        hand: &mut Hand,
        model: &Model,
        decided: Decided,
        traceparent: Option<String>,
        talked: Option<&Talked>,
    ) -> Result<After, ExecutorError> {
        let Decided { day, fills } = decided;
        let CompletedDay { revision, base, .. } = day;
        let (date, attempt) = (day.key.date, day.attempt);
        let row = DayRow::Completed {
            revision,
            base,
            config_hash: model.config_hash.clone(),
            position: day.ending_position.clone(),
            value_at_open: day.value_at_open,
            value_at_close: day.value_at_close,
            fills,
        };
        let previous = PortfolioDay {
            day: DayRef { date, revision },
            position: day.ending_position.clone(),
            value_at_open: day.value_at_open,
        };
        let event = Event::ModelDayCompleted(Box::new(day));
        let events = vec![runtime::outgoing::event_from(&event, traceparent)?];
        let after = self.commit(hand, date, attempt, row, events, talked).await?;
        let config_hash = model.config_hash.clone();
        hand.history.winners.insert(date, Winner { revision, base, config_hash, repriced: false });
        hand.previous = Some(previous);
        Ok(after)
    }

    /// Commits a day that failed; it leaves no trace in the portfolio.
    pub(crate) async fn fail(&self, hand: &mut Hand, failure: Failure<'_>) -> Result<After, ExecutorError> {
        let Failure { key, error, began, talked } = failure;
        let date = key.date;
        let attempt = talked.map_or(1, |talked| talked.told.attempt);
        tracing::warn!(job.id = %key.job, model = %key.model, trading_date = %date, "model-day failed: {error}");
        let failed = FailedDay {
            key,
            attempt,
            error: error.clone(),
            started_at: talked.map_or(began, |talked| talked.told.started_at),
            completed_at: Utc::now().trunc_subsecs(6),
            agent: talked.map(|talked| talked.told.report.clone()),
        };
        let events = vec![runtime::outgoing::event(&Event::ModelDayFailed(failed))?];
        if hand.job.job.options.on_failure == OnFailure::Stop {
            hand.stopped = Some(SkipReason::StoppedAfterFailure);
        }
        self.commit(hand, date, attempt, DayRow::Failed(error), events, talked).await
    }

    /// Commits the day at the lane's front.
    pub(crate) async fn commit(
        &self,
        hand: &mut Hand,
        date: chrono::NaiveDate,
        attempt: u32,
        row: DayRow,
        events: Vec<NewMessage>,
        talked: Option<&Talked>,
    ) -> Result<After, ExecutorError> {
        let lane = &hand.lane;
        let goes_on = hand.stopped.is_none() && hand.done + 1 < lane.dates.len();
        let next_turn = match goes_on && hand.slice_is_over() {
            true => {
                let command = LaneContinue { lane: lane.id, turn: lane.turn + 1 };
                let traceparent = telemetry::current_traceparent();
                let key = &lane.routing_key;
                Some(runtime::outgoing::lane_continue(&command, lane.job, key, traceparent)?)
            }
            false => None,
        };
        let ends_turn = next_turn.is_some();
        let agent = talked.map(|talked| AgentEnd {
            revision: talked.revision,
            reason: talked.told.report.reason.clone(),
            transcript: talked.transcript.clone(),
        });
        let outcome = match &row {
            DayRow::Completed { .. } => "completed",
            DayRow::Failed(_) => "failed",
            DayRow::Skipped(_) => "skipped",
        };
        let (lane, epoch, done) = (lane.id, lane.epoch, hand.done);
        let commit = DayCommit { lane, epoch, done, date, attempt, row, events, next_turn, agent };
        let written = self.commits.commit(&self.pool, commit).await?;
        self.wake.wake_for_events();
        counts::model_days(outcome, 1);
        hand.next_turn = written.next_turn;
        Ok(if ends_turn { After::TurnEnded } else { After::Done })
    }
}
