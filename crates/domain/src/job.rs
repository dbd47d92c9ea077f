//! A job: its request, its states and its end.

pub mod archiving;
pub mod bounds;
pub mod pause;
mod priority;
pub mod request;
pub mod requested_dates;
pub mod retry;
pub mod warning;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::accounting::costs::Costs;
use crate::agent::{AgentSettings, Dialect};
use crate::job::requested_dates::{RequestedDates, count_of, dates_of};
use crate::market::instruments::Universe;
use crate::strategy::policy::Policy;
use crate::strategy::recorded_orders::RecordedOrder;
use crate::values::ids::JobId;

pub use priority::Priority;

/// A job as it was accepted, with everything that later services need.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The job's id.
    pub id: JobId,
    /// A portfolio is one trial of one model in one experiment.
    pub experiment: String,
    /// The models to run; signatures are unique.
    pub models: Vec<Model>,
    /// What may be traded.
    pub universe: Universe,
    /// First requested date; a model may start later.
    pub start: NaiveDate,
    /// Last requested date, inclusive.
    pub end: NaiveDate,
    /// How the job is to be run.
    pub options: Options,
    /// When the job was accepted.
    pub accepted_at: DateTime<Utc>,
    /// The job whose failed model-days this one runs again.
    pub retry_of: Option<JobId>,
    /// Fields of the request that mean nothing.
    pub unknown_fields: Vec<String>,
    /// Who requested it; empty when that was not recorded.
    pub requested_by: String,
}

impl Job {
    /// The first date of any of its models.
    pub fn first_date(&self) -> NaiveDate {
        self.models.iter().map(|model| model.start).min().unwrap_or(self.start)
    }

    /// Requested weekdays, over all models and trials.
    pub fn total_model_days(&self) -> usize {
        let days =
            |model: &Model| count_of(model.requested_dates.as_ref(), model.trials, model.start, self.end);
        self.models.iter().map(days).sum()
    }

    /// Models without a day in the job: their own history already reaches its last date.
    pub fn up_to_date(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(|model| model.start > self.end)
    }
}

/// One model with the configuration it had when the job was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The model's unique name.
    pub signature: String,
    /// Hash of everything in the configuration that affects the outcome.
    pub config_hash: String,
    /// Cash of a portfolio before its first day, in dollars.
    pub initial_cash: Decimal,
    /// Separate portfolios, numbered from 0.
    pub trials: u32,
    /// First date of this model.
    pub start: NaiveDate,
    /// The dates to run; `None` for every weekday from its start to the job's end.
    pub requested_dates: Option<RequestedDates>,
    /// Fees and slippage of its fills.
    pub costs: Costs,
    /// Last date that its training data may reach: its results up to then prove no skill. It changes nothing in a run.
    pub training_cutoff: Option<NaiveDate>,
    /// How it decides.
    pub kind: ModelKind,
}

impl Model {
    /// The requested weekdays of one portfolio in a job up to `end`, ascending.
    pub fn dates(&self, trial: u32, end: NaiveDate) -> Vec<NaiveDate> {
        dates_of(self.requested_dates.as_ref(), trial, self.start, end)
    }

    /// Whether `date` of a trial is requested, when it is not after the job's end.
    pub fn requests(&self, trial: u32, date: NaiveDate) -> bool {
        self.start <= date && self.requested_dates.as_ref().is_none_or(|dates| dates.has(trial, date))
    }

    /// The trials that have dates in the job.
    pub fn requested_trials(&self) -> impl Iterator<Item = u32> + '_ {
        let has_part =
            |trial: &u32| self.requested_dates.as_ref().is_none_or(|dates| dates.has_trial(*trial));
        (0..self.trials).filter(has_part)
    }
}

/// How a model decides.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelKind {
    /// Plays recorded orders.
    Recorded(Vec<RecordedOrder>),
    /// A built-in baseline.
    Policy(Policy),
    /// Calls an endpoint: a language model, or an agent of the user's own.
    Agent(Box<AgentModel>),
}

impl ModelKind {
    /// The kind's name in the configuration and the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Recorded(_) => "recorded",
            Self::Policy(_) => "policy",
            Self::Agent(agent) => match agent.dialect {
                Dialect::ChatCompletions | Dialect::Messages | Dialect::Responses => "llm",
                Dialect::Agent => "http",
                Dialect::Mcp => "mcp",
            },
        }
    }
}

/// An agent behind an endpoint, as it was configured when the job was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentModel {
    /// The protocol of the endpoint.
    pub dialect: Dialect,
    /// The base URL of a language model's endpoint, or the URL of a user's own agent.
    pub url: String,
    /// Environment variable of the executor that holds the key; `None` for endpoints without one.
    pub key_variable: Option<String>,
    /// Its settings.
    pub settings: AgentSettings,
    /// Days that may run side by side on this endpoint, over all executors.
    pub concurrency: u32,
    /// Tokens a minute that the endpoint allows, over all executors.
    pub tokens_per_minute: Option<u64>,
    /// Seconds without a byte of the response after which a call is given up.
    pub timeout_seconds: u64,
}

/// How a job is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Options {
    /// Run completed days again and replace them.
    pub replace_existing: bool,
    /// What a failed day means for the later days of its portfolio.
    pub on_failure: OnFailure,
    /// Wait for the provider's next quota window instead of skipping dates.
    pub wait_for_data: bool,
    /// Run days again whose base was replaced, or filled later.
    pub reprocess_stale: bool,
    /// Dollars that calls of paid endpoints may cost; `None` without limit.
    pub budget: Option<Decimal>,
    /// Whose lanes go first when not all can. It changes nothing of a result.
    #[serde(default)]
    pub priority: Priority,
}

/// What a failed day means for the later days of its portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The portfolio carries over unchanged from the last completed day.
    #[default]
    Continue,
    /// The later days are skipped.
    Stop,
}

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobState {
    /// Accepted; no work has begun.
    Pending,
    /// Missing prices are being fetched.
    DownloadingData,
    /// Model-days are being run.
    Running,
    /// Ended: no day failed.
    Completed,
    /// Ended: some days failed, others completed.
    Partial,
    /// Ended: nothing could be run, or every day failed.
    Failed,
    /// Ended by its user.
    Cancelled,
}

impl JobState {
    /// The state's name in the API, in events and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::DownloadingData => "downloading_data",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [
            Self::Pending,
            Self::DownloadingData,
            Self::Running,
            Self::Completed,
            Self::Partial,
            Self::Failed,
            Self::Cancelled,
        ];
        all.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether the job has ended. No transition leaves such a state.
    pub fn is_terminal(self) -> bool {
        self >= Self::Completed
    }

    /// How far a state is. Events may arrive in any order: the state of the highest rank is the current one.
    pub fn rank(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::DownloadingData => 1,
            Self::Running => 2,
            Self::Completed | Self::Partial | Self::Failed | Self::Cancelled => 3,
        }
    }
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobOutcome {
    /// No day failed.
    Completed,
    /// Some days failed, others completed.
    Partial,
    /// Nothing could be run, or every day failed.
    Failed,
    /// Ended by its user.
    Cancelled,
}

impl From<JobOutcome> for JobState {
    fn from(outcome: JobOutcome) -> Self {
        match outcome {
            JobOutcome::Completed => Self::Completed,
            JobOutcome::Partial => Self::Partial,
            JobOutcome::Failed => Self::Failed,
            JobOutcome::Cancelled => Self::Cancelled,
        }
    }
}

/// What ends a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndCause {
    /// The end of its last model-day.
    DaysEnded,
    /// Its user, who cancelled it.
    Cancelled,
}

/// A job's model-days, counted by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Days that were run and took effect.
    pub completed: u32,
    /// Days that were run and failed.
    pub failed: u32,
    /// Days that were not run, for any reason.
    pub skipped: u32,
    /// Of the skipped: completed by an earlier job.
    pub already_completed: u32,
    /// Of the skipped: prices are missing.
    pub incomplete: u32,
}

impl Tally {
    /// All days of the job.
    pub fn days(&self) -> u32 {
        self.completed.saturating_add(self.failed).saturating_add(self.skipped)
    }

    /// How a job with these counts ends. A cancelled job is cancelled, even when all its days completed.
    pub fn outcome(&self, cause: EndCause) -> JobOutcome {
        if cause == EndCause::Cancelled {
            return JobOutcome::Cancelled;
        }
        let succeeded = self.completed + self.already_completed;
        match (self.failed, succeeded, self.incomplete) {
            (0, 0, 1..) => JobOutcome::Failed,
            (0, _, _) => JobOutcome::Completed,
            (1.., 1.., _) => JobOutcome::Partial,
            (1.., 0, _) => JobOutcome::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(completed: u32, failed: u32, already_completed: u32, incomplete: u32) -> JobOutcome {
        Tally { completed, failed, skipped: already_completed + incomplete, already_completed, incomplete }
            .outcome(EndCause::DaysEnded)
    }

    #[test]
    fn a_job_without_failed_days_is_completed() {
        assert_eq!(outcome(3, 0, 0, 0), JobOutcome::Completed);
        assert_eq!(outcome(1, 0, 0, 9), JobOutcome::Completed);
        assert_eq!(outcome(0, 0, 5, 9), JobOutcome::Completed, "every requested day that can run is done");
        assert_eq!(outcome(0, 0, 0, 0), JobOutcome::Completed, "only holidays were requested");
    }

    #[test]
    fn a_job_with_failed_days_is_partial_or_failed() {
        assert_eq!(outcome(1, 1, 0, 0), JobOutcome::Partial);
        assert_eq!(outcome(0, 1, 1, 0), JobOutcome::Partial);
        assert_eq!(outcome(0, 2, 0, 0), JobOutcome::Failed);
    }

    #[test]
    fn a_cancelled_job_is_cancelled_with_any_counts() {
        for (completed, failed) in [(0, 0), (3, 0), (0, 3), (2, 1)] {
            let tally = Tally { completed, failed, ..Tally::default() };

            assert_eq!(tally.outcome(EndCause::Cancelled), JobOutcome::Cancelled, "{tally:?}");
        }
    }

    #[test]
    fn a_job_whose_dates_all_lack_prices_failed() {
        assert_eq!(outcome(0, 0, 0, 4), JobOutcome::Failed);
    }

    #[test]
    fn state_names_read_back() {
        assert_eq!(JobState::parse("downloading_data"), Some(JobState::DownloadingData));
        assert_eq!(JobState::parse("done"), None);
    }
}
