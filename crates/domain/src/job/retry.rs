//! The retry of a job: its failed model-days, with the configuration that the job had.

use chrono::{DateTime, NaiveDate, Utc};

use crate::job::{Job, Model};
use crate::values::ids::JobId;

/// A model-day of a job that failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailedModelDay {
    /// The model's signature.
    pub model: String,
    /// The trial, from 0.
    pub trial: u32,
    /// The session.
    pub date: NaiveDate,
}

/// The job that runs the `failed` model-days of `job` again; `None` when `job` has none of them.
///
/// The models keep their configuration and the job keeps its options, also the one to replace existing days.
pub fn retry(job: &Job, failed: &[FailedModelDay], id: JobId, now: DateTime<Utc>) -> Option<Job> {
    let models: Vec<Model> =
        job.models.iter().filter_map(|model| with_failed_days(job, model, failed)).collect();
    let dates =
        || models.iter().flat_map(|model| model.requested_dates.iter().flat_map(|dates| dates.trials()));
    let dates = || dates().flat_map(|(_, dates)| dates.iter().copied());
    let (start, end) = (dates().min()?, dates().max()?);
    Some(Job {
        id,
        experiment: job.experiment.clone(),
        universe: job.universe.clone(),
        options: job.options,
        accepted_at: now,
        retry_of: Some(job.id),
        unknown_fields: Vec::new(),
        requested_by: String::new(),
        models,
        start,
        end,
    })
}

/// The model with its failed days only.
fn with_failed_days(job: &Job, model: &Model, failed: &[FailedModelDay]) -> Option<Model> {
    let own = failed.iter().filter(|day| {
        day.model == model.signature
            && day.trial < model.trials
            && (model.start..=job.end).contains(&day.date)
    });
    let own: Vec<(u32, NaiveDate)> = own.map(|day| (day.trial, day.date)).collect();
    let start = own.iter().map(|(_, date)| *date).min()?;
    Some(Model { start, requested_dates: Some(own.into_iter().collect()), ..model.clone() })
}

#[cfg(test)]
mod tests;
