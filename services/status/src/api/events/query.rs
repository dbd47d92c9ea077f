//! What a request for events selects: where to begin, which events, in which form.

use axum::http::{HeaderMap, StatusCode, header};
use domain::job::request::ValidationError;
use runtime::http::{Params, Problem};
use storage::status::EventFilter;
use utoipa::IntoParams;

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
pub(super) struct LastEventId {
    /// Like `after`, which it overrides: browsers send it when they reconnect.
    #[param(rename = "Last-Event-ID", required = false, pattern = "^([0-9]{1,18}| *)$")]
    last_event_id: String,
}

/// The parameters of the request.
pub(super) struct EventsQuery {
    after: After,
    pub(super) limit: i64,
    pub(super) streamed: bool,
    /// Whether bodies are cut to what they are about.
    pub(super) is_brief: bool,
    pub(super) filter: EventFilter,
}

impl EventsQuery {
    pub(super) fn read(mut params: Params, headers: &HeaderMap) -> Result<Self, Problem> {
        let text = "'now' or a whole number from 0, such as the id of an event";
        let after = params.read("after", "value_error", text, after);
        let limit = params.number("limit", 1, MAX_PAGE).unwrap_or(DEFAULT_PAGE);
        let is_brief = params.choice("brief", &[("true", true), ("false", false)]).unwrap_or_default();
        let filter = EventFilter {
            kinds: params.read(
                "type",
                "value_error",
                "types of events, such as job.* or data.ready.v1",
                kinds,
            ),
            job: params.read("job_id", "uuid_parsing", "the id of a job", |text| text.parse().ok()),
            experiment: params.filter("experiment"),
            model: params.filter("model"),
        };
        params.finish()?;
        let after = last_event_id(headers)?.map(After::Number).or(after).unwrap_or(After::Number(0));
        Ok(Self { after, limit, streamed: accepts_stream(headers), is_brief, filter })
    }

    /// The number to begin after; `last` is that of the latest event. Status 409 for a later number: the log was
    /// reset, so that the client would miss events.
    pub(super) fn from(&self, last: i64) -> Result<i64, Problem> {
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

/// The types that patterns between commas select; `None` when one of them selects none.
fn kinds(text: &str) -> Option<Vec<&'static str>> {
    let mut kinds = Vec::new();
    for pattern in text.split(',').map(str::trim) {
        let selected = contract::kind::matching(pattern);
        if selected.is_empty() {
            return None;
        }
        kinds.extend(selected);
    }
    kinds.sort_unstable();
    kinds.dedup();
    Some(kinds)
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
    fn types_are_patterns_between_commas() {
        use contract::kind::{DATA_READY, JOB_FAILED, MODEL_DAY_FAILED};

        assert_eq!(kinds("data.ready.v1").unwrap(), [DATA_READY]);
        assert_eq!(
            kinds("modelday.model_day.failed.v1, *y.v1,*.ready.*,job.f*").unwrap(),
            [DATA_READY, JOB_FAILED, MODEL_DAY_FAILED]
        );
        for wrong in ["", "job", "job.*,", "jobs.*", "job.*,data.raedy.v1"] {
            assert_eq!(kinds(wrong), None, "{wrong:?}");
        }
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
