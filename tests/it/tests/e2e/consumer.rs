//! Third-party consumers: the example of `docs/events.md`, and messages compared with the published schemas.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use it::{Shape, System};
use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use serde_json::{Value, json};
use test_support::eventually;

const MODELS: &str = "[[models]]\nsignature = \"cash\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"cash\" }\n\
    [[models]]\nsignature = \"hold\"\nkind = \"policy\"\nenabled = true\npolicy = { policy = \"buy_and_hold\", symbol = \"AAPL\" }\n";

/// The interpreter for which Debian's python3-pika is installed; the PATH may have another one.
const PYTHON: &str = "/usr/bin/python3";

/// A queue that only the test uses.
const COPY: &str = "ext.test.copy";

#[tokio::test]
async fn the_example_prints_every_completed_model_day_once_although_messages_come_twice() {
    let system = small_system().await;
    bind(&system, COPY, "modelday.events", "modelday.model_day.completed.v1").await;
    let example = Example::start(&system).await;

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
        assert_matches(&schema, &serde_json::from_slice(&message.data).unwrap());
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

/// The running example.
struct Example {
    process: Child,
    folder: PathBuf,
}

impl Example {
    /// Starts the example and waits until it consumes its queue.
    async fn start(system: &System) -> Self {
        let pika = Command::new(PYTHON).args(["-c", "import pika"]).output();
        assert!(
            pika.is_ok_and(|output| output.status.success()),
            "{PYTHON} has no pika; `make test` installs it, or 'sudo apt-get install python3-pika' does"
        );
        let folder = std::env::temp_dir().join(format!("modelday-consumer-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder).unwrap();
        let process = Command::new(PYTHON)
            .arg(root().join("docs/examples/consumer.py"))
            .env("AMQP_URL", system.vhost.as_ref().unwrap().reader_url())
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(File::create(folder.join("out")).unwrap())
            .stderr(File::create(folder.join("err")).unwrap())
            .spawn()
            .unwrap();
        let mut example = Self { process, folder };
        eventually("the example listens", async || {
            let ended = example.process.try_wait().unwrap();
            assert!(ended.is_none(), "the example ended: {}", example.file("err"));
            let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let queue = "ext.example.results";
            let declared =
                channel(system).await.queue_declare(queue.into(), options, FieldTable::default()).await;
            declared.ok().filter(|queue| queue.consumer_count() == 1)
        })
        .await;
        example
    }

    /// Its output lines, sorted, once there are `count` of them.
    async fn has_printed(&self, count: usize) -> Vec<String> {
        eventually(&format!("the example prints {count} lines"), async || {
            let mut lines: Vec<String> = self.file("out").lines().map(str::to_owned).collect();
            lines.sort();
            (lines.len() >= count).then_some(lines)
        })
        .await
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
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

fn document(name: &str) -> Value {
    let path = root().join("proto-schemas").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
