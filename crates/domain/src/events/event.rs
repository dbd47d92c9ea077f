//! The events and commands that services send each other, valid by construction.

use chrono::{DateTime, NaiveDate, Utc};

use crate::job::warning::Warning;
use crate::job::{Job, JobOutcome, Tally};
use crate::simulation::model_day::{CompletedDay, FailedDay, SkippedDate};
use crate::values::ids::{JobId, LaneId, ModelDayKey};

/// A public event.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A job was accepted.
    JobRequested(Job),
    /// Prices are missing and will be fetched.
    DownloadStarted(DownloadStarted),
    /// Another symbol is done.
    DownloadProgressed(DownloadProgressed),
    /// These dates can run.
    DataReady(DataReady),
    /// The job waits for the provider's next quota window.
    DataWaiting(DataWaiting),
    /// No date can run.
    DataFailed(DataFailed),
    /// The job's lanes are planned.
    JobStarted(JobStarted),
    /// An attempt of a slow model began.
    ModelDayStarted(ModelDayStarted),
    /// A model-day took effect.
    ModelDayCompleted(Box<CompletedDay>),
    /// A model-day failed.
    ModelDayFailed(FailedDay),
    /// Dates of one portfolio are not run.
    ModelDaysSkipped(DaysSkipped),
    /// The job ended.
    JobEnded(JobEnded),
}

impl Event {
    /// The job this event is about.
    pub fn job(&self) -> JobId {
        match self {
            Self::JobRequested(job) => job.id,
            Self::DownloadStarted(event) => event.job,
            Self::DownloadProgressed(event) => event.job,
            Self::DataReady(event) => event.job.id,
            Self::DataWaiting(event) => event.job,
            Self::DataFailed(event) => event.job.id,
            Self::JobStarted(event) => event.job,
            Self::ModelDayStarted(event) => event.key.job,
            Self::ModelDayCompleted(day) => day.key.job,
            Self::ModelDayFailed(day) => day.key.job,
            Self::ModelDaysSkipped(event) => event.job,
            Self::JobEnded(event) => event.job,
        }
    }
}

/// Prices are missing and will be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadStarted {
    /// The job.
    pub job: JobId,
    /// Symbols that lack prices.
    pub symbols_total: u32,
}

/// How far a download is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadProgressed {
    /// The job.
    pub job: JobId,
    /// Symbols that are done.
    pub symbols_done: u32,
    /// Symbols that lacked prices.
    pub symbols_total: u32,
    /// Calls left in the tightest window of an hour or more; `None` without such a window.
    pub budget_left: Option<u32>,
}

/// These dates can run.
#[derive(Debug, Clone, PartialEq)]
pub struct DataReady {
    /// The job, unchanged.
    pub job: Job,
    /// Ascending.
    pub runnable: Vec<NaiveDate>,
    /// Sessions whose prices are incomplete, and weekdays without a session.
    pub skipped: Vec<SkippedDate>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// The job waits for the provider's next quota window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataWaiting {
    /// The job.
    pub job: JobId,
    /// When the download goes on.
    pub until: DateTime<Utc>,
    /// Symbols that lack prices; 0 in a message that does not say it.
    pub symbols_missing: u32,
    /// In how many windows of the quota they will be there; `None` when that is not known.
    pub windows: Option<u32>,
}

/// No date can run.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFailed {
    /// The job, unchanged.
    pub job: Job,
    /// Why, for people.
    pub error: String,
    /// Sessions whose prices are incomplete, and weekdays without a session.
    pub skipped: Vec<SkippedDate>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

/// A job in short, in events that do not carry the job itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOutline {
    /// Its experiment.
    pub experiment: String,
    /// The signatures of its models.
    pub models: Vec<String>,
    /// First requested date.
    pub start: NaiveDate,
    /// Last requested date, inclusive.
    pub end: NaiveDate,
    /// Who requested it; empty when that was not recorded.
    pub requested_by: String,
}

impl From<&Job> for JobOutline {
    fn from(job: &Job) -> Self {
        Self {
            experiment: job.experiment.clone(),
            models: job.models.iter().map(|model| model.signature.clone()).collect(),
            start: job.start,
            end: job.end,
            requested_by: job.requested_by.clone(),
        }
    }
}

/// The job's lanes are planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStarted {
    /// The job.
    pub job: JobId,
    /// How many portfolios have days to run.
    pub lanes: u32,
    /// How many model-days will be run.
    pub model_days: u32,
    /// The job in short; `None` in a message of a version that did not say it.
    pub outline: Option<JobOutline>,
}

/// An attempt of a slow model began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelDayStarted {
    /// Which model-day.
    pub key: ModelDayKey,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// When it began.
    pub started_at: DateTime<Utc>,
}

/// Dates of one portfolio are not run; at most [`DaysSkipped::MAX_DATES`] in one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaysSkipped {
    /// The job.
    pub job: JobId,
    /// The portfolio's experiment.
    pub experiment: String,
    /// The portfolio's model.
    pub model: String,
    /// The portfolio's trial.
    pub trial: u32,
    /// The dates with their reasons.
    pub dates: Vec<SkippedDate>,
}

impl DaysSkipped {
    /// Dates in one event at most.
    pub const MAX_DATES: usize = 1_000;
}

/// The job's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEnded {
    /// The job.
    pub job: JobId,
    /// How it ended.
    pub outcome: JobOutcome,
    /// How its model-days ended.
    pub tally: Tally,
    /// Why it failed.
    pub error: Option<String>,
    /// All warnings of the job.
    pub warnings: Vec<Warning>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// The job in short; `None` in a message of a version that did not say it.
    pub outline: Option<JobOutline>,
}

/// `lane.continue`: take this turn of this lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneContinue {
    /// The lane.
    pub lane: LaneId,
    /// The turn; any other is over.
    pub turn: u32,
}

/// `job.cancel`: end this job now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCancel {
    /// The job.
    pub job: JobId,
    /// Why, for people; may be empty.
    pub reason: String,
}
