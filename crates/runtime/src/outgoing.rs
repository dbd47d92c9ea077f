//! From a domain event to the row that will be sent.

use contract::ContractError;
use domain::events::event::{Event, JobCancel, LaneContinue};
use domain::values::ids::JobId;
use messaging::topology;
use storage::outbox::NewMessage;
use uuid::Uuid;

use crate::telemetry;

/// The outbox row of a public event, created in the current span.
///
/// # Errors
/// When the message cannot be written.
pub fn event(event: &Event) -> Result<NewMessage, ContractError> {
    event_from(event, telemetry::current_traceparent())
}

/// The outbox row of a public event with the trace context of its cause.
///
/// # Errors
/// When the message cannot be written.
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

/// The outbox row of a lane's turn.
///
/// # Errors
/// When the message cannot be written.
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

/// The outbox rows that cancel a job: the command, and the hint to every process that may have it in hand.
///
/// # Errors
/// When the message cannot be written.
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
