//! A running trigger service with a database and a virtual host of its own.

use std::collections::BTreeMap;
use std::path::Path;

use domain::agent::EndpointRules;
use messaging::topology::Account;
use reqwest::header::HeaderMap;
use reqwest::{Client, StatusCode};
use runtime::settings::Settings;
use runtime::{CancellationToken, http};
use serde_json::Value;
use test_support::{TestDatabase, TestVhost};
use tokio::task::JoinHandle;
use trigger::Config;
use utoipa_axum::router::OpenApiRouter;

/// The service's "today".
pub(crate) const TODAY: &str = "2025-10-30";

/// A service at work.
pub(crate) struct Stage {
    pub(crate) database: TestDatabase,
    pub(crate) vhost: TestVhost,
    changes: Vec<(String, String)>,
    url: String,
    client: Client,
    stop: CancellationToken,
    work: JoinHandle<anyhow::Result<()>>,
}

/// A process of the service.
pub(crate) struct Process {
    url: String,
    stop: CancellationToken,
    work: JoinHandle<anyhow::Result<()>>,
}

impl Process {
    async fn start(
        database: &TestDatabase,
        vhost: &TestVhost,
        changes: &[(String, String)],
        endpoints: Option<EndpointRules>,
    ) -> Self {
        let broker = vhost.url_of(Account::Trigger);
        let servers = [("DATABASE_URL", database.url()), ("AMQP_URL", &broker)];
        let others = changes.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let all: Vec<_> = servers.into_iter().chain(others).collect();
        let mut config = Config::from_settings(&mut settings(&all), 0).unwrap();
        config.endpoints.rules = endpoints.unwrap_or(config.endpoints.rules);
        let stop = CancellationToken::new();
        let address = config.infrastructure.address.clone();
        let service = trigger::build(config, stop.clone()).unwrap();
        let listener = http::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let token = stop.clone();
        let probes = OpenApiRouter::new();
        let started = service.health.started();
        let work = tokio::spawn(async move { service.run(listener, address, probes, &token).await });
        started.cancelled().await;
        Self { url, stop, work }
    }

    /// Stops it and waits until it has stopped.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.work.await.unwrap().unwrap();
    }
}

/// A response of the service.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    /// The field that says what is wrong.
    pub(crate) fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }

    /// The job that was accepted.
    pub(crate) fn job(&self) -> &str {
        assert_eq!(self.status, StatusCode::OK, "{}", self.body);
        self.body["job_id"].as_str().unwrap()
    }
}

/// A file of the repository.
fn file(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).display().to_string()
}

/// Valid settings with `changes`; an empty text removes one.
pub(crate) fn settings(changes: &[(&str, &str)]) -> Settings {
    let defaults = [
        ("DATABASE_URL", "postgres://unused@127.0.0.1:1/none".to_owned()),
        ("AMQP_URL", "amqp://unused@127.0.0.1:1/none".to_owned()),
        ("MODELS_FILE", file("configs/models.toml")),
        ("UNIVERSE_FILE", file("configs/universes/nasdaq100.json")),
        ("SIMULATED_TODAY", TODAY.to_owned()),
    ];
    let mut environment: BTreeMap<String, String> =
        defaults.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    environment.extend(changes.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    Settings::new(environment, None)
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(changes: &[(&str, &str)]) -> Self {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let changes = changes.iter().map(own).collect();
        Self::over(TestDatabase::new().await, TestVhost::declared().await, changes, None).await
    }

    /// Stops the service and starts it again with other rules for endpoints than its models file was read with.
    pub(crate) async fn restart_with(self, endpoints: EndpointRules) -> Self {
        let Self { database, vhost, changes, stop, work, .. } = self;
        stop.cancel();
        work.await.unwrap().unwrap();
        Self::over(database, vhost, changes, Some(endpoints)).await
    }

    /// Stops the service and starts it again where it was.
    pub(crate) async fn restart(self) -> Self {
        let Self { database, vhost, changes, stop, work, .. } = self;
        stop.cancel();
        work.await.unwrap().unwrap();
        Self::over(database, vhost, changes, None).await
    }

    async fn over(
        database: TestDatabase,
        vhost: TestVhost,
        changes: Vec<(String, String)>,
        endpoints: Option<EndpointRules>,
    ) -> Self {
        let Process { url, stop, work } = Process::start(&database, &vhost, &changes, endpoints).await;
        // An error means that there is a provider already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { database, vhost, changes, url, client, stop, work }
    }

    /// Starts a second process beside this one.
    pub(crate) async fn second(&self) -> Process {
        Process::start(&self.database, &self.vhost, &self.changes, None).await
    }

    /// Sends the requests from now on to the other process.
    pub(crate) fn turn_to(&mut self, other: &mut Process) {
        std::mem::swap(&mut self.url, &mut other.url);
        std::mem::swap(&mut self.stop, &mut other.stop);
        std::mem::swap(&mut self.work, &mut other.work);
    }

    /// Posts a body with an idempotency key.
    pub(crate) async fn post_with_key(&self, body: &Value, key: &str) -> Reply {
        let request = self.client.post(format!("{}/simulate/trigger", self.url));
        reply(request.header("Idempotency-Key", key).json(body)).await
    }

    /// Posts a body.
    pub(crate) async fn post(&self, body: &Value) -> Reply {
        self.post_bytes(body.to_string().into_bytes()).await
    }

    /// Posts to a resource, without a body.
    pub(crate) async fn post_to(&self, path: &str) -> Reply {
        reply(self.client.post(format!("{}{path}", self.url))).await
    }

    /// The same with an idempotency key.
    pub(crate) async fn post_to_with_key(&self, path: &str, key: &str) -> Reply {
        reply(self.client.post(format!("{}{path}", self.url)).header("Idempotency-Key", key)).await
    }

    /// Makes a dry run of a body.
    pub(crate) async fn plan(&self, body: &Value) -> Reply {
        reply(self.client.post(format!("{}/simulate/plan", self.url)).json(body)).await
    }

    /// Posts bytes that need not be valid JSON.
    pub(crate) async fn post_bytes(&self, body: Vec<u8>) -> Reply {
        let request = self.client.post(format!("{}/simulate/trigger", self.url));
        reply(request.header("Content-Type", "application/json").body(body)).await
    }

    /// Reads a resource.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        reply(self.client.get(format!("{}{path}", self.url))).await
    }

    /// Stores a resource.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Reply {
        reply(self.client.put(format!("{}{path}", self.url)).json(body)).await
    }

    /// Removes a resource.
    pub(crate) async fn delete(&self, path: &str) -> Reply {
        reply(self.client.delete(format!("{}{path}", self.url))).await
    }

    /// Jobs and messages that are stored.
    pub(crate) async fn stored(&self) -> (i64, i64) {
        (
            self.database.count("SELECT count(*) FROM trigger.jobs").await,
            self.database.count("SELECT count(*) FROM trigger.outbox").await,
        )
    }

    /// Stops the service and waits until it has stopped; returns its database.
    pub(crate) async fn stop(self) -> TestDatabase {
        self.stop.cancel();
        self.work.await.unwrap().unwrap();
        self.database
    }

    /// Begins to stop the service; [`Stage::stop`] waits for it.
    pub(crate) fn begin_to_stop(&self) {
        self.stop.cancel();
    }
}

async fn reply(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = match text.as_str() {
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| panic!("{status}: {text:?} is not JSON")),
    };
    Reply { status, headers, body }
}
