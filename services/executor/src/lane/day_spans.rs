//! The spans of days within the span of their turn.

use std::str::FromStr;

use chrono::NaiveDate;
use runtime::telemetry;
use tracing::Span;

use super::in_hand::LaneInHand;

/// Which days have a span each: `TRACE_DAYS`. Those of agents always have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TracedDays {
    /// A turn has one span for all its policy or recorded days.
    #[default]
    Turns,
    /// Every day.
    All,
}

/// Why a text is no [`TracedDays`].
#[derive(Debug, thiserror::Error)]
#[error("it is neither turns nor all")]
pub struct TracedDaysError;

impl FromStr for TracedDays {
    type Err = TracedDaysError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "turns" => Ok(Self::Turns),
            "all" => Ok(Self::All),
            _ => Err(TracedDaysError),
        }
    }
}

impl TracedDays {
    /// Whether each day of a lane has a span of its own.
    pub(super) fn one_by_one(self, lane: &LaneInHand) -> bool {
        self == Self::All || lane.lane.endpoint.is_some()
    }

    /// The span of the days of a turn, unless they have their own.
    pub(super) fn of_turn(self, lane: &LaneInHand) -> Span {
        if self.one_by_one(lane) {
            return Span::none();
        }
        tracing::info_span!(
            "model-days",
            otel.name = format!("model-days {}", lane.lane.model),
            job.id = %lane.lane.job,
            model = lane.lane.model,
            trial = i64::from(lane.lane.trial),
            model_day.count = tracing::field::Empty,
        )
    }

    /// The span of one day, if it has one.
    pub(super) fn of_day(self, lane: &LaneInHand, date: NaiveDate) -> Span {
        if !self.one_by_one(lane) {
            return Span::none();
        }
        tracing::info_span!(
            "model-day",
            otel.name = format!("model-day {}", lane.lane.model),
            job.id = %lane.lane.job,
            model = lane.lane.model,
            trial = i64::from(lane.lane.trial),
            trading_date = %date,
        )
    }

    /// The span of a commit of so many days, beside spans of single days.
    pub(super) fn of_commit(self, lane: &LaneInHand, days: usize) -> Span {
        if !self.one_by_one(lane) {
            return Span::none();
        }
        tracing::info_span!("commit", model_day.count = telemetry::integer(days))
    }
}

/// Says in the span of a turn's days how many they were.
pub(super) fn count(span: &Span, days: usize) {
    span.record("model_day.count", telemetry::integer(days));
}
