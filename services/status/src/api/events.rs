//! `GET /jobs/{id}/events` and `GET /events`: the event log, as a stream or in pages.

mod brief;
mod page;
mod query;
mod sse;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use domain::values::ids::JobId;
use messaging::topology;
use runtime::http::{Caller, Params, Problem, ProblemBody};
use storage::status::{
    SelectedEvents, last_position, log_end, log_lacks, selected_events, selected_job_events,
};

use super::state::Api;
use crate::feed::event_stream::{EventStream, Scope};
use page::EventPage;
use query::{EventsQuery, LastEventId};

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
        ("type" = Option<String>, Query, description = "Only events of these types: one, or several between commas. `*` stands for any characters, and `modelday.` at the beginning may be left out: `job.*`."),
        ("model" = Option<String>, Query, description = "Only events of jobs with this model, and of their model-days only those of this model."),
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
    let job: JobId = id.parse().map_err(|_| unknown(&id))?;
    let end = log_end(&api.pool, job).await?.ok_or_else(|| unknown(&id))?;
    let after = query.from(end.last_seq)?;
    if !query.streamed {
        let selected =
            selected_job_events(&api.pool, job, &query.filter, after, query.limit, end.last_seq).await?;
        return paged(&api, &selected, query.is_brief);
    }
    let has_all = async || {
        let next = selected_job_events(&api.pool, job, &query.filter, after, 1, end.last_seq);
        storage::Result::Ok(after == end.last_seq || next.await?.events.is_empty())
    };
    if end.ended && has_all().await? && !log_lacks(&api.pool, job, topology::EVENTS).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    streamed(&api, &caller, Scope::Job(job), after, query)
}

/// The events of all jobs, in the order in which they were logged.
///
/// A stream of server-sent events unless `Accept` names `application/json`: `id` is the event's position, `event`
/// its type, `data` its body. It does not end. A page of selected events may have fewer than there are, or none, and
/// `next_after` then says from where to read on; it stays the same only at the end of the log.
#[utoipa::path(get, path = "/events", operation_id = "events", tag = "events", security(("token" = ["read"])),
    params(
        ("after" = Option<String>, Query, pattern = "^(now|[0-9]{1,18})$", description = "Begin after the event at this position, or with the events from `now` on; 0 when absent."),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most events of a page; 100 when absent."),
        ("type" = Option<String>, Query, description = "Only events of these types: one, or several between commas. `*` stands for any characters, and `modelday.` at the beginning may be left out: `job.*`."),
        ("job_id" = Option<String>, Query, format = "uuid", description = "Only events of this job."),
        ("experiment" = Option<String>, Query, description = "Only events of jobs of this experiment."),
        ("model" = Option<String>, Query, description = "Only events of jobs with this model, and of their model-days only those of this model."),
        ("brief" = Option<bool>, Query, description = "Whether bodies have only `job_id` and, of a model-day, its `key`; false when absent."),
        LastEventId,
    ),
    responses(
        (status = 200, description = "The events.", content((EventPage = "application/json"), (String = "text/event-stream"))),
        (status = 404, description = "No such job was accepted.", body = ProblemBody,
            content_type = "application/problem+json"),
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
    if let Some(job) = query.filter.job {
        log_end(&api.pool, job).await?.ok_or_else(|| unknown(&job.to_string()))?;
    }
    let after = query.from(last_position(&api.pool).await?)?;
    if query.streamed {
        return streamed(&api, &caller, Scope::All, after, query);
    }
    paged(&api, &selected_events(&api.pool, &query.filter, after, query.limit).await?, query.is_brief)
}

fn unknown(job: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("Job {job} not found"))
}

fn streamed(
    api: &Api,
    caller: &Caller,
    scope: Scope,
    after: i64,
    query: EventsQuery,
) -> Result<Response, Problem> {
    let open = api.settings.streams.open(caller)?;
    let events = EventStream::new(api.feed.clone(), scope, query.filter, after, api.settings.heartbeat);
    Ok(sse::response(events, open, query.is_brief))
}

fn paged(api: &Api, selected: &SelectedEvents, is_brief: bool) -> Result<Response, Problem> {
    Ok(Json(EventPage::of(selected, &api.settings.schemas, is_brief)?).into_response())
}
