//! What is published beside the `.proto` files for other languages: a JSON Schema of each message, and an
//! AsyncAPI document. Both are made from the descriptors.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use contract::{decode_event, decode_job_cancel, decode_lane_continue, encode_event, kind};
use domain::events::event::{Event, JobEnded, JobStarted};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::fixture::{Fixture, proto_schemas};

mod asyncapi;
mod json_schema;
mod messages;
mod rules;

use messages::Messages;

const COMMAND: &str = "MODELDAY_UPDATE_BASELINE=1 cargo test -p contract";

/// Every document by its path under `proto-schemas`.
fn generated() -> BTreeMap<String, Value> {
    let all = Messages::of(contract::DESCRIPTORS);
    let kinds = kind::EVENTS.iter().chain(&kind::COMMANDS);
    let schemas = kinds.map(|kind| (format!("json-schema/v1/{kind}.json"), json_schema::of(kind, &all)));
    schemas.chain([("asyncapi.json".to_owned(), asyncapi::of(&all))]).collect()
}

/// A message as this version sends it: the fixture, which may be older, with the fields that were added since.
fn example(kind: &str) -> Fixture {
    let mut fixture = Fixture::of(kind);
    let caller = json!("ci");
    match kind {
        kind::JOB_REQUESTED | kind::DATA_READY | kind::DATA_FAILED => {
            fixture.body["job"]["requested_by"] = caller;
        }
        kind::JOB_STARTED
        | kind::JOB_COMPLETED
        | kind::JOB_PARTIAL
        | kind::JOB_FAILED
        | kind::JOB_CANCELLED => {
            let job = Fixture::of(kind::JOB_REQUESTED).body["job"].take();
            let models = job["models"].as_array().unwrap().iter();
            fixture.body["models"] = models.map(|model| model["signature"].clone()).collect();
            for field in ["experiment", "start_date", "end_date"] {
                fixture.body[field] = job[field].clone();
            }
            fixture.body["requested_by"] = caller;
        }
        _ => {}
    }
    fixture
}

static VALIDATORS: LazyLock<BTreeMap<String, Validator>> = LazyLock::new(|| {
    let all = Messages::of(contract::DESCRIPTORS);
    let kinds = kind::EVENTS.iter().chain(&kind::COMMANDS);
    kinds.map(|kind| ((*kind).to_owned(), validator(&json_schema::of(kind, &all)))).collect()
});

fn validator(schema: &Value) -> Validator {
    jsonschema::meta::validate(schema).unwrap_or_else(|problem| panic!("{}: {problem}", schema["$id"]));
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

/// The errors of a body by the schema of its type; empty when it fits.
pub(crate) fn objections(kind: &str, body: &Value) -> Vec<String> {
    let text = |problem: jsonschema::ValidationError<'_>| format!("{}: {problem}", problem.instance_path());
    VALIDATORS[kind].iter_errors(body).map(text).collect()
}

#[test]
fn the_committed_documents_are_those_that_the_messages_make() {
    let generated = generated();
    for (name, document) in &generated {
        let path = proto_schemas().join(name);
        if std::env::var_os("MODELDAY_UPDATE_BASELINE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, serde_json::to_string_pretty(document).unwrap() + "\n").unwrap();
        }
        let committed: Option<Value> =
            std::fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        assert!(committed.as_ref() == Some(document), "{name} is not up to date; write it with `{COMMAND}`");
    }
    for file in std::fs::read_dir(proto_schemas().join("json-schema/v1")).unwrap() {
        let name = format!("json-schema/v1/{}", file.unwrap().file_name().into_string().unwrap());
        assert!(generated.contains_key(&name), "{name} belongs to no message");
    }
}

#[test]
fn every_fixture_fits_its_schema() {
    let asyncapi = &generated()["asyncapi.json"];
    for kind in Fixture::kinds() {
        let fixture = Fixture::of(&kind);
        assert_eq!(objections(&kind, &fixture.body), [""; 0], "{kind}");
        if kind::EVENTS.contains(&kind.as_str()) {
            let headers = validator(&asyncapi["components"]["messages"][&kind]["headers"]);
            assert!(headers.is_valid(&Value::Object(fixture.headers)), "{kind}");
        }
    }
}

#[test]
fn every_published_example_fits_its_schema_and_is_what_this_version_sends() {
    let asyncapi = document("asyncapi.json");
    for kind in kind::EVENTS {
        let schema = document(&format!("json-schema/v1/{kind}.json"));
        let shown = &asyncapi["components"]["messages"][kind]["examples"][0];
        let payload = &shown["payload"];
        assert_eq!(&schema["examples"][0], payload, "{kind}");
        assert_eq!(objections(kind, payload), [""; 0], "{kind}");
        let headers = validator(&asyncapi["components"]["messages"][kind]["headers"]);
        assert!(headers.is_valid(&shown["headers"]), "{kind}");
        let event = decode_event(kind, payload.to_string().as_bytes()).unwrap();
        let sent: Value = serde_json::from_str(&encode_event(&event).unwrap()).unwrap();
        assert_eq!(&sent, payload, "{kind}");
        if let Event::JobStarted(JobStarted { outline, .. }) | Event::JobEnded(JobEnded { outline, .. }) =
            event
        {
            assert!(outline.is_some_and(|job| job.requested_by == "ci"), "{kind} does not say which job");
        }
    }
}

fn document(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(proto_schemas().join(name)).unwrap()).unwrap()
}

#[test]
fn a_body_that_is_not_of_its_type_does_not_fit() {
    let check = |kind: &str, pointer: &str, value: Value| {
        let mut body = Fixture::of(kind).body;
        *body.pointer_mut(pointer).unwrap() = value.clone();
        let objections = objections(kind, &body);
        assert!(objections.iter().any(|text| text.contains(pointer)), "{pointer} = {value}: {objections:?}");
    };

    check(kind::JOB_REQUESTED, "/job/models/1/signature", json!(5));
    check(kind::JOB_REQUESTED, "/job/experiment", json!(""));
    check(kind::JOB_REQUESTED, "/job/models/2/policy/momentum/top", json!(0));
    check(kind::JOB_REQUESTED, "/job/models/2/costs/bps", json!("-1"));
    check(kind::JOB_STARTED, "/job_id", json!("42"));
    check(kind::JOB_STARTED, "/lanes", json!(-1));
    check(kind::DATA_READY, "/runnable_dates/1", json!("2025-02-30"));
    check(kind::DATA_WAITING, "/until", json!("2025-10-31"));
    check(kind::MODEL_DAY_COMPLETED, "/trades/0/quantity", json!("0"));
    check(kind::MODEL_DAY_COMPLETED, "/trades/0/quantity", json!(1));
    check(kind::MODEL_DAY_COMPLETED, "/trades/0/symbol", json!("aapl"));
    check(kind::MODEL_DAY_COMPLETED, "/value_at_open", json!("1e3"));
    check(kind::MODEL_DAY_COMPLETED, "/value_at_open", json!(1000.5));
    check(kind::JOB_COMPLETED, "/outcome", json!("JOB_OUTCOME_FAILED"));
}

#[test]
fn what_a_later_version_adds_fits() {
    let mut body = Fixture::of(kind::DATA_READY).body;
    body["job"]["from_the_future"] = json!({ "nested": [1, "x", null] });
    body["skipped_dates"][0]["reason"] = json!("SKIP_REASON_FROM_THE_FUTURE");

    assert_eq!(objections(kind::DATA_READY, &body), [""; 0]);
}

/// A schema requires what the decoder requires: each field of each fixture is left out once.
#[test]
fn a_schema_requires_the_fields_that_decoding_requires() {
    for kind in Fixture::kinds() {
        let body = Fixture::of(&kind).body;
        for pointer in fields(&body, "") {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let mut without = body.clone();
            without.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            let decoded = decode(&kind, &without);
            let objections = objections(&kind, &without);
            assert_eq!(
                objections.is_empty(),
                decoded.is_ok(),
                "{kind} without {pointer}: {decoded:?}, {objections:?}"
            );
        }
    }
}

#[test]
fn every_rule_is_about_a_field() {
    let all = Messages::of(contract::DESCRIPTORS);
    for name in rules::names() {
        let (message, field) = name.split_once('.').unwrap();
        let mut fields = all.messages[message].fields.iter();
        assert!(fields.any(|known| known.descriptor.name() == field), "{name}");
    }
}

fn decode(kind: &str, body: &Value) -> Result<(), String> {
    let bytes = body.to_string().into_bytes();
    match kind {
        kind::LANE_CONTINUE => decode_lane_continue(&bytes).map(drop),
        kind::JOB_CANCEL => decode_job_cancel(&bytes).map(drop),
        _ => decode_event(kind, &bytes).map(drop),
    }
    .map_err(|problem| problem.to_string())
}

/// The way to every field, at any depth.
fn fields(value: &Value, path: &str) -> Vec<String> {
    let (children, named): (Vec<_>, _) = match value {
        Value::Object(fields) => (fields.iter().map(|(name, child)| (name.clone(), child)).collect(), true),
        Value::Array(items) => {
            (items.iter().enumerate().map(|(place, child)| (place.to_string(), child)).collect(), false)
        }
        _ => return Vec::new(),
    };
    let below = |(name, child): (String, &Value)| {
        let path = format!("{path}/{name}");
        let deeper = fields(child, &path);
        named.then_some(path).into_iter().chain(deeper).collect::<Vec<_>>()
    };
    children.into_iter().flat_map(below).collect()
}
