//! Private commands on the wire.
//!
//! Encoding fails when the JSON writer refuses, which it does not for these types.

use domain::events::event::{JobCancel, LaneContinue};

use crate::error::ContractError;
use crate::events::read;
use crate::fields::parse;
use crate::{kind, wire};

/// The body of a `lane.continue` command.
pub fn encode_lane_continue(command: &LaneContinue) -> Result<String, ContractError> {
    let message = wire::LaneContinue { lane_id: command.lane.to_string(), turn: command.turn };
    serde_json::to_string(&message).map_err(ContractError::Unwritable)
}

/// Decodes a `lane.continue` body.
///
/// # Errors
/// When the body is no such command.
pub fn decode_lane_continue(body: &[u8]) -> Result<LaneContinue, ContractError> {
    let message: wire::LaneContinue = read(kind::LANE_CONTINUE, body)?;
    Ok(LaneContinue { lane: parse("lane_id", &message.lane_id)?, turn: message.turn })
}

/// The body of a `job.cancel` command.
pub fn encode_job_cancel(command: &JobCancel) -> Result<String, ContractError> {
    let message = wire::JobCancel { job_id: command.job.to_string(), reason: command.reason.clone() };
    serde_json::to_string(&message).map_err(ContractError::Unwritable)
}

/// Decodes a `job.cancel` body.
///
/// # Errors
/// When the body is no such command.
pub fn decode_job_cancel(body: &[u8]) -> Result<JobCancel, ContractError> {
    let message: wire::JobCancel = read(kind::JOB_CANCEL, body)?;
    Ok(JobCancel { job: parse("job_id", &message.job_id)?, reason: message.reason })
}
