//! A virtual host of its own for each test, made through the broker's management API.

use std::io::{Read, Write};
use std::net::TcpStream;

use lapin::message::Delivery;
use lapin::options::{BasicGetOptions, BasicPublishOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use messaging::topology::queues;
use messaging::{BrokerConfig, Envelope, Publisher};
use uuid::Uuid;

/// An empty virtual host.
pub struct TestVhost {
    name: String,
    url: String,
}

impl TestVhost {
    /// Creates it.
    pub fn new() -> Self {
        let name = format!("test-{}", Uuid::now_v7());
        let broker = crate::variable("AMQP_URL");
        let (authority, _) = broker.rsplit_once('/').expect("AMQP_URL ends in a virtual host");
        let vhost = Self { url: format!("{authority}/{name}"), name };
        management("PUT", &format!("/api/vhosts/{}", vhost.name), "");
        let user = Management::from_environment().user;
        let all = r#"{"configure":".*","write":".*","read":".*"}"#;
        management("PUT", &format!("/api/permissions/{}/{user}", vhost.name), all);
        vhost
    }

    /// Its address, with the user's password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The settings of a service that works in it.
    pub fn settings(&self) -> BrokerConfig {
        BrokerConfig::new(&self.url, "test").expect("AMQP_URL is an AMQP address")
    }

    /// Publishes messages and insists on it.
    pub async fn publish(&self, messages: &[Envelope]) {
        let published = Publisher::new(self.settings(), "publish").publish_in_order(messages).await;
        assert!(published.failure.is_none(), "{:?}", published.failure);
    }

    /// Publishes a well-formed event with this body, as a producer of ours would.
    pub async fn publish_event(&self, kind: &str, body: &[u8]) {
        let message = Envelope {
            id: Uuid::now_v7(),
            source: "/modelday/test".to_owned(),
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
        };
        self.publish(&[message]).await;
    }

    /// Publishes bytes without any header, as a stranger might.
    pub async fn publish_bytes(&self, exchange: &str, routing_key: &str, body: &[u8]) {
        let connection = self.connect().await;
        let channel = connection.create_channel().await.unwrap();
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        channel.basic_publish(exchange.into(), routing_key.into(), options, body, properties).await.unwrap();
        connection.close(200, "bye".into()).await.unwrap();
    }

    /// Deletes a queue with all that is in it, as an operator would.
    pub fn delete_queue(&self, queue: &str) {
        management("DELETE", &format!("/api/queues/{}/{queue}", self.name), "");
    }

    /// Takes everything that is in `queue` and nobody's; nothing when no service has declared it yet.
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

    /// Why messages were put away so far; takes the dead letters.
    pub async fn dead_letter_reasons(&self) -> Vec<String> {
        let reason = |letter: &Delivery| {
            let headers = letter.properties.headers().as_ref().expect("a dead letter has headers");
            let reason = headers.inner().get("x-modelday-reason").and_then(|reason| reason.as_long_string());
            reason.expect("a dead letter has a reason").to_string()
        };
        self.drain(queues::STATUS_DEAD_LETTERS).await.iter().map(reason).collect()
    }

    async fn connect(&self) -> Connection {
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
        management("DELETE", &format!("/api/vhosts/{}", self.name), "");
    }
}

/// Where the management API is and who may use it.
struct Management {
    host: String,
    user: String,
    password: String,
}

impl Management {
    fn from_environment() -> Self {
        let url = crate::variable("AMQP_MANAGEMENT_URL");
        let authority = url.trim_start_matches("http://").split('/').next().unwrap_or_default();
        let (credentials, host) = authority.rsplit_once('@').expect("AMQP_MANAGEMENT_URL names a user");
        let (user, password) = credentials.split_once(':').expect("AMQP_MANAGEMENT_URL holds a password");
        Self { host: host.to_owned(), user: user.to_owned(), password: password.to_owned() }
    }
}

/// One call of the management API, over HTTP/1.0 so that the body ends with the connection.
fn management(method: &str, path: &str, body: &str) -> String {
    let Management { host, user, password } = Management::from_environment();
    let authorization = base64(format!("{user}:{password}").as_bytes());
    let mut stream = TcpStream::connect(&host).expect("AMQP_MANAGEMENT_URL answers");
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Basic {authorization}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("the request is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    // What is gone already need not be deleted.
    let fine = status.starts_with('2') || (method == "DELETE" && status == "404");
    assert!(fine || std::thread::panicking(), "{method} {path}: {head}");
    body.to_owned()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
