//! Attacks on the environment and the inside of a network by a job whose model names them. The message that brings the
//! job is a good one otherwise, whoever wrote it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use domain::agent::{AddressRules, AgentSettings, Dialect, EndpointRules};
use domain::events::event::Event;
use domain::job::{AgentModel, Job, JobOutcome, ModelKind};
use executor::{Config, EndpointAccess};
use runtime::outbound::Outbound;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::scene::{job, ready};
use crate::stage::{Running, Stage};

/// A server that counts its connections and keeps their requests.
struct Listener {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<String>>,
}

impl Listener {
    /// Answers every request with `status` and a header.
    async fn start(status: &'static str, header: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(String::new())));
        let (count, seen) = (connections.clone(), requests.clone());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let mut request = vec![0; 65_536];
                let length = socket.read(&mut request).await.unwrap_or_default();
                seen.lock().unwrap().push_str(&String::from_utf8_lossy(&request[..length]));
                let answer =
                    format!("HTTP/1.1 {status}\r\n{header}content-length: 0\r\nconnection: close\r\n\r\n");
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        Self { address, connections, requests }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn teapot() -> Listener {
    Listener::start("402 Payment Required", String::new()).await
}

/// A day of a language model at `url` with the key of `variable`.
fn forged(url: &str, variable: Option<&str>) -> Job {
    let mut job = job(&["cash"], "2025-10-01", "2025-10-01");
    let settings: AgentSettings = serde_json::from_str(r#"{"basemodel": "m"}"#).unwrap();
    job.models[0].kind = ModelKind::Agent(Box::new(AgentModel {
        dialect: Dialect::ChatCompletions,
        url: url.to_owned(),
        key_variable: variable.map(str::to_owned),
        settings,
        concurrency: 1,
        tokens_per_minute: None,
        timeout_seconds: 5,
    }));
    job
}

/// An executor's configuration in whose environment every variable is set.
fn config(stage: &Stage, allow: &[&str], keys: &[String]) -> Config {
    let allow = AddressRules::new(allow.iter().map(|entry| entry.parse().unwrap()).collect());
    let outbound = Outbound::new(allow.clone(), None).with_lookup(|name| {
        vec![if name == "metadata.example" { ([169, 254, 169, 254], 80) } else { ([127, 0, 0, 1], 0) }.into()]
    });
    let rules = EndpointRules::new(allow, keys.iter().map(|key| key.parse().unwrap()).collect());
    let endpoints = EndpointAccess::new(rules, outbound, |variable| Some(format!("value-of-{variable}")));
    Config { endpoints, ..stage.config() }
}

/// The error of the only day of each job.
async fn errors(stage: &Stage, config: Config, jobs: &[Job]) -> Vec<String> {
    let executor = Running::start(config).await;
    let mut errors = Vec::new();
    for job in jobs {
        stage.announce(&ready(job)).await;
        let (events, end) = stage.end_of(job.id).await;
        assert_eq!(end.outcome, JobOutcome::Failed, "{events:?}");
        let error = events.iter().find_map(|event| match event {
            Event::ModelDayFailed(day) => Some(day.error.clone()),
            _ => None,
        });
        errors.push(error.unwrap());
    }
    executor.stop().await;
    errors
}

#[tokio::test]
async fn a_job_that_names_another_variable_or_another_host_reads_and_sends_nothing() {
    let (stage, thief) = (Stage::new().await, teapot().await);
    let url = format!("http://{}/v1", thief.address);
    let jobs = [
        forged(&url, Some("DATABASE_URL")),
        forged(&url, Some("OPENAI_API_KEY")),
        forged(&url, Some("MINE")),
        forged("http://harmless.example/v1", Some("NEAR")),
    ];
    let keys = ["MINE@127.0.0.1:1".to_owned(), "NEAR@harmless.example".to_owned()];

    let errors = Box::pin(errors(&stage, config(&stage, &["127.0.0.0/8"], &keys), &jobs)).await;

    assert!(
        errors[0].contains("api_key_env names DATABASE_URL, which ENDPOINT_KEYS gives to no host"),
        "{errors:?}"
    );
    assert!(
        errors[1].contains("OPENAI_API_KEY, which belongs to api.openai.com and is not sent to"),
        "{errors:?}"
    );
    assert!(errors[2].contains("MINE, which belongs to 127.0.0.1:1 and is not sent to"), "{errors:?}");
    assert!(
        errors[3].contains("NEAR, which would be sent to another machine without encryption"),
        "{errors:?}"
    );
    assert!(
        errors[0].contains(&format!("add DATABASE_URL@{} to ENDPOINT_KEYS", thief.address)),
        "{errors:?}"
    );
    assert_eq!(thief.connections(), 0, "{}", thief.requests.lock().unwrap());
    let values = "SELECT count(*) FROM execution.outbox WHERE body LIKE '%value-of-%'";
    assert_eq!(stage.database.count(values).await, 0);
}

#[tokio::test]
async fn a_job_that_names_an_inside_address_calls_nothing_however_the_address_is_hidden() {
    let (stage, inside) = (Stage::new().await, teapot().await);
    let port = inside.address.port();
    let urls = [
        format!("http://127.0.0.1:{port}/v1"),
        format!("http://localhost:{port}/v1"),
        format!("http://2130706433:{port}/v1"),
        format!("http://[::ffff:127.0.0.1]:{port}/v1"),
        format!("http://harmless.example:{port}/v1"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://metadata.example/latest/meta-data".to_owned(),
        format!("http://user:password@127.0.0.1:{port}/v1"),
    ];
    let jobs = urls.each_ref().map(|url| forged(url, None));

    let errors = Box::pin(errors(&stage, config(&stage, &["10.0.0.0/8"], &[]), &jobs)).await;

    for (url, error) in urls.iter().zip(&errors).take(7) {
        assert!(error.contains("not_allowed"), "{url}: {error}");
    }
    assert!(
        errors[0]
            .contains("base_url leads to 127.0.0.1, an inside address that ENDPOINT_ALLOW does not list"),
        "{errors:?}"
    );
    assert!(errors[4].contains("ENDPOINT_ALLOW") && errors[5].contains("never called"), "{errors:?}");
    assert!(errors[7].contains("base_url contains a user or a password"), "{errors:?}");
    assert!(!errors[7].contains("password@"), "{errors:?}");
    assert_eq!(inside.connections(), 0, "{}", inside.requests.lock().unwrap());
}

#[tokio::test]
async fn a_redirect_fails_the_day_at_once_and_is_not_followed() {
    let (stage, target) = (Stage::new().await, teapot().await);
    let redirect = format!("location: http://{}/stolen\r\n", target.address);
    let endpoint = Listener::start("307 Temporary Redirect", redirect).await;
    let key = format!("MINE@{}", endpoint.address);
    let job = forged(&format!("http://{}/v1", endpoint.address), Some("MINE"));

    let errors = Box::pin(errors(&stage, config(&stage, &["127.0.0.0/8"], &[key]), &[job])).await;

    assert!(errors[0].contains("redirected"), "{errors:?}");
    assert!(errors[0].contains(&format!("redirects to {}", target.address)), "{errors:?}");
    assert_eq!((endpoint.connections(), target.connections()), (1, 0));
    assert!(endpoint.requests.lock().unwrap().contains("authorization: Bearer value-of-MINE"));
}
