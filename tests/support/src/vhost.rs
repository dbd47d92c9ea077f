//! A virtual host for each test, with the accounts of an installation, made through the broker's management API.

use lapin::message::Delivery;
use lapin::options::{BasicGetOptions, BasicPublishOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use messaging::topology::{Account, queues};
use messaging::{Authentication, BrokerConfig, Envelope, Publisher, SigningKey};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::database::{KEY_ID, KEY_SECRET};
use crate::environment::variable;
use crate::eventually::eventually;
use crate::management::{management, user};

/// What a broker imports.
const DEFINITIONS: &str = include_str!("../../../deploy/rabbitmq/accounts.json");
/// The account for programs of others.
const READER: &str = "reader";

/// A virtual host with accounts of its own. They are deleted with this value.
pub struct TestVhost {
    name: String,
    url: String,
    password: String,
}

impl TestVhost {
    /// Creates an empty one.
    pub fn new() -> Self {
        let name = format!("test-{}", Uuid::now_v7());
        let broker = variable("AMQP_URL");
        let (authority, _) = broker.rsplit_once('/').expect("AMQP_URL ends in a virtual host");
        let password = Uuid::now_v7().to_string();
        let vhost = Self { url: format!("{authority}/{name}"), name, password };
        vhost.create(&vhost.name);
        vhost
    }

    /// Creates one with the topology declared. Otherwise services declare it, and a message for a queue that is being
    /// declared may be confirmed only after ten seconds.
    pub async fn declared() -> Self {
        let vhost = Self::new();
        vhost.publisher().connect().await.expect("the topology can be declared");
        vhost
    }

    /// Also creates the virtual host that a `DEV` deployment of this one uses.
    pub fn with_development(self) -> Self {
        self.create(&format!("{}_dev", self.name));
        self
    }

    /// Its URL for an administrator, with the password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its URL for the account of a service, with the password.
    pub fn url_of(&self, account: Account) -> String {
        self.url_for(account.as_str())
    }

    /// Its URL for the account of programs of others, with the password.
    pub fn reader_url(&self) -> String {
        self.url_for(READER)
    }

    fn url_for(&self, account: &str) -> String {
        let (scheme, rest) = self.url.split_once("://").expect("AMQP_URL begins with a scheme");
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        format!("{scheme}://{}_{account}:{}@{host}", self.name, self.password)
    }

    /// The settings of an administrator, who declares the whole topology, with the key of every test database.
    pub fn settings(&self) -> BrokerConfig {
        let authentication = Authentication::default();
        authentication.keyring.replace(vec![SigningKey::new(KEY_ID, &KEY_SECRET)]);
        let config = BrokerConfig::new(&self.url, "test").expect("AMQP_URL is an AMQP address");
        config.with_authentication(authentication)
    }

    /// The settings of a service, with the key of every test database.
    pub fn settings_of(&self, account: Account) -> BrokerConfig {
        let config = BrokerConfig::new(&self.url_of(account), "test").expect("AMQP_URL is an AMQP address");
        config.with_account(account).with_authentication(self.settings().authentication().clone())
    }

    /// A publisher whose connection is named `test publish`.
    pub fn publisher(&self) -> Publisher {
        Publisher::new(self.settings(), "publish")
    }

    /// Publishes messages; all must be confirmed.
    pub async fn publish(&self, messages: &[Envelope]) {
        let published = self.publisher().publish_in_order(messages).await;
        assert!(published.failure.is_none(), "{:?}", published.failure);
    }

    /// Publishes an event with this body, the headers of the service that sends such events, and its signature.
    pub async fn publish_event(&self, kind: &str, body: &[u8]) {
        let sender = contract::kind::sender(kind).unwrap_or("test");
        self.publish(&[Self::event(&format!("/modelday/{sender}"), kind, body)]).await;
    }

    /// An event with this body, and the headers of a Modelday service.
    pub fn event(source: &str, kind: &str, body: &[u8]) -> Envelope {
        Envelope {
            id: Uuid::now_v7(),
            source: source.to_owned(),
            kind: kind.to_owned(),
            subject: None,
            time: chrono::Utc::now(),
            sequence: 1,
            correlation: None,
            dataschema: format!("urn:modelday:v1:{kind}"),
            traceparent: None,
            tracestate: None,
            exchange: messaging::topology::EVENTS.to_owned(),
            routing_key: kind.to_owned(),
            app_id: "test".to_owned(),
            body: body.to_vec().into(),
            first_published: None,
        }
    }

    /// Publishes bytes without any header, as a foreign program might.
    pub async fn publish_bytes(&self, exchange: &str, routing_key: &str, body: &[u8]) {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.unwrap();
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        channel.basic_publish(exchange.into(), routing_key.into(), options, body, properties).await.unwrap();
        connection.close(200, "bye".into()).await.unwrap();
    }

    /// Deletes a queue and its messages, as an operator would.
    pub fn delete_queue(&self, queue: &str) {
        management("DELETE", &format!("/api/queues/{}/{queue}", self.name), "");
    }

    /// Closes the connections whose name contains `role`, as an operator would. Waits until one is listed, because the
    /// management plugin lists connections with a delay.
    pub async fn kill_connections(&self, role: &str) {
        let listed = eventually(&format!("a connection {role} is listed"), async || {
            let list = management("GET", &format!("/api/vhosts/{}/connections", self.name), "");
            let list: serde_json::Value = serde_json::from_str(&list).expect("a list of connections");
            let connections = list.as_array().cloned().unwrap_or_default();
            let named = connections.into_iter().filter(|connection| {
                connection["user_provided_name"].as_str().is_some_and(|name| name.contains(role))
            });
            let names: Vec<_> = named.filter_map(|one| one["name"].as_str().map(str::to_owned)).collect();
            (!names.is_empty()).then_some(names)
        })
        .await;
        for name in listed {
            let name = name.replace(' ', "%20").replace('>', "%3E").replace(':', "%3A");
            management("DELETE", &format!("/api/connections/{name}"), "");
        }
    }

    /// Whether any queue has a consumer. The list is used and not the counts, which include a cancelled consumer until
    /// its messages are acknowledged.
    pub fn has_consumers(&self) -> bool {
        management("GET", &format!("/api/consumers/{}", self.name), "") != "[]"
    }

    /// Takes all messages of `queue` that no consumer holds; none when the queue does not exist yet.
    pub async fn drain(&self, queue: &str) -> Vec<Delivery> {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.unwrap();
        let mut taken = Vec::new();
        let options = BasicGetOptions { no_ack: true };
        while let Ok(Some(message)) = channel.basic_get(queue.into(), options).await {
            taken.push(message.delivery);
        }
        connection.close(200, "bye".into()).await.unwrap();
        taken
    }

    /// Takes the dead letters and returns their reasons.
    pub async fn dead_letter_reasons(&self) -> Vec<String> {
        let reason = |letter: &Delivery| {
            let headers = letter.properties.headers().as_ref().expect("a dead letter has headers");
            let reason = headers.inner().get("x-modelday-reason").and_then(|reason| reason.as_long_string());
            reason.expect("a dead letter has a reason").to_string()
        };
        self.drain(queues::STATUS_DEAD_LETTERS).await.iter().map(reason).collect()
    }

    /// Creates a virtual host with the permissions of the accounts in it, and the accounts that are missing.
    fn create(&self, vhost: &str) {
        let definitions = DEFINITIONS.replace("@INSTALLATION@", &self.name);
        let mut definitions: Value = serde_json::from_str(&definitions).expect("definitions are JSON");
        definitions["vhosts"] = json!([{ "name": vhost }]);
        for user in definitions["users"].as_array_mut().expect("a list of users") {
            *user = json!({ "name": user["name"], "tags": [], "password": self.password });
        }
        for list in ["permissions", "topic_permissions", "policies"] {
            let list = definitions[list].as_array_mut().expect("a list");
            list.retain(|entry| entry["vhost"] == vhost);
        }
        let administrator =
            json!({ "vhost": vhost, "user": user(), "configure": ".*", "write": ".*", "read": ".*" });
        definitions["permissions"].as_array_mut().expect("a list of permissions").push(administrator);
        management("POST", "/api/definitions", &definitions.to_string());
    }

    /// A connection of an administrator, without any settings of a service.
    pub async fn connect(&self) -> Connection {
        Connection::connect(&self.url, ConnectionProperties::default()).await.unwrap()
    }
}

impl Default for TestVhost {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestVhost {
    fn drop(&mut self) {
        for name in [format!("{}_dev", self.name), self.name.clone()] {
            management("DELETE", &format!("/api/vhosts/{name}"), "");
        }
        let users = Account::ALL.map(Account::as_str).into_iter().chain([READER]);
        let users: Vec<String> = users.map(|account| format!("{}_{account}", self.name)).collect();
        management("POST", "/api/users/bulk-delete", &json!({ "users": users }).to_string());
    }
}
