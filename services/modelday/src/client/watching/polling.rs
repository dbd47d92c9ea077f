//! Polling a job's status until it has ended.
//!
//! The status decides. Events only make the next poll come earlier and name the days that failed, so a server without
//! event streams is watched in the same way.

use std::time::Duration;

use contract::kind::MODEL_DAY_FAILED;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::progress::Progress;
use crate::client::http::{Api, ApiError, EventStream, JobStatus, ResponseBody, RetryDeadline, StreamItem};

/// Time between two polls while no event arrives.
const IDLE_INTERVAL: Duration = Duration::from_secs(1);
/// Time between two polls without an event stream, and from an event to the next poll.
const SHORT_INTERVAL: Duration = Duration::from_millis(150);
/// Failed days that are printed as they happen.
const MAX_FAILURES_SHOWN: usize = 5;

/// Polls the job and shows its progress on the terminal.
pub(super) async fn with_progress(api: &Api, job: &str) -> Result<(JobStatus, ResponseBody), ApiError> {
    poll(api, job, Some(Progress::default())).await
}

/// Polls the job and shows nothing.
pub(super) async fn silently(api: &Api, job: &str) -> Result<(JobStatus, ResponseBody), ApiError> {
    poll(api, job, None).await
}

async fn poll(
    api: &Api,
    job: &str,
    mut progress: Option<Progress>,
) -> Result<(JobStatus, ResponseBody), ApiError> {
    let mut events = None;
    let mut streamed = true;
    let mut failed = 0;
    let mut deadline = RetryDeadline::new();
    loop {
        match JobStatus::fetch(api, job).await {
            Ok((status, body)) => {
                deadline.reset();
                if let Some(progress) = &mut progress {
                    progress.show(&status);
                }
                if status.has_ended() {
                    return Ok((status, body));
                }
            }
            Err(error) => {
                if deadline.allow_retry(error)?
                    && let Some(progress) = &progress
                {
                    progress.note("Modelday does not answer; trying for another minute");
                }
            }
        }
        // Only after the first poll: the stream of a job that has ended is not needed.
        let events = events.get_or_insert_with(|| EventStream::open(api, job));
        let mut next_poll = Instant::now() + if streamed { IDLE_INTERVAL } else { SHORT_INTERVAL };
        loop {
            tokio::select! {
                item = events.next(), if streamed => {
                    next_poll = next_poll.min(Instant::now() + SHORT_INTERVAL);
                    match item {
                        Some(StreamItem::Event(event)) if event.kind == MODEL_DAY_FAILED => {
                            failed += 1;
                            if let Some(progress) = &progress {
                                show_failure(progress, &event.data, failed);
                            }
                        }
                        Some(StreamItem::Event(_)) => {}
                        Some(StreamItem::End | StreamItem::Unsupported | StreamItem::Failed(_)) | None => {
                            streamed = false;
                        }
                    }
                },
                () = sleep_until(next_poll) => break,
            }
        }
    }
}

/// Shows the failed day with this event body, the `count`th of the job, unless there were too many.
fn show_failure(progress: &Progress, body: &str, count: usize) {
    if count <= MAX_FAILURES_SHOWN {
        progress.note(&failure(body));
    } else if count == MAX_FAILURES_SHOWN + 1 {
        progress.note("more model-days failed");
    }
}

fn failure(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let key = &body["key"];
    format!("failed: {} on {}: {}", text(&key["model"]), text(&key["trading_date"]), text(&body["error"]))
}

#[cfg(test)]
mod tests {
    use super::failure;

    #[test]
    fn a_failed_day_is_one_line() {
        let fixture =
            include_str!("../../../../../proto-schemas/fixtures/v1/modelday.model_day.failed.v1.json");
        let fixture: serde_json::Value = serde_json::from_str(fixture).unwrap();

        let line = failure(&fixture["body"].to_string());

        assert_eq!(line, "failed: gpt-5 on 2025-10-23: endpoint answered 401 (invalid_api_key)");
    }
}
