//! The view of a job: a fold over its events. The order of the events, and how often each arrives, do not matter,
//! since every rule here is a maximum, a minimum or a union.
//!
//! Model-days are folded apart ([`days`]), since there are many of them and the view has to stay small.

pub mod days;
mod job_request;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::events::event::{DataWaiting, DownloadProgressed, Event, JobEnded};
use crate::ingest::outlook::Outlook;
use crate::job::warning::Warning;
use crate::job::{JobOutcome, JobState, Tally};

pub use job_request::{JobRequest, RequestedDay, RequestedModel};

/// An event with the data of its envelope.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence<'a> {
    /// What happened.
    pub event: &'a Event,
    /// When its producer wrote it.
    pub at: DateTime<Utc>,
    /// Id of the trace in which it was written, if any.
    pub trace_id: Option<&'a str>,
}

/// All that is known about a job, except its model-days. Empty until its first event arrives.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobView {
    /// The request.
    pub requested: Option<JobRequest>,
    /// The trace that began with the request.
    pub trace_id: Option<String>,
    /// The furthest of the states that are not terminal.
    pub reached: Phase,
    /// When work began: the download, the plan of the lanes, or the first attempt of a day.
    pub started_at: Option<DateTime<Utc>>,
    /// How far the download came; `None` when nothing had to be fetched.
    pub download: Option<Download>,
    /// Until when the job waits, or waited, for the provider's quota.
    pub waiting_until: Option<DateTime<Utc>>,
    /// What was missing when it began to wait, and when it will be there.
    pub outlook: Option<Outlook>,
    /// Whether the download has ended, with or without all prices.
    pub data_settled: bool,
    /// What the user should know, each once.
    pub warnings: Vec<Warning>,
    /// The size of the executor's plan.
    pub planned: Option<PlanSize>,
    /// The job's end.
    pub ended: Option<JobEnd>,
}

/// How far a job that has not ended is, in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Accepted.
    #[default]
    Pending,
    /// Prices were fetched.
    DownloadingData,
    /// Model-days were run.
    Running,
}

impl From<Phase> for JobState {
    fn from(reached: Phase) -> Self {
        match reached {
            Phase::Pending => Self::Pending,
            Phase::DownloadingData => Self::DownloadingData,
            Phase::Running => Self::Running,
        }
    }
}

/// How far a download came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Download {
    /// Symbols that lacked prices.
    pub symbols_total: u32,
    /// Symbols that are done.
    pub symbols_done: u32,
    /// Calls left at that moment.
    pub budget_left: Option<u32>,
}

/// The size of the executor's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlanSize {
    /// Portfolios with days to run.
    pub lanes: u32,
    /// Days to run.
    pub model_days: u32,
}

/// The job's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEnd {
    /// How it ended.
    pub outcome: JobOutcome,
    /// How its model-days ended.
    pub tally: Tally,
    /// Why it failed.
    pub error: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Adds one event to what is known of its job.
pub fn fold(view: &mut JobView, occurrence: &Occurrence<'_>) {
    match occurrence.event {
        Event::JobRequested(job) => {
            view.request(JobRequest::from(job));
            let unknown = job.unknown_fields.iter().map(|name| Warning::unknown_field(name));
            view.warn(&unknown.collect::<Vec<_>>());
            view.trace_id = view.trace_id.take().or_else(|| occurrence.trace_id.map(str::to_owned));
        }
        Event::DownloadStarted(event) => {
            view.begin(Phase::DownloadingData, occurrence.at);
            let total = event.symbols_total;
            view.progress(Download { symbols_total: total, symbols_done: 0, budget_left: None });
        }
        Event::DownloadProgressed(event) => {
            view.begin(Phase::DownloadingData, occurrence.at);
            let DownloadProgressed { symbols_total, symbols_done, budget_left, .. } = *event;
            view.progress(Download { symbols_total, symbols_done, budget_left });
        }
        Event::DataReady(event) => {
            view.request(JobRequest::from(&event.job));
            view.data_settled = true;
            view.warn(&event.warnings);
        }
        Event::DataWaiting(event) => {
            let DataWaiting { until, symbols_missing, windows, .. } = *event;
            view.waiting_until = view.waiting_until.max(Some(until));
            if symbols_missing > 0 {
                let outlook = Outlook { until, symbols_missing, windows };
                view.outlook = Some(view.outlook.map_or(outlook, |known| known.later(outlook)));
            }
        }
        Event::DataFailed(event) => {
            view.request(JobRequest::from(&event.job));
            view.data_settled = true;
            view.warn(&event.warnings);
        }
        Event::JobStarted(event) => {
            view.begin(Phase::Running, occurrence.at);
            let planned = PlanSize { lanes: event.lanes, model_days: event.model_days };
            view.planned = view.planned.max(Some(planned));
        }
        Event::ModelDayStarted(event) => view.begin(Phase::Running, event.started_at),
        Event::ModelDayCompleted(day) => view.begin(Phase::Running, day.started_at),
        Event::ModelDayFailed(day) => view.begin(Phase::Running, day.started_at),
        // A skipped day does not show that work has begun.
        Event::ModelDaysSkipped(_) => {}
        Event::JobEnded(event) => {
            view.warn(&event.warnings);
            view.end(event);
        }
    }
}

impl JobView {
    /// The state to show when `ended_days` model-days of the job are known to have ended. It is terminal only when the
    /// job's end is known *and* all the model-days in its tally have ended.
    pub fn shown_state(&self, ended_days: u32) -> JobState {
        match &self.ended {
            Some(ended) if ended_days >= ended.tally.days() => ended.outcome.into(),
            Some(_) | None => self.reached.into(),
        }
    }

    /// Until when the job waits at `now`; `None` when it does not.
    pub fn waits_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let over = self.data_settled || self.reached == Phase::Running || self.ended.is_some();
        self.waiting_until.filter(|until| !over && *until > now)
    }

    fn request(&mut self, requested: JobRequest) {
        self.requested.get_or_insert(requested);
    }

    fn begin(&mut self, reached: Phase, at: DateTime<Utc>) {
        self.reached = self.reached.max(reached);
        self.started_at = Some(self.started_at.map_or(at, |earlier| earlier.min(at)));
    }

    fn progress(&mut self, seen: Download) {
        let known = self.download.unwrap_or_default();
        // The calls left are those of the furthest report. Of two equally far ones the later has fewer calls left.
        let budget_left = match seen.symbols_done.cmp(&known.symbols_done) {
            std::cmp::Ordering::Less => known.budget_left,
            std::cmp::Ordering::Greater => seen.budget_left,
            std::cmp::Ordering::Equal => seen.budget_left.into_iter().chain(known.budget_left).min(),
        };
        self.download = Some(Download {
            symbols_total: known.symbols_total.max(seen.symbols_total),
            symbols_done: known.symbols_done.max(seen.symbols_done),
            budget_left,
        });
    }

    fn warn(&mut self, warnings: &[Warning]) {
        for warning in warnings {
            let same = |known: &&mut Warning| known.code == warning.code && known.message == warning.message;
            match self.warnings.iter_mut().find(same) {
                Some(known) => merge(known, warning),
                None => {
                    let mut first = Warning::new(&warning.code, warning.message.clone(), 0);
                    merge(&mut first, warning);
                    self.warnings.push(first);
                }
            }
        }
        self.warnings.sort_by(|a, b| {
            (place(&a.code), &a.code, &a.message).cmp(&(place(&b.code), &b.code, &b.message))
        });
    }

    fn end(&mut self, event: &JobEnded) {
        let ended = JobEnd {
            outcome: event.outcome,
            tally: event.tally,
            error: event.error.clone(),
            at: event.ended_at,
        };
        match &self.ended {
            Some(known) if known.at <= ended.at => {}
            Some(_) | None => self.ended = Some(ended),
        }
    }
}

fn merge(known: &mut Warning, other: &Warning) {
    known.symbols.extend_from_slice(&other.symbols);
    known.symbols.sort();
    known.symbols.dedup();
    known.dates.extend_from_slice(&other.dates);
    known.dates.sort();
    known.dates.dedup();
    known.count = known.count.max(other.count);
}

/// The place of a warning: warnings are shown in the order of the steps of a job that produce them.
fn place(code: &str) -> usize {
    use crate::job::warning::code as codes;
    let order = [
        codes::UNKNOWN_FIELD,
        codes::PROVIDER_REFUSED,
        codes::RATE_LIMITED,
        codes::SYMBOLS_FAILED,
        codes::SYMBOLS_UNAVAILABLE,
        codes::ROWS_REJECTED,
        codes::PRICE_REVISED,
        codes::MARKET_CLOSED,
        codes::DATES_SKIPPED,
        codes::PRICES_MISSING,
        codes::SPLIT_SUSPECTED,
        codes::TOTAL_RETURN_PRICES,
        codes::DAYS_ENDED_ODDLY,
        codes::ALREADY_COMPLETED,
        codes::CONFIG_CHANGED,
        codes::STALE_DAYS,
    ];
    order.iter().position(|known| *known == code).unwrap_or(order.len())
}
