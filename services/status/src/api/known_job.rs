//! A job as responses show it.

use axum::http::StatusCode;
use chrono::Utc;
use domain::events::job_view::{JobRequest, JobView, Occurrence, fold};
use domain::job::JobState;
use domain::job::pause::Pause;
use domain::values::ids::JobId;
use runtime::http::Problem;
use serde::Serialize;
use storage::status::{Counts, StoredJob, job_view, pauses_of_jobs};
use utoipa::ToSchema;

use super::format::{instant, seconds};
use super::state::Api;

/// A job: its request, its progress and its state.
pub(super) struct KnownJob {
    pub(super) id: JobId,
    pub(super) requested: JobRequest,
    pub(super) view: JobView,
    pub(super) state: JobState,
    counts: Counts,
    running: u32,
    requested_by: Option<String>,
    cancelled_by: Option<String>,
    pauses: Vec<Pause>,
}

/// Model-days by state; the five add up to the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Progress {
    total_model_days: u64,
    completed: u64,
    failed: u64,
    pending: u64,
    running: u64,
    skipped: u64,
}

/// A job in short: as `GET /jobs` lists it, and as part of its status.
#[derive(Serialize, ToSchema)]
pub(super) struct JobSummary {
    job_id: String,
    status: &'static str,
    /// The job whose failed model-days this one runs again.
    retry_of: Option<String>,
    experiment: String,
    /// Which jobs go first: `low`, `normal` or `high`.
    priority: &'static str,
    progress: Progress,
    models: Vec<String>,
    created_at: String,
    started_at: Option<String>,
    completed_at: Option<String>,
    total_duration_seconds: Option<f64>,
    error: Option<String>,
    warnings: Option<Vec<String>>,
    /// The codes of `warnings`, in their order.
    warning_codes: Option<Vec<String>>,
    /// The name of the API token that started it, or `anonymous`; null when that was not recorded.
    requested_by: Option<String>,
    /// The name of the API token that cancelled it, or `anonymous`.
    cancelled_by: Option<String>,
    /// What is paused that the job waits for; absent when it waits for none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    paused: Vec<PauseDetail>,
}

/// Something paused that a job waits for.
#[derive(Serialize, ToSchema)]
struct PauseDetail {
    /// `model`, `source` or `queue`.
    kind: &'static str,
    name: String,
    /// The reason, as it was given; null without a reason.
    reason: Option<String>,
    /// The name of the API token that paused it, or `anonymous`.
    paused_by: String,
    #[schema(format = DateTime)]
    paused_at: String,
    /// The same in a sentence.
    message: String,
}

impl From<&Pause> for PauseDetail {
    fn from(pause: &Pause) -> Self {
        Self {
            kind: pause.kind.as_str(),
            name: pause.name.clone(),
            reason: pause.reason.clone(),
            paused_by: pause.paused_by.clone(),
            paused_at: instant(pause.paused_at),
            message: format!("waiting: {pause}"),
        }
    }
}

impl KnownJob {
    /// The job with the id of a path; status 404 when no such job was accepted.
    pub(super) async fn load(api: &Api, id: &str) -> Result<Self, Problem> {
        let unknown = || Problem::new(StatusCode::NOT_FOUND, format!("Job {id} not found"));
        let known = job_view(&api.pool, id.parse().map_err(|_| unknown())?).await?;
        Self::of(known.ok_or_else(unknown)?)
    }

    /// Reads what is paused that the jobs wait for.
    pub(super) async fn read_pauses(api: &Api, jobs: &mut [Self]) -> Result<(), Problem> {
        if api.pauses.is_empty() {
            return Ok(());
        }
        let active = jobs.iter().filter(|job| !job.state.is_terminal());
        let active: Vec<JobId> = active.map(|job| job.id).collect();
        let mut pauses = pauses_of_jobs(&api.pool, &active).await?;
        for job in jobs {
            job.pauses = pauses.remove(&job.id).unwrap_or_default();
        }
        Ok(())
    }

    /// The job of a row. Before its first event is projected, the request that the trigger stored is used.
    pub(super) fn of(job: StoredJob) -> Result<Self, Problem> {
        let mut view = job.view;
        if let (None, Some(body)) = (&view.requested, &job.accepted) {
            let kind = contract::kind::JOB_REQUESTED;
            let event = contract::decode_event(kind, body.as_bytes())
                .map_err(|problem| Problem::internal(&problem))?;
            let at = Utc::now();
            fold(&mut view, &Occurrence { event: &event, at, trace_id: None });
        }
        let Some(requested) = view.requested.take() else {
            let cause = std::io::Error::other(format!("job {} has neither request nor acceptance", job.id));
            return Err(Problem::internal(&cause));
        };
        let state = view.shown_state(job.counts.ended());
        Ok(Self {
            id: job.id,
            requested,
            view,
            state,
            counts: job.counts,
            running: job.running,
            requested_by: job.requested_by,
            cancelled_by: job.cancelled_by,
            pauses: Vec::new(),
        })
    }

    /// Model-days by state.
    pub(super) fn progress(&self) -> Progress {
        let (completed, failed) = (u64::from(self.counts.completed), u64::from(self.counts.failed));
        let (skipped, running) = (u64::from(self.counts.skipped), u64::from(self.running));
        let begun = completed + failed + skipped + running;
        let total_model_days = self.requested.total_model_days().max(begun);
        Progress { total_model_days, completed, failed, pending: total_model_days - begun, running, skipped }
    }

    pub(super) fn summary(&self) -> JobSummary {
        let ended = self.view.ended.as_ref().filter(|_| self.state.is_terminal());
        let (warnings, codes): (Vec<String>, Vec<String>) =
            self.view.warnings.iter().map(|warning| (warning.message.clone(), warning.code.clone())).unzip();
        JobSummary {
            job_id: self.id.to_string(),
            status: self.state.as_str(),
            retry_of: self.requested.retry_of.map(|job| job.to_string()),
            experiment: self.requested.experiment.clone(),
            priority: self.requested.options.priority.as_str(),
            progress: self.progress(),
            models: self.requested.models.iter().map(|model| model.signature.clone()).collect(),
            created_at: instant(self.requested.accepted_at),
            started_at: self.view.started_at.map(instant),
            completed_at: ended.map(|ended| instant(ended.at)),
            total_duration_seconds: ended.map(|ended| seconds(self.requested.accepted_at, ended.at)),
            error: ended.and_then(|ended| ended.error.clone()),
            warnings: Some(warnings).filter(|warnings| !warnings.is_empty()),
            warning_codes: Some(codes).filter(|codes| !codes.is_empty()),
            requested_by: self.requested_by.clone(),
            cancelled_by: self.cancelled_by.clone(),
            paused: self.pauses.iter().map(Into::into).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "01990000-0000-7000-8000-000000000001";

    fn stored(accepted: Option<&str>) -> StoredJob {
        StoredJob {
            id: JOB.parse().unwrap(),
            view: JobView::default(),
            counts: Counts { completed: 2, failed: 1, skipped: 1 },
            running: 1,
            last_seq: 0,
            accepted: accepted.map(str::to_owned),
            requested_by: Some("ci".to_owned()),
            cancelled_by: None,
        }
    }

    fn body() -> String {
        format!(
            r#"{{"job": {{"job_id": "{JOB}", "experiment": "default", "models": [
                {{"signature": "m", "initial_cash": "10000", "trials": 2, "start_date": "2025-10-01", "policy": {{"cash": {{}}}}}}],
                "universe": {{"name": "u", "symbols": ["AAPL"]}}, "start_date": "2025-10-01", "end_date": "2025-10-06",
                "accepted_at": "2025-11-07T10:00:00.123456Z"}}}}"#
        )
    }

    #[test]
    fn an_accepted_job_is_shown_before_its_first_event() {
        let job = KnownJob::of(stored(Some(&body()))).ok().unwrap();

        let summary = serde_json::to_value(job.summary()).unwrap();

        assert_eq!(summary["status"], "pending");
        assert_eq!(summary["created_at"], "2025-11-07T10:00:00.123456Z");
        assert_eq!(summary["models"], serde_json::json!(["m"]));
        assert_eq!(summary["warnings"], serde_json::Value::Null);
    }

    #[test]
    fn the_five_numbers_add_up_to_the_total() {
        let progress = KnownJob::of(stored(Some(&body()))).ok().unwrap().progress();

        let expected =
            Progress { total_model_days: 8, completed: 2, failed: 1, pending: 3, running: 1, skipped: 1 };
        assert_eq!(progress, expected);
    }

    #[test]
    fn a_job_without_request_is_an_internal_error() {
        let problem = KnownJob::of(stored(None)).err().unwrap();

        assert_eq!(problem.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
