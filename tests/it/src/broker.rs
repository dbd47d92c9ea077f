//! A broker for one test, which may stop it or delete its state.

use lapin::options::{BasicGetOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use messaging::topology::Account;

use crate::stack::Stack;

/// A private RabbitMQ.
pub struct Broker(Stack);

impl Broker {
    /// Starts one; `name` is unique among the tests.
    pub fn start(name: &str) -> Self {
        let broker = Self(Stack::new(name, None));
        broker.up();
        broker
    }

    /// Starts it again after [`Broker::stop`].
    pub fn up(&self) {
        self.0.run(&["up", "--only", "rabbitmq", "--private"]);
    }

    /// Shuts it down.
    pub fn stop(&self) {
        self.0.run(&["stop", "rabbitmq"]);
    }

    /// Raises the alarm with which the broker blocks everyone who publishes, because its memory is full; or ends it.
    pub fn memory_alarm(&self, is_raised: bool) {
        let share = if is_raised { "0.0000001" } else { "0.4" };
        self.0.run(&["ctl", "rabbitmq", "set_vm_memory_high_watermark", share]);
    }

    /// Deletes its state: queues, messages, bindings.
    pub fn reset(&self) {
        self.0.run(&["ctl", "rabbitmq", "stop_app"]);
        self.0.run(&["ctl", "rabbitmq", "force_reset"]);
        self.0.run(&["ctl", "rabbitmq", "start_app"]);
    }

    /// Declares a durable queue and binds it, as a program of others.
    pub async fn bind_queue(&self, exchange: &str, routing_key: &str, queue: &str) {
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

    /// Takes all messages of a queue and returns their correlation ids in order.
    pub async fn correlations(&self, queue: &str) -> Vec<String> {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.expect("a channel");
        let mut ids = Vec::new();
        let options = BasicGetOptions { no_ack: true };
        while let Some(message) = channel.basic_get(queue.into(), options).await.expect("the queue exists") {
            let id = message.delivery.properties.correlation_id().as_ref().expect("a correlation id");
            ids.push(id.to_string());
        }
        connection.close(200, "bye".into()).await.expect("the connection closes");
        ids
    }

    async fn connect(&self) -> Connection {
        let url = self.0.variable("READER_AMQP_URL");
        Connection::connect(&url, ConnectionProperties::default()).await.expect("the broker answers")
    }

    /// Its URL for each service.
    pub fn urls(&self) -> [String; 4] {
        Account::ALL.map(|account| self.0.variable(&format!("{}_AMQP_URL", account.as_str().to_uppercase())))
    }
}
