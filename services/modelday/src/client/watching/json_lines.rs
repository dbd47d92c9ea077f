//! A job's events as lines of JSON, for programs.

use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::sleep;

use super::polling::silently;
use crate::client::http::{Api, Event, EventStream, JobStatus, ResponseBody, RetryDeadline, StreamItem};
use crate::terminal::output::print_json;

/// Time between two polls of the status when the server has no event streams.
const POLL_INTERVAL: Duration = Duration::from_millis(150);

#[derive(Serialize)]
struct EventLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    event: &'a str,
    data: Box<RawValue>,
}

/// Prints every event of the job; from a server without event streams, the status whenever it changes.
pub(super) async fn print(api: &Api, job: &str) -> anyhow::Result<(JobStatus, ResponseBody)> {
    let mut events = EventStream::open(api, job);
    loop {
        match events.next().await {
            Some(StreamItem::Event(Event { id, kind, data })) => {
                print_json(&line(id.as_deref(), &kind, &data)?)?;
            }
            // The stream ends after the job has, so the first poll returns.
            Some(StreamItem::End) => return Ok(silently(api, job).await?),
            Some(StreamItem::Failed(error)) => return Err(error.into()),
            Some(StreamItem::Unsupported) | None => return print_statuses(api, job).await,
        }
    }
}

fn line(id: Option<&str>, kind: &str, data: &str) -> serde_json::Result<String> {
    // JSON allows a line feed only between two tokens, where a space means the same.
    let data = RawValue::from_string(data.replace('\n', " "))?;
    let id = id.and_then(|id| id.parse().ok());
    serde_json::to_string(&EventLine { id, event: kind, data })
}

async fn print_statuses(api: &Api, job: &str) -> anyhow::Result<(JobStatus, ResponseBody)> {
    let mut deadline = RetryDeadline::new();
    let mut printed = String::new();
    loop {
        match JobStatus::fetch(api, job).await {
            Ok((status, body)) => {
                deadline.reset();
                if body.text != printed {
                    print_json(&body.text)?;
                    printed.clone_from(&body.text);
                }
                if status.has_ended() {
                    return Ok((status, body));
                }
            }
            Err(error) => {
                deadline.allow_retry(error)?;
            }
        }
        sleep(POLL_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line_that_keeps_every_digit_of_its_body() {
        let line = line(Some("7"), "modelday.job.completed.v1", "{\"cash\":\n0.10}");

        assert_eq!(line.unwrap(), r#"{"id":7,"event":"modelday.job.completed.v1","data":{"cash": 0.10}}"#);
    }
}
