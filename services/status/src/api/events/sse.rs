//! Server-sent events, as the HTML standard defines them.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse as _, Response};
use futures::{StreamExt as _, future, stream};
use runtime::http::OpenStream;
use storage::status::FeedEvent;

use super::brief::body;
use crate::feed::event_stream::{EventStream, Scope, StreamItem};

/// Comes first: milliseconds after which a disconnected browser reconnects.
const RETRY: &str = "retry: 1000\n\n";
/// A comment, which clients skip.
const HEARTBEAT: &str = ":\n\n";
/// Tells proxies such as nginx to forward each event at once.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The response that sends the items of `events` as they come.
pub(super) fn response(events: EventStream, open: OpenStream, is_brief: bool) -> Response {
    let texts = stream::unfold((events, open), move |(mut events, open)| async move {
        let text = match events.next().await? {
            StreamItem::Events(batch) => {
                let mut text = String::new();
                for event in &batch {
                    write(&mut text, events.scope(), event, is_brief);
                }
                text
            }
            StreamItem::Heartbeat => HEARTBEAT.to_owned(),
        };
        Some((text, (events, open)))
    });
    let chunks = stream::once(future::ready(RETRY.to_owned())).chain(texts).map(Ok::<_, Infallible>);
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (X_ACCEL_BUFFERING, "no")];
    (headers, Body::from_stream(chunks)).into_response()
}

fn write(text: &mut String, scope: Scope, event: &FeedEvent, is_brief: bool) {
    text.push_str(&format!("id: {}\nevent: {}\n", scope.number(event), event.kind));
    // A line break would end the field. In JSON it is white space, so that any break may replace it.
    for line in body(event, is_brief).split(['\r', '\n']) {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use domain::values::ids::JobId;

    use super::*;

    #[test]
    fn an_event_is_its_number_its_type_and_its_body() {
        let event = event();
        let (mut all, mut one) = (String::new(), String::new());

        write(&mut all, Scope::All, &event, false);
        write(&mut one, Scope::Job(JobId(event.job_id)), &event, false);

        let rest = "event: modelday.job.started.v1\ndata: {\ndata: \"a\":\ndata: 1}\n\n";
        assert_eq!(all, format!("id: 7\n{rest}"));
        assert_eq!(one, format!("id: 3\n{rest}"));
    }

    #[test]
    fn a_brief_event_says_only_what_it_is_about() {
        let mut event = event();
        event.body = r#"{"key": {"model": "m", "trial": 1}, "trades": [{"price": "1"}]}"#.to_owned();
        let mut text = String::new();

        write(&mut text, Scope::All, &event, true);

        let data = format!(r#"{{"job_id":"{}","key":{{"model": "m", "trial": 1}}}}"#, event.job_id);
        assert!(text.ends_with(&format!("data: {data}\n\n")), "{text}");
    }

    fn event() -> FeedEvent {
        FeedEvent {
            position: 7,
            job_id: uuid::Uuid::nil(),
            seq: 3,
            source: "/modelday/executor".to_owned(),
            id: uuid::Uuid::nil(),
            kind: "modelday.job.started.v1".to_owned(),
            occurred_at: chrono::DateTime::UNIX_EPOCH,
            traceparent: None,
            body: "{\r\"a\":\n1}".to_owned(),
            ends_job: false,
        }
    }
}
