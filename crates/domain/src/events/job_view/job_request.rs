//! A job's request, without what only the executor needs.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::job::requested_dates::{RequestedDates, count_of};
use crate::job::{Job, Options};
use crate::market::calendar::weekdays;
use crate::market::instruments::Universe;
use crate::values::ids::JobId;

/// A job's request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRequest {
    /// The experiment whose portfolios are used.
    pub experiment: String,
    /// The models, in the order of the request.
    pub models: Vec<RequestedModel>,
    /// What may be traded.
    pub universe: Universe,
    /// First requested date.
    pub start: NaiveDate,
    /// Last requested date, inclusive.
    pub end: NaiveDate,
    /// How the job is to be run.
    pub options: Options,
    /// When the job was accepted.
    pub accepted_at: DateTime<Utc>,
    /// The job whose failed model-days this one runs again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<JobId>,
}

/// One model of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedModel {
    /// The model's unique name.
    pub signature: String,
    /// Separate portfolios, numbered from 0.
    pub trials: u32,
    /// First date of this model.
    pub start: NaiveDate,
    /// Hash of the configuration it is run under.
    pub config_hash: String,
    /// How it decides: `recorded`, `policy`, `llm`, `http` or `mcp`.
    pub kind: String,
    /// The dates to run; `None` for every weekday from its start to the job's end.
    #[serde(default, rename = "only", skip_serializing_if = "Option::is_none")]
    pub requested_dates: Option<RequestedDates>,
    /// Last date that its training data may reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_cutoff: Option<NaiveDate>,
}

/// A requested model-day. Ordered by date, then model, then trial.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestedDay {
    /// A weekday; not necessarily a session.
    pub date: NaiveDate,
    /// The model's signature.
    pub model: String,
    /// The trial, from 0.
    pub trial: u32,
}

impl From<&Job> for JobRequest {
    fn from(job: &Job) -> Self {
        let model = |model: &crate::job::Model| RequestedModel {
            signature: model.signature.clone(),
            trials: model.trials,
            start: model.start,
            config_hash: model.config_hash.clone(),
            kind: model.kind.as_str().to_owned(),
            requested_dates: model.requested_dates.clone(),
            training_cutoff: model.training_cutoff,
        };
        Self {
            experiment: job.experiment.clone(),
            models: job.models.iter().map(model).collect(),
            universe: job.universe.clone(),
            start: job.start,
            end: job.end,
            options: job.options,
            accepted_at: job.accepted_at,
            retry_of: job.retry_of,
        }
    }
}

impl JobRequest {
    /// All requested dates, oldest first: every weekday, unless each model has a selection of dates.
    pub fn dates(&self) -> Vec<NaiveDate> {
        let selections: Option<Vec<&RequestedDates>> =
            self.models.iter().map(|model| model.requested_dates.as_ref()).collect();
        let Some(selections) = selections.filter(|selections| !selections.is_empty()) else {
            return weekdays(self.start, self.end);
        };
        let dates = selections.iter().flat_map(|selection| selection.trials()).flat_map(|(_, dates)| dates);
        dates.copied().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Requested model-days, over all models and trials.
    pub fn total_model_days(&self) -> u64 {
        let days = |model: &RequestedModel| {
            count_of(model.requested_dates.as_ref(), model.trials, model.start, self.end) as u64
        };
        self.models.iter().map(days).sum()
    }

    /// The requested model-days after `after`, in order; with `model`, those of that model.
    pub fn model_days<'a>(
        &'a self,
        model: Option<&'a str>,
        after: Option<&'a RequestedDay>,
    ) -> impl Iterator<Item = RequestedDay> + 'a {
        let mut models: Vec<&RequestedModel> =
            self.models.iter().filter(|known| model.is_none_or(|model| model == known.signature)).collect();
        models.sort_by(|a, b| a.signature.cmp(&b.signature));
        let first = models.iter().map(|model| model.start).min().unwrap_or(self.start);
        let first = after.map_or(first, |after| first.max(after.date));
        weekdays(first, self.end)
            .into_iter()
            .flat_map(move |date| {
                let begun: Vec<&RequestedModel> =
                    models.iter().copied().filter(|model| model.start <= date).collect();
                begun.into_iter().flat_map(move |model| {
                    let is_requested = move |trial: &u32| {
                        model.requested_dates.as_ref().is_none_or(|dates| dates.has(*trial, date))
                    };
                    let day = move |trial| RequestedDay { date, model: model.signature.clone(), trial };
                    (0..model.trials).filter(is_requested).map(day)
                })
            })
            .skip_while(move |day| after.is_some_and(|after| day <= after))
    }
}
