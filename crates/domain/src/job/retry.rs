//! A job again: just the model-days of it that failed, under the configuration that it had.

use chrono::{DateTime, NaiveDate, Utc};

use crate::job::{Job, Model};
use crate::values::ids::JobId;

/// A model-day of a job that failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FailedPair {
    /// The model's signature.
    pub model: String,
    /// The trial, from 0.
    pub trial: u32,
    /// The session.
    pub date: NaiveDate,
}

/// The job that runs the `failed` model-days of `job` again; `None` when there is none of them in it.
///
/// Models keep the snapshot of their configuration, and the job its options: a day that failed while it was to be
/// replaced is replaced.
pub fn retry(job: &Job, failed: &[FailedPair], id: JobId, now: DateTime<Utc>) -> Option<Job> {
    let models: Vec<Model> = job.models.iter().filter_map(|model| just(job, model, failed)).collect();
    let dates = || models.iter().flat_map(|model| model.only.iter().flat_map(|only| only.trials()));
    let dates = || dates().flat_map(|(_, dates)| dates.iter().copied());
    let (start, end) = (dates().min()?, dates().max()?);
    Some(Job {
        id,
        experiment: job.experiment.clone(),
        universe: job.universe.clone(),
        options: job.options,
        accepted_at: now,
        retry_of: Some(job.id),
        models,
        start,
        end,
    })
}

/// The model with just its failed days.
fn just(job: &Job, model: &Model, failed: &[FailedPair]) -> Option<Model> {
    let own = failed.iter().filter(|pair| {
        pair.model == model.signature
            && pair.trial < model.trials
            && (model.start..=job.end).contains(&pair.date)
    });
    let own: Vec<(u32, NaiveDate)> = own.map(|pair| (pair.trial, pair.date)).collect();
    let start = own.iter().map(|(_, date)| *date).min()?;
    Some(Model { start, only: Some(own.into_iter().collect()), ..model.clone() })
}

#[cfg(test)]
mod tests;
