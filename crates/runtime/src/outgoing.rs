//! Turns events and commands into new rows of the outbox.
//!
//! A function fails only when its message cannot be encoded.

use contract::ContractError;
use domain::events::event::{Event, JobCancel, LaneContinue};
use domain::values::ids::JobId;
use messaging::topology;
use storage::outbox::NewMessage;
use uuid::Uuid;

use crate::telemetry;

/// A public event, with the trace context of the current span.
pub fn event(event: &Event) -> Result<NewMessage, ContractError> {
    event_from(event, telemetry::current_traceparent())
}

/// A public event, with the trace context of its cause.
pub fn event_from(event: &Event, traceparent: Option<String>) -> Result<NewMessage, ContractError> {
    let kind = contract::kind::of(event);
    Ok(NewMessage {
        event_id: Uuid::now_v7(),
        kind,
        exchange: topology::EVENTS,
        routing_key: kind,
        job: event.job(),
        traceparent,
        body: contract::encode_event(event)?,
    })
}

/// The command for a lane's next turn.
pub fn lane_continue(
    command: &LaneContinue,
    job: JobId,
    routing_key: &str,
    traceparent: Option<String>,
) -> Result<NewMessage, ContractError> {
    let routing_key = if routing_key == topology::commands::LANE_CONTINUE_AGENTS {
        topology::commands::LANE_CONTINUE_AGENTS
    } else {
        topology::commands::LANE_CONTINUE
    };
    Ok(NewMessage {
        event_id: Uuid::now_v7(),
        kind: contract::kind::LANE_CONTINUE,
        exchange: topology::COMMANDS,
        routing_key,
        job,
        traceparent,
        body: contract::encode_lane_continue(command)?,
    })
}

/// The messages that cancel a job: the command, and a hint to every process that may be working on it.
pub fn job_cancel(command: &JobCancel) -> Result<[NewMessage; 2], ContractError> {
    let body = contract::encode_job_cancel(command)?;
    let to = |exchange| NewMessage {
        event_id: Uuid::now_v7(),
        kind: contract::kind::JOB_CANCEL,
        exchange,
        routing_key: topology::commands::JOB_CANCEL,
        job: command.job,
        traceparent: telemetry::current_traceparent(),
        body: body.clone(),
    };
    Ok([to(topology::COMMANDS), to(topology::CONTROL)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_published_by_one_service() {
        let of_events = topology::PUBLICATIONS.iter().filter(|one| one.exchange == topology::EVENTS);
        let mut published: Vec<&str> = of_events.flat_map(|one| one.routing_keys).copied().collect();
        published.sort_unstable();

        let mut kinds = contract::kind::EVENTS.to_vec();
        kinds.sort_unstable();

        assert_eq!(published, kinds);
    }
}
