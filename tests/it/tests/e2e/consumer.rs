//! Third-party consumers: the example of `docs/events.md`, and messages compared with the published schemas.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{DateTime, SecondsFormat, Utc};
use it::{Shape, System, node_packages, python_programs};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use serde_json::{Value, json};
use test_support::eventually;

use crate::example::Example;

const MODELS: &str = "[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n\
    [[models]]\nsignature = \"hold\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"buy_and_hold\", symbol = \"AAPL\" }\n";

/// A queue that only the test uses.
const COPY: &str = "ext.test.copy";

#[tokio::test]
async fn the_example_prints_every_completed_model_day_once_although_messages_come_twice() {
    let system = small_system().await;
    bind(&system, COPY, "modelday.events", "modelday.model_day.completed.v1").await;
    let example = Example::start(&system, python_with_pika("consumer.py"), "ext.example.results").await;

    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-02" })).await;
    system.client.ended(&job).await;
    example.has_printed(4).await;
    let again = "UPDATE execution.outbox SET sent_at = NULL WHERE kind = 'modelday.model_day.completed.v1'";
    assert_eq!(system.database.execute(again).await, 4);
    let job = system.client.trigger(&json!({ "start_date": "2025-10-03", "end_date": "2025-10-03" })).await;
    system.client.ended(&job).await;
    let lines = example.has_printed(6).await;

    let sent = system.vhost.as_ref().unwrap().drain(COPY).await.len();
    assert_eq!(sent, 4 + 4 + 2, "the first days were sent twice");
    let expected = [
        "2025-10-01 cash 10000 0 trades",
        "2025-10-01 hold 10015.99 1 trades",
        "2025-10-02 cash 10000 0 trades",
        "2025-10-02 hold 10081.51 0 trades",
        "2025-10-03 cash 10000 0 trades",
        "2025-10-03 hold 10116.22 0 trades",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn every_message_of_a_job_matches_the_published_schemas() {
    let system = small_system().await;
    let asyncapi = document("asyncapi.json");
    for described in asyncapi["channels"].as_object().unwrap().values() {
        let exchange = described["bindings"]["amqp"]["exchange"]["name"].as_str().unwrap();
        bind(&system, COPY, exchange, described["address"].as_str().unwrap()).await;
    }

    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-02" })).await;
    system.client.ended(&job).await;

    let mut kinds = BTreeSet::new();
    for message in system.vhost.as_ref().unwrap().drain(COPY).await {
        let headers = headers(message.properties.headers().as_ref().unwrap());
        let kind = headers["cloudEvents_type"].as_str().unwrap().to_owned();
        let described = &asyncapi["components"]["messages"][&kind];
        let schema = document(described["payload"]["$ref"].as_str().unwrap());
        assert_eq!(schema["$id"], headers["cloudEvents_dataschema"], "{kind}");
        assert_matches(&described["headers"], &headers);
        let body: Value = serde_json::from_slice(&message.data).unwrap();
        assert_matches(&schema, &body);
        if kind.starts_with("modelday.job.") {
            assert_says_which_job(body.get("job").unwrap_or(&body));
        }
        kinds.insert(kind);
    }
    let expected = [
        "modelday.data.download_progressed.v1",
        "modelday.data.download_started.v1",
        "modelday.data.ready.v1",
        "modelday.job.completed.v1",
        "modelday.job.requested.v1",
        "modelday.job.started.v1",
        "modelday.model_day.completed.v1",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
}

/// Field case: consumers that were written from the docs alone.
#[tokio::test(flavor = "multi_thread")]
async fn consumers_in_three_libraries_and_two_sdks_get_every_event_of_a_job() {
    let system = small_system().await;
    let mut examples =
        vec![Example::start(&system, python_with_pika("job_events_pika.py"), "ext.example.pika").await];
    if let Some(programs) = python_programs("consumers") {
        let command = of_example(programs.join("python"), "job_events_aio_pika.py");
        examples.push(Example::start(&system, command, "ext.example.aio-pika").await);
    }
    if let Some(folder) = node_packages("consumers") {
        // A module finds the packages that are installed beside it.
        let copy = folder.join("job_events.mjs");
        std::fs::copy(root().join("docs/examples/job_events.mjs"), &copy).unwrap();
        let mut command = Command::new("node");
        command.arg(copy);
        examples.push(Example::start(&system, command, "ext.example.amqplib").await);
    }

    let job = system.client.trigger(&json!({ "start_date": "2025-10-01", "end_date": "2025-10-02" })).await;
    system.client.ended(&job).await;

    let page = system.client.get_ok(&format!("/jobs/{job}/events")).await;
    let named = |event: &Value| ["id", "type", "time"].map(|name| event[name].as_str().unwrap().to_owned());
    let mut expected: Vec<_> = page["events"].as_array().unwrap().iter().map(named).collect();
    expected.sort();
    assert!(expected.len() > 8, "{page}");
    for example in &examples {
        let lines = example.has_printed(expected.len()).await;
        let read = |line: &String| {
            let words: Vec<&str> = line.split(' ').collect();
            let [id, kind, time] = words[..] else { panic!("{line}") };
            // The same instant in each way of writing it.
            let time = time.parse::<DateTime<Utc>>().unwrap();
            [id.to_owned(), kind.to_owned(), time.to_rfc3339_opts(SecondsFormat::Micros, true)]
        };
        assert_eq!(lines.iter().map(read).collect::<Vec<_>>(), expected, "{}", example.queue);
    }
}

/// The lines that the docs show are lines of examples that run.
#[test]
fn the_docs_show_what_the_examples_do() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let shown = read("docs/events.md");
    for (language, example) in
        [("python", "docs/examples/job_events_aio_pika.py"), ("javascript", "docs/examples/job_events.mjs")]
    {
        let (_, block) = shown.split_once(&format!("```{language}\n")).unwrap();
        let (block, _) = block.split_once("```").unwrap();
        let code = read(example);
        let lines: Vec<&str> = code.lines().map(str::trim).collect();
        for line in block.lines().map(str::trim).filter(|line| !line.is_empty()) {
            assert!(lines.contains(&line), "{example} has no line {line}");
        }
    }
}

/// An example with the interpreter for which Debian's python3-pika is installed; the PATH may have another one.
fn python_with_pika(file: &str) -> Command {
    let python = "/usr/bin/python3";
    let pika = Command::new(python).args(["-c", "import pika"]).output();
    assert!(
        pika.is_ok_and(|output| output.status.success()),
        "{python} has no pika; `make test` installs it, or 'sudo apt-get install python3-pika' does"
    );
    of_example(python.into(), file)
}

fn of_example(program: PathBuf, file: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(root().join("docs/examples").join(file));
    command
}

/// A system whose exchange is declared, so that queues can be bound to it.
async fn small_system() -> System {
    let system = System::builder(Shape::OneProcess).universe(&["AAPL"], None).models(MODELS).start().await;
    eventually("the exchange is declared", async || {
        let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
        let (name, arguments) = ("modelday.events".into(), FieldTable::default());
        channel(&system).await.exchange_declare(name, ExchangeKind::Topic, options, arguments).await.ok()
    })
    .await;
    system
}

async fn bind(system: &System, queue: &str, exchange: &str, key: &str) {
    let channel = channel(system).await;
    channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), FieldTable::default()).await.unwrap();
    let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
    channel.queue_bind(queue.into(), exchange.into(), key.into(), options, arguments).await.unwrap();
}

async fn channel(system: &System) -> Channel {
    let url = system.vhost.as_ref().unwrap().url();
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    connection.create_channel().await.unwrap()
}

/// The headers as JSON; all values are strings.
fn headers(table: &FieldTable) -> Value {
    let text = |(name, value): (&lapin::types::ShortString, &lapin::types::AMQPValue)| {
        let text = value.as_long_string().unwrap_or_else(|| panic!("{name} is no string")).to_string();
        (name.to_string(), Value::String(text))
    };
    Value::Object(table.inner().iter().map(text).collect())
}

fn assert_matches(schema: &Value, value: &Value) {
    let validator = jsonschema::options().should_validate_formats(true).build(schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(value).map(|problem| problem.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}: {value}");
}

/// Each event of a job's life can be used without the others.
fn assert_says_which_job(body: &Value) {
    assert_eq!(
        (&body["experiment"], &body["requested_by"]),
        (&json!("default"), &json!("anonymous")),
        "{body}"
    );
    assert_eq!(
        (&body["start_date"], &body["end_date"]),
        (&json!("2025-10-01"), &json!("2025-10-02")),
        "{body}"
    );
    let models: Vec<&Value> = body["models"].as_array().unwrap().iter().collect();
    let names = models.iter().map(|model| model.get("signature").unwrap_or(model).as_str().unwrap());
    assert_eq!(names.collect::<BTreeSet<_>>(), BTreeSet::from(["cash", "hold"]), "{body}");
}

fn document(name: &str) -> Value {
    let path = root().join("proto-schemas").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
