//! Events in pages: CloudEvents in their JSON form.

use runtime::http::Problem;
use serde::Serialize;
use serde_json::value::RawValue;
use storage::status::FeedEvent;
use utoipa::ToSchema;

use crate::api::instant;
use crate::feed::Scope;

/// A page of events.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventPage {
    count: usize,
    events: Vec<EventDetail>,
    /// What to give as `after` next; as it was when there was nothing.
    next_after: i64,
}

/// An event: its envelope as CloudEvents 1.0 has it, with its places in the log.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
struct EventDetail {
    /// Its place among all events.
    position: i64,
    /// Its number within the job.
    number: i64,
    specversion: &'static str,
    /// Unique together with `source`.
    id: String,
    source: String,
    r#type: String,
    /// The job's id.
    subject: String,
    time: String,
    datacontenttype: &'static str,
    dataschema: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    traceparent: Option<String>,
    /// The body as it was sent.
    #[schema(value_type = Object)]
    data: Box<RawValue>,
}

impl EventPage {
    /// The page after `after`.
    ///
    /// # Errors
    /// When the log holds what is no JSON.
    pub(super) fn of(events: &[FeedEvent], scope: Scope, after: i64) -> Result<Self, Problem> {
        let next_after = events.last().map_or(after, |event| scope.number(event));
        let events: Vec<EventDetail> = events.iter().map(EventDetail::of).collect::<Result<_, _>>()?;
        Ok(Self { count: events.len(), events, next_after })
    }
}

impl EventDetail {
    fn of(event: &FeedEvent) -> Result<Self, Problem> {
        let data =
            RawValue::from_string(event.body.clone()).map_err(|problem| Problem::internal(&problem))?;
        Ok(Self {
            position: event.position,
            number: event.seq,
            specversion: "1.0",
            id: event.id.to_string(),
            source: event.source.clone(),
            r#type: event.kind.clone(),
            subject: event.job_id.to_string(),
            time: instant(event.occurred_at),
            datacontenttype: "application/json",
            dataschema: contract::kind::schema_id(&event.kind),
            traceparent: event.traceparent.clone(),
            data,
        })
    }
}
