//! A broker of a test's own, which may be stopped, killed and wiped.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use lapin::options::{BasicGetOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};

/// A private RabbitMQ; it is wiped with this value.
pub struct Broker {
    state: PathBuf,
}

impl Broker {
    /// Starts one; `name` is unique among the tests.
    pub fn start(name: &str) -> Self {
        let folder =
            std::env::var("MODELDAY_TEST_STATE").map_or_else(|_| std::env::temp_dir(), PathBuf::from);
        let broker = Self { state: folder.join("stacks").join(name) };
        broker.up();
        broker
    }

    /// Runs the script; its answer goes through a file, because a server that it starts keeps a pipe open.
    fn stack(&self, arguments: &[&str]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/local/stack.sh");
        let path = std::env::temp_dir().join(format!("modelday-stack-{}", uuid::Uuid::now_v7()));
        let output = File::create(&path).expect("a file can be made");
        let mut command = Command::new(script);
        command.args(arguments).env("MODELDAY_STATE", &self.state).env("MODELDAY_ENGINE", "native");
        command.env_remove("DATABASE_URL").env_remove("AMQP_URL").env_remove("AMQP_MANAGEMENT_URL");
        command.stdin(Stdio::null()).stderr(output.try_clone().expect("a file can be shared")).stdout(output);
        let status = command.status().expect("the script runs");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let _ = std::fs::remove_file(&path);
        assert!(status.success(), "stack.sh {arguments:?}: {text}");
        text
    }

    /// Starts it again after [`Broker::stop`].
    pub fn up(&self) {
        self.stack(&["up", "--only", "rabbitmq", "--private"]);
    }

    /// Stops it in order.
    pub fn stop(&self) {
        self.stack(&["stop", "rabbitmq"]);
    }

    /// Deletes all that it knows: queues, messages, bindings.
    pub fn forget_everything(&self) {
        self.stack(&["ctl", "rabbitmq", "stop_app"]);
        self.stack(&["ctl", "rabbitmq", "force_reset"]);
        self.stack(&["ctl", "rabbitmq", "start_app"]);
    }

    /// Binds a durable queue of the test's own.
    pub async fn listen(&self, exchange: &str, routing_key: &str, queue: &str) {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.expect("a channel");
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel
            .queue_declare(queue.into(), options, FieldTable::default())
            .await
            .expect("the queue can be declared");
        channel
            .queue_bind(
                queue.into(),
                exchange.into(),
                routing_key.into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await
            .expect("the queue can be bound");
        connection.close(200, "bye".into()).await.expect("the connection closes");
    }

    /// The correlation ids of all messages in a queue, in its order; takes them.
    pub async fn correlations(&self, queue: &str) -> Vec<String> {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.expect("a channel");
        let mut ids = Vec::new();
        let options = BasicGetOptions { no_ack: true };
        while let Some(message) = channel.basic_get(queue.into(), options).await.expect("the queue answers") {
            let id = message.delivery.properties.correlation_id().as_ref().expect("a correlation id");
            ids.push(id.to_string());
        }
        connection.close(200, "bye".into()).await.expect("the connection closes");
        ids
    }

    async fn connect(&self) -> Connection {
        Connection::connect(&self.url(), ConnectionProperties::default()).await.expect("the broker answers")
    }

    /// Its address.
    pub fn url(&self) -> String {
        let text = self.stack(&["env"]);
        let words = text.split_whitespace().find_map(|word| word.strip_prefix("AMQP_URL="));
        words.expect("an AMQP_URL").trim_matches(|c| c == '\'' || c == '"').to_owned()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.stack(&["wipe"]);
    }
}
