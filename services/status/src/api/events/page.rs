//! A page of events: CloudEvents in their JSON form.

use contract::schema::SchemaLocation;
use runtime::http::Problem;
use serde::Serialize;
use serde_json::value::RawValue;
use storage::status::{FeedEvent, SelectedEvents};
use utoipa::ToSchema;

use super::brief::body;
use crate::api::format::instant;

/// A page of events.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventPage {
    count: usize,
    events: Vec<EventDetail>,
    /// The value of `after` for the next page; unchanged at the end of the log.
    next_after: i64,
}

/// An event: its CloudEvents 1.0 attributes, and its positions in the log.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
struct EventDetail {
    /// Its position among all events.
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
    /// The body as it was sent, or cut.
    #[schema(value_type = Object)]
    data: Box<RawValue>,
}

impl EventPage {
    /// The page of these events. Status 500 when a logged body is not JSON.
    pub(super) fn of(
        selected: &SelectedEvents,
        schemas: &SchemaLocation,
        is_brief: bool,
    ) -> Result<Self, Problem> {
        let detail = |event| EventDetail::of(event, schemas, is_brief);
        let events: Vec<EventDetail> = selected.events.iter().map(detail).collect::<Result<_, _>>()?;
        Ok(Self { count: events.len(), events, next_after: selected.through })
    }
}

impl EventDetail {
    fn of(event: &FeedEvent, schemas: &SchemaLocation, is_brief: bool) -> Result<Self, Problem> {
        let data = RawValue::from_string(body(event, is_brief).into_owned())
            .map_err(|problem| Problem::internal(&problem))?;
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
            dataschema: schemas.id(&event.kind),
            traceparent: event.traceparent.clone(),
            data,
        })
    }
}
