//! How large a job may be. The API and every consumer refuse a larger one, so that no message can order work without
//! an end.

use super::{AgentModel, Job, Model, ModelKind};

/// Most models of a job.
pub const MAX_MODELS: usize = 1_000;
/// Most trials of a model.
pub const MAX_TRIALS: u32 = 1_000;
/// Most calendar days from the first to the last date of a job, both included.
pub const MAX_DATES: u32 = 10_000;
/// Most lanes of a job: a lane is one trial of one model.
pub const MAX_LANES: u64 = 100_000;
/// Most model-days of a job.
pub const MAX_MODEL_DAYS: u64 = 10_000_000;
/// Most symbols of a universe.
pub const MAX_SYMBOLS: usize = 10_000;
/// Most recorded orders of a model.
pub const MAX_ORDERS: usize = 1_000_000;
/// Longest name of an experiment, in characters.
pub const MAX_EXPERIMENT: usize = 100;
/// Most fields of a request that are told as meaning nothing.
pub const MAX_UNKNOWN_FIELDS: usize = 20;
/// How much of such a field's name is told, in characters.
pub const MAX_UNKNOWN_FIELD: usize = 64;
/// Longest signature of a model, in bytes.
pub const MAX_SIGNATURE: usize = 100;

/// Something of a job is larger than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{found} is more than the {max} that are allowed")]
pub struct OutOfBounds {
    /// What is too large.
    pub field: &'static str,
    /// How large it is.
    pub found: u64,
    /// How large it may be.
    pub max: u64,
}

/// Checks the whole job.
///
/// # Errors
/// The first bound that it exceeds.
pub fn check_job(job: &Job) -> Result<(), OutOfBounds> {
    let length = |count: usize, max: usize, field| within(count as u64, max as u64, field);
    length(job.models.len(), MAX_MODELS, "models")?;
    length(job.experiment.chars().count(), MAX_EXPERIMENT, "experiment")?;
    length(job.universe.symbols.len(), MAX_SYMBOLS, "universe.symbols")?;
    length(job.unknown_fields.len(), MAX_UNKNOWN_FIELDS, "unknown_fields")?;
    for name in &job.unknown_fields {
        length(name.chars().count(), MAX_UNKNOWN_FIELD, "unknown_fields")?;
    }
    for model in &job.models {
        check_model(model)?;
    }
    let first = job.models.iter().map(|model| model.start).chain([job.start]).min().unwrap_or(job.start);
    let days = (job.end - first).num_days().saturating_add(1);
    within(days.try_into().unwrap_or_default(), MAX_DATES.into(), "dates")?;
    within(job.models.iter().map(|model| u64::from(model.trials)).sum(), MAX_LANES, "lanes")?;
    within(job.total_model_days() as u64, MAX_MODEL_DAYS, "model-days")
}

fn check_model(model: &Model) -> Result<(), OutOfBounds> {
    within(model.signature.len() as u64, MAX_SIGNATURE as u64, "models.signature")?;
    within(model.config_hash.len() as u64, 200, "models.config_hash")?;
    within(model.trials.into(), MAX_TRIALS.into(), "models.trials")?;
    match &model.kind {
        ModelKind::Recorded(orders) => {
            within(orders.len() as u64, MAX_ORDERS as u64, "models.recorded.orders")
        }
        ModelKind::Policy(_) => Ok(()),
        ModelKind::Agent(agent) => check_agent(agent),
    }
}

/// Checks how much an agent may be allowed.
///
/// # Errors
/// The first bound that it exceeds.
pub fn check_agent(agent: &AgentModel) -> Result<(), OutOfBounds> {
    let (settings, limits) = (&agent.settings, &agent.settings.limits);
    let variable = agent.key_variable.as_deref().unwrap_or_default();
    let bounds: [(&'static str, u64, u64); 10] = [
        ("limits.max_steps", limits.max_steps.into(), 10_000),
        ("limits.max_tool_calls", limits.max_tool_calls.into(), 100_000),
        ("limits.wall_time_seconds", limits.wall_time_seconds, 24 * 60 * 60),
        ("limits.max_answer_bytes", limits.max_answer_bytes, 64 << 20),
        ("concurrency", agent.concurrency.into(), 10_000),
        ("timeout_seconds", agent.timeout_seconds, 300),
        ("url", agent.url.len() as u64, 2_000),
        ("api_key_env", variable.len() as u64, 200),
        ("basemodel", settings.basemodel.len() as u64, 200),
        ("prompt", settings.prompt.template.len() as u64, 100_000),
    ];
    bounds.into_iter().try_for_each(|(field, found, max)| within(found, max, field))
}

fn within(found: u64, max: u64, field: &'static str) -> Result<(), OutOfBounds> {
    if found <= max { Ok(()) } else { Err(OutOfBounds { field, found, max }) }
}

#[cfg(test)]
mod tests;
