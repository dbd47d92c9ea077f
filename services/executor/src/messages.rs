//! Messages of the executor, as its outbox rows.

use contract::ContractError;
use domain::events::event::{DaysSkipped, Event, LaneContinue};
use domain::simulation::model_day::SkippedDate;
use domain::values::ids::{JobId, LaneId};
use storage::execution::{Lane, NewLane, NextLane, OverdueTurn};
use storage::outbox::NewMessage;

/// The portfolio that skipped dates are of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SkippedOf<'a> {
    pub(crate) job: JobId,
    pub(crate) experiment: &'a str,
    pub(crate) model: &'a str,
    pub(crate) trial: u32,
}

/// The events that report skipped dates of one portfolio.
pub(crate) fn skipped_events(
    of: SkippedOf<'_>,
    dates: &[SkippedDate],
) -> Result<Vec<NewMessage>, ContractError> {
    let event = |dates: &[SkippedDate]| {
        runtime::outgoing::event(&Event::ModelDaysSkipped(DaysSkipped {
            job: of.job,
            experiment: of.experiment.to_owned(),
            model: of.model.to_owned(),
            trial: of.trial,
            dates: dates.to_vec(),
        }))
    };
    dates.chunks(DaysSkipped::MAX_DATES).map(event).collect()
}

/// The message of a new lane's first turn. Each turn of a lane, also one that is sent again, is below the root of the
/// lane's trace.
pub(crate) fn first_turn(job: JobId, lane: &NewLane) -> Result<NewMessage, ContractError> {
    turn(lane.id, 0, job, lane.routing_key, lane.traceparent.clone())
}

/// The message of the turn after the one in hand.
pub(crate) fn next_turn(lane: &Lane) -> Result<NewMessage, ContractError> {
    turn(lane.id, lane.turn + 1, lane.job, &lane.routing_key, lane.traceparent.clone())
}

/// The message of a lane that has waited for its portfolio.
pub(crate) fn turn_of_waiter(lane: &NextLane) -> Result<NewMessage, ContractError> {
    turn(lane.id, lane.turn, lane.job, &lane.routing_key, lane.traceparent.clone())
}

/// The message of a turn that is sent again.
pub(crate) fn turn_again(lane: &OverdueTurn) -> Result<NewMessage, ContractError> {
    turn(lane.lane, lane.turn, lane.job, &lane.routing_key, lane.traceparent.clone())
}

fn turn(
    lane: LaneId,
    turn: u32,
    job: JobId,
    routing_key: &str,
    traceparent: Option<String>,
) -> Result<NewMessage, ContractError> {
    runtime::outgoing::lane_continue(&LaneContinue { lane, turn }, job, routing_key, traceparent)
}
