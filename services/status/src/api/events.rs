//! `GET /jobs/{id}/events` and `GET /events`: the event log, as a stream or in pages.

mod brief;
mod page;
mod sse;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::job::request::ValidationError;
use domain::values::ids::JobId;
use messaging::topology;
use runtime::http::{Caller, Params, Problem, ProblemBody};
use storage::status::{FeedEvent, events_after, job_events_after, last_position, log_end, log_lacks};
use utoipa::IntoParams;

use super::state::Api;
use crate::feed::event_stream::{EventStream, Scope};
use page::EventPage;

/// Header by which a client says which event it has seen last.
const LAST_EVENT_ID: &str = "last-event-id";
/// Events of a page by default.
const DEFAULT_PAGE: i64 = 100;
/// Most events of a page.
const MAX_PAGE: i64 = 1_000;

/// The event to begin after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// The event with this number.
    Number(i64),
    /// The latest event.
    Now,
}

/// The header of a client that reconnects.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what `last_event_id` reads")]
struct LastEventId {
    /// Like `after`, which it overrides: browsers send it when they reconnect.
    #[param(rename = "Last-Event-ID", required = false, pattern = "^([0-9]{1,18}| *)$")]
    last_event_id: String,
}

/// The parameters of the request, without the job.
struct EventsQuery {
    after: After,
    limit: i64,
    streamed: bool,
    /// Whether bodies are cut to what they are about.
    is_brief: bool,
}

impl EventsQuery {
    fn read(mut params: Params, headers: &HeaderMap) -> Result<Self, Problem> {
        let text = "'now' or a whole number from 0, such as the id of an event";
        let after = params.read("after", "value_error", text, after);
        let limit = params.number("limit", 1, MAX_PAGE).unwrap_or(DEFAULT_PAGE);
        let is_brief = params.choice("brief", &[("true", true), ("false", false)]).unwrap_or_default();
        params.finish()?;
        let after = last_event_id(headers)?.map(After::Number).or(after).unwrap_or(After::Number(0));
        Ok(Self { after, limit, streamed: accepts_stream(headers), is_brief })
    }

    /// The number to begin after; `last` is that of the latest event. Status 409 for a later number: the log was
    /// reset, so that the client would miss events.
    fn from(&self, last: i64) -> Result<i64, Problem> {
        match self.after {
            After::Now => Ok(last),
            After::Number(number) if number <= last => Ok(number),
            After::Number(number) => {
                let detail =
                    format!("There are events up to {last} only, and none {number}; begin again after 0");
                Err(Problem::new(StatusCode::CONFLICT, detail))
            }
        }
    }
}

fn after(text: &str) -> Option<After> {
    if text == "now" { Some(After::Now) } else { number(text).map(After::Number) }
}

/// A whole number from 0 in plain digits.
fn number(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The number of the last event that a reconnecting client has seen.
fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let text = String::from_utf8_lossy(value.as_bytes());
    match number(&text) {
        Some(number) => Ok(Some(number)),
        // A client that has seen no event yet may send the header all the same.
        None if text.trim().is_empty() => Ok(None),
        None => Err(Problem::validation(vec![ValidationError {
            kind: "int_parsing",
            loc: vec!["header".into(), "Last-Event-ID".into()],
            msg: "Input should be the id of an event".to_owned(),
            input: text.into(),
        }])),
    }
}

/// Whether the client accepts a stream; not when `Accept` names only JSON.
fn accepts_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accepted = accepted.collect::<Vec<_>>().join(",").to_ascii_lowercase();
    accepted.contains("text/event-stream") || !accepted.contains("application/json")
}

/// The events of a job, from the first on.
///
/// A stream of server-sent events unless `Accept` names `application/json`: `id` is the event's number within the
/// job, without gaps, `event` its type, `data` its body. It ends with the job; for an ended job without further events the
/// response is 204.
#[utoipa::path(get, path = "/jobs/{job_id}/events", operation_id = "job_events", tag = "events", security(("token" = ["read"])),
    params(
        ("job_id" = String, Path, description = "The job."),
        ("after" = Option<String>, Query, pattern = "^(now|[0-9]{1,18})$", description = "Begin after the event of this number, or with the events from `now` on; 0 when absent."),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most events of a page; 100 when absent."),
        ("brief" = Option<bool>, Query, description = "Whether bodies have only `job_id` and, of a model-day, its `key`; false when absent."),
        LastEventId,
    ),
    responses(
        (status = 200, description = "The events.", content((EventPage = "application/json"), (String = "text/event-stream"))),
        (status = 204, description = "The job has ended, and there are no more."),
        (status = 404, description = "No such job was accepted.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "There is no event of that number yet.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn of_job(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    let query = EventsQuery::read(params, &headers)?;
    let unknown = || Problem::new(StatusCode::NOT_FOUND, format!("Job {id} not found"));
    let job: JobId = id.parse().map_err(|_| unknown())?;
    let end = log_end(&api.pool, job).await?.ok_or_else(unknown)?;
    let after = query.from(end.last_seq)?;
    if !query.streamed {
        let events = job_events_after(&api.pool, job, after, query.limit).await?;
        return paged(&events, Scope::Job(job), after, query.is_brief);
    }
    let has_all = end.ended && after == end.last_seq;
    if has_all && !log_lacks(&api.pool, job, topology::EVENTS).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    streamed(&api, &caller, Scope::Job(job), after, query.is_brief)
}

/// The events of all jobs, in the order in which they were logged.
///
/// A stream of server-sent events unless `Accept` names `application/json`: `id` is the event's position, `event`
/// its type, `data` its body. It does not end.
#[utoipa::path(get, path = "/events", operation_id = "events", tag = "events", security(("token" = ["read"])),
    params(
        ("after" = Option<String>, Query, pattern = "^(now|[0-9]{1,18})$", description = "Begin after the event at this position, or with the events from `now` on; 0 when absent."),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most events of a page; 100 when absent."),
        ("brief" = Option<bool>, Query, description = "Whether bodies have only `job_id` and, of a model-day, its `key`; false when absent."),
        LastEventId,
    ),
    responses(
        (status = 200, description = "The events.", content((EventPage = "application/json"), (String = "text/event-stream"))),
        (status = 409, description = "There is no event at that position yet.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn of_all(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    let query = EventsQuery::read(params, &headers)?;
    let after = query.from(last_position(&api.pool).await?)?;
    if query.streamed {
        return streamed(&api, &caller, Scope::All, after, query.is_brief);
    }
    paged(&events_after(&api.pool, after, query.limit).await?, Scope::All, after, query.is_brief)
}

fn streamed(
    api: &Api,
    caller: &Caller,
    scope: Scope,
    after: i64,
    is_brief: bool,
) -> Result<Response, Problem> {
    let open = api.settings.streams.open(caller)?;
    let events = EventStream::new(api.feed.clone(), scope, after, api.settings.heartbeat);
    Ok(sse::response(events, open, is_brief))
}

fn paged(events: &[FeedEvent], scope: Scope, after: i64, is_brief: bool) -> Result<Response, Problem> {
    Ok(Json(EventPage::of(events, scope, after, is_brief)?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(accept: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        accepts_stream(&headers)
    }

    #[test]
    fn events_are_streamed_unless_only_json_is_accepted() {
        assert!(accepts_stream(&HeaderMap::new()));
        assert!(accepting("*/*"));
        assert!(accepting("text/event-stream"));
        assert!(accepting("application/json, text/event-stream"));
        assert!(!accepting("application/json"));
        assert!(!accepting("Application/JSON; charset=utf-8, text/html"));
    }

    #[test]
    fn the_parameter_after_is_now_or_a_number() {
        assert_eq!(after("now"), Some(After::Now));
        assert_eq!(after("17"), Some(After::Number(17)));
        for wrong in ["", "-1", "+1", "1.0", "Now", "99999999999999999999"] {
            assert_eq!(after(wrong), None, "{wrong:?}");
        }
    }
}
