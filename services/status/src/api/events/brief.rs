//! The bodies of events cut to what they are about, for clients that only want to know what changed.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use storage::status::FeedEvent;
use uuid::Uuid;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    key: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Brief<'a> {
    job_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a RawValue>,
}

/// The body of an event; with `is_brief` only the job's id and, of a model-day, its key.
pub(super) fn body(event: &FeedEvent, is_brief: bool) -> Cow<'_, str> {
    if !is_brief {
        return Cow::Borrowed(&event.body);
    }
    let key = serde_json::from_str::<Body<'_>>(&event.body).ok().and_then(|body| body.key);
    let brief = serde_json::to_string(&Brief { job_id: event.job_id, key });
    brief.map_or(Cow::Borrowed(&event.body), Cow::Owned)
}
