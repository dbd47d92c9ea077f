//! Every message type has a committed example, which this version reads and would write.

use chrono::DateTime;
use contract::{
    decode_event, decode_job_cancel, decode_lane_continue, encode_event, encode_job_cancel,
    encode_lane_continue, kind,
};
use domain::events::event::Event;
use domain::job::OnFailure;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixture::Fixture;

fn event(kind: &str, body: &Value) -> Event {
    decode_event(kind, body.to_string().as_bytes()).unwrap_or_else(|problem| panic!("{kind}: {problem}"))
}

/// Decodes a body and writes it again.
fn rewritten(kind: &str, body: &Value) -> Value {
    let bytes = body.to_string().into_bytes();
    let text = match kind {
        kind::LANE_CONTINUE => encode_lane_continue(&decode_lane_continue(&bytes).unwrap()).unwrap(),
        kind::JOB_CANCEL => encode_job_cancel(&decode_job_cancel(&bytes).unwrap()).unwrap(),
        _ => encode_event(&event(kind, body)).unwrap(),
    };
    serde_json::from_str(&text).unwrap()
}

/// `value` with a field that no version knows in every object.
fn with_unknown_fields(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let known = fields.iter().map(|(name, value)| (name.clone(), with_unknown_fields(value)));
            known.chain([("from_the_future".to_owned(), json!({"nested": [1, "x", null]}))]).collect()
        }
        Value::Array(list) => list.iter().map(with_unknown_fields).collect(),
        scalar => scalar.clone(),
    }
}

/// The fixture's event after its body was changed at `pointer`.
fn changed(kind: &str, pointer: &str, value: Value) -> Event {
    let mut body = Fixture::of(kind).body;
    *body.pointer_mut(pointer).unwrap() = value;
    event(kind, &body)
}

#[test]
fn every_message_type_has_a_fixture_and_every_fixture_a_type() {
    let mut kinds = [kind::EVENTS.as_slice(), kind::COMMANDS.as_slice()].concat();
    kinds.sort_unstable();

    assert_eq!(Fixture::kinds(), kinds);
}

#[test]
fn every_fixture_is_read_and_would_be_written_again() {
    for kind in Fixture::kinds() {
        let body = Fixture::of(&kind).body;
        assert_eq!(rewritten(&kind, &body), body, "{kind}");
    }
}

#[test]
fn an_event_knows_its_type() {
    for kind in kind::EVENTS {
        assert_eq!(kind::of(&event(kind, &Fixture::of(kind).body)), kind);
    }
}

#[test]
fn unknown_fields_are_ignored_at_any_depth() {
    for kind in Fixture::kinds() {
        let body = Fixture::of(&kind).body;
        assert_eq!(rewritten(&kind, &with_unknown_fields(&body)), body, "{kind}");
    }
}

#[test]
fn an_option_from_the_future_is_read_as_its_default() {
    let event = changed(kind::JOB_REQUESTED, "/job/options/on_failure", json!("ON_FAILURE_ASK_THE_USER"));

    let Event::JobRequested(job) = event else { panic!("{event:?}") };
    assert_eq!(job.options.on_failure, OnFailure::Continue);
}

#[test]
fn an_enum_value_may_be_written_as_its_number() {
    let event = changed(kind::JOB_REQUESTED, "/job/options/on_failure", json!(2));

    let Event::JobRequested(job) = event else { panic!("{event:?}") };
    assert_eq!(job.options.on_failure, OnFailure::Stop);
}

#[test]
fn a_warning_from_the_future_is_passed_on() {
    let event = changed(kind::JOB_COMPLETED, "/warnings/0/code", json!("FROM_THE_FUTURE"));

    let Event::JobEnded(ended) = event else { panic!("{event:?}") };
    assert_eq!(ended.warnings[0].code, "FROM_THE_FUTURE");
}

#[test]
fn headers_are_cloud_events_in_amqp_and_agree_with_the_properties() {
    for kind in Fixture::kinds() {
        let Fixture { headers, properties, .. } = Fixture::of(&kind);
        let header = |name: &str| headers[name].as_str().unwrap_or_else(|| panic!("{kind}: {name}"));
        let names = [
            "cloudEvents_dataschema",
            "cloudEvents_id",
            "cloudEvents_sequence",
            "cloudEvents_source",
            "cloudEvents_specversion",
            "cloudEvents_subject",
            "cloudEvents_time",
            "cloudEvents_type",
            "traceparent",
        ];
        let mut present: Vec<_> = headers.keys().collect();
        present.sort();
        assert_eq!(present, names, "{kind}");

        let time = DateTime::parse_from_rfc3339(header("cloudEvents_time")).unwrap();
        let service = header("cloudEvents_source").strip_prefix("/modelday/").unwrap();
        let expected = json!({
            "message_id": header("cloudEvents_id"),
            "correlation_id": header("cloudEvents_subject"),
            "type": header("cloudEvents_type"),
            "app_id": format!("modelday-{service}"),
            "timestamp": time.timestamp(),
            "content_type": "application/json",
            "delivery_mode": 2,
        });
        assert_eq!(Value::Object(properties), expected, "{kind}");
        assert_eq!(header("cloudEvents_type"), kind);
        assert_eq!(header("cloudEvents_specversion"), "1.0", "{kind}");
        assert_eq!(header("cloudEvents_dataschema"), kind::schema_id(&kind));
        assert_eq!(header("cloudEvents_id").parse::<Uuid>().unwrap().get_version_num(), 7, "{kind}");
        assert!(header("cloudEvents_sequence").parse::<u64>().is_ok(), "{kind}");
    }
}
