//! A job's events as lines of JSON, for programs.

use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::sleep;

use super::api::{Answer, Api};
use super::events::{Events, Item};
use super::follow::silently;
use super::job::JobStatus;
use super::output::print_line;
use super::patience::Patience;
use super::sse::Message;
use super::watch::look;

/// How often a job without events is looked at.
const EVERY: Duration = Duration::from_millis(150);

/// An event as a line.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    event: &'a str,
    data: Box<RawValue>,
}

/// Prints the job's events until the last; where there are none to be had, its status whenever it changes.
pub(super) async fn print(api: &Api, job: &str) -> anyhow::Result<(JobStatus, Answer)> {
    let mut events = Events::of(api, job);
    loop {
        match events.next().await {
            Some(Item::Event(event)) => print_line(&line(&event)?)?,
            // The events end when the status has, so this is no wait.
            Some(Item::End) => return Ok(silently(api, job).await?),
            Some(Item::Lost(problem)) => return Err(problem.into()),
            Some(Item::Absent) | None => return statuses(api, job).await,
        }
    }
}

fn line(event: &Message) -> serde_json::Result<String> {
    // A line end between two values is as good as a space.
    let data = RawValue::from_string(event.data.replace('\n', " "))?;
    let id = event.id.as_ref().and_then(|id| id.parse().ok());
    serde_json::to_string(&Line { id, event: &event.kind, data })
}

async fn statuses(api: &Api, job: &str) -> anyhow::Result<(JobStatus, Answer)> {
    let mut patience = Patience::new();
    let mut before = String::new();
    loop {
        match look(api, job).await {
            Ok((status, answer)) => {
                patience.heard();
                if answer.text != before {
                    print_line(&answer.text)?;
                    before.clone_from(&answer.text);
                }
                if status.has_ended() {
                    return Ok((status, answer));
                }
            }
            Err(problem) => {
                patience.bear(problem)?;
            }
        }
        sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line_with_its_body_to_the_letter() {
        let event = Message {
            id: Some("7".to_owned()),
            kind: "modelday.job.completed.v1".to_owned(),
            data: "{\"cash\":\n0.10}".to_owned(),
        };

        assert_eq!(
            line(&event).unwrap(),
            r#"{"id":7,"event":"modelday.job.completed.v1","data":{"cash": 0.10}}"#
        );
    }
}
