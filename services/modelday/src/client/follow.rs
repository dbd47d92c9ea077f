//! Looking at a job until it has ended.
//!
//! Its status is what counts; its events only tell when there is something new to see, and what failed. So a
//! Modelday without events, or one whose stream is cut, is followed in the same way, just less promptly.

use std::time::Duration;

use contract::kind::MODEL_DAY_FAILED;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::api::{Answer, Api};
use super::error::ApiError;
use super::events::{Events, Item};
use super::job::JobStatus;
use super::patience::Patience;
use super::progress::Progress;
use super::sse::Message;
use super::watch::look;

/// How often a job is looked at whose events tell when it is worth it.
const CALM: Duration = Duration::from_secs(1);
/// How often otherwise, and at most.
const EAGER: Duration = Duration::from_millis(150);
/// Failed days that are told as they happen.
const TOLD: usize = 5;

/// Follows the job on the terminal.
pub(super) async fn with_progress(api: &Api, job: &str) -> Result<(JobStatus, Answer), ApiError> {
    follow(api, job, Some(Progress::default())).await
}

/// Follows the job and shows nothing of it.
pub(super) async fn silently(api: &Api, job: &str) -> Result<(JobStatus, Answer), ApiError> {
    follow(api, job, None).await
}

async fn follow(api: &Api, job: &str, mut shown: Option<Progress>) -> Result<(JobStatus, Answer), ApiError> {
    let mut events = None;
    let mut streamed = true;
    let mut failed = 0;
    let mut patience = Patience::new();
    loop {
        match look(api, job).await {
            Ok((status, answer)) => {
                patience.heard();
                if let Some(progress) = &mut shown {
                    progress.show(&status);
                }
                if status.has_ended() {
                    return Ok((status, answer));
                }
            }
            Err(problem) => {
                if patience.bear(problem)?
                    && let Some(progress) = &shown
                {
                    progress.note("Modelday does not answer; trying for another minute");
                }
            }
        }
        // Not before the first look: of a job that has ended there is nothing to wait for.
        let events = events.get_or_insert_with(|| Events::of(api, job));
        let mut due = Instant::now() + if streamed { CALM } else { EAGER };
        loop {
            tokio::select! {
                item = events.next(), if streamed => match item {
                    Some(Item::Event(event)) => {
                        due = due.min(Instant::now() + EAGER);
                        if event.kind == MODEL_DAY_FAILED {
                            failed += 1;
                            if let Some(progress) = &shown {
                                tell_failure(progress, &event, failed);
                            }
                        }
                    }
                    Some(Item::End | Item::Absent | Item::Lost(_)) | None => {
                        streamed = false;
                        due = due.min(Instant::now() + EAGER);
                    }
                },
                () = sleep_until(due) => break,
            }
        }
    }
}

/// Tells the `count`th failed day, unless there were many.
fn tell_failure(progress: &Progress, event: &Message, count: usize) {
    if count <= TOLD {
        progress.note(&failure(&event.data));
    } else if count == TOLD + 1 {
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
    fn a_failed_day_is_told_in_a_line() {
        let fixture = include_str!("../../../../proto-schemas/fixtures/v1/modelday.model_day.failed.v1.json");
        let fixture: serde_json::Value = serde_json::from_str(fixture).unwrap();

        let told = failure(&fixture["body"].to_string());

        assert_eq!(told, "failed: gpt-5 on 2025-10-23: endpoint answered 401 (invalid_api_key)");
    }
}
