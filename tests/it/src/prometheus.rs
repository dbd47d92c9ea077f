//! A real Prometheus that scrapes a system under test, with the configuration and the rules of `deploy/telemetry`.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use test_support::eventually;

use crate::client::http;
use crate::folder::Folder;
use crate::process::Process;
use crate::system::{Service, System};

/// The folder with the configuration and the rules.
pub fn prometheus_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/telemetry/prometheus")
}

/// A command of Prometheus' package, `prometheus` or `promtool`, which is installed at first use.
///
/// # Panics
/// When it cannot be installed.
pub fn prometheus_program(name: &str) -> Command {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/local/packages.sh");
        // Without the state folder of the tests' servers, which has another owner.
        let output = Command::new(script).arg("prometheus").env_remove("MODELDAY_STATE").output();
        let output = output.expect("bash is there");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    });
    Command::new(name)
}

/// A running Prometheus. It ends with this value.
pub struct Prometheus {
    _process: Process,
    _folder: Folder,
    url: String,
}

impl Prometheus {
    /// Starts it, and waits until it has scraped each service of the system, which runs in four processes.
    pub async fn start(system: &System) -> Self {
        Self::start_beside(system, &[]).await
    }

    /// The same with other programs to scrape: their jobs and addresses.
    pub async fn start_beside(system: &System, others: &[(&str, &str)]) -> Self {
        prometheus_program("prometheus");
        let folder = Folder::create();
        let read = |name: &str| std::fs::read_to_string(prometheus_folder().join(name)).expect("it is there");
        let mut config = read("prometheus.yml").replace(": 5s", ": 1s");
        let services = [
            ("trigger:8081", Service::Trigger),
            ("downloader:8082", Service::Downloader),
            ("executor:8083", Service::Executor),
            ("status:8084", Service::Status),
        ];
        for (target, service) in services {
            config = replaced(&config, target, &system.address(service));
        }
        config = replaced(&config, "rabbitmq:15692", &broker_metrics());
        config = replaced(&config, "postgres-exporter:9187", "127.0.0.1:9");
        for (job, address) in others {
            config +=
                &format!("  - job_name: {job}\n    static_configs:\n      - targets: [\"{address}\"]\n");
        }
        let file = folder.write("prometheus.yml", &config);
        for rules in ["slo.yml", "alerts.yml"] {
            folder.write(rules, &read(rules));
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        drop(listener);
        let arguments = [
            format!("--config.file={file}"),
            format!("--storage.tsdb.path={}", folder.0.join("data").display()),
            format!("--web.listen-address={address}"),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let log = folder.0.join("prometheus.log");
        let process = Process::spawn("prometheus", Path::new("prometheus"), &arguments, &[], log);
        let prometheus = Self { _process: process, _folder: folder, url: format!("http://{address}") };
        eventually("Prometheus has scraped all services", async || {
            let up = prometheus.query("sum(up{job=\"modelday\"})").await?;
            (up.first()?["value"][1] == "4").then_some(())
        })
        .await;
        prometheus
    }

    /// The samples of an instant query, at this moment; `None` while Prometheus does not answer.
    pub async fn query(&self, expression: &str) -> Option<Vec<Value>> {
        let url = format!("{}/api/v1/query", self.url);
        let response = http().get(url).query(&[("query", expression)]).send().await.ok()?;
        let body: Value = response.json().await.ok()?;
        assert_ne!(body["errorType"], "bad_data", "{expression}: {body}");
        body["data"]["result"].as_array().cloned()
    }

    /// The alerts that fire at this moment.
    pub async fn firing(&self) -> BTreeSet<String> {
        let alerts = self.query("ALERTS{alertstate=\"firing\"}").await.unwrap_or_default();
        alerts.iter().filter_map(|alert| Some(alert["metric"]["alertname"].as_str()?.to_owned())).collect()
    }

    /// Waits until an alert fires, or until it does not fire any more.
    pub async fn until(&self, alert: &str, fires: bool) {
        let what = format!("{alert} {}", if fires { "fires" } else { "has cleared" });
        eventually(&what, async || (self.firing().await.contains(alert) == fires).then_some(())).await;
    }

    /// Waits until everything that was counted before has been scraped from all services.
    pub async fn scraped(&self) {
        let now = chrono::Utc::now().timestamp_millis() as f64 / 1_000.0;
        eventually("each service was scraped again", async || {
            let last = self.query("min(timestamp(up{job=\"modelday\"}))").await?;
            let last: f64 = last.first()?["value"][1].as_str()?.parse().ok()?;
            (last > now).then_some(())
        })
        .await;
    }
}

/// The address of the metrics of the tests' broker: the port after that of its management.
fn broker_metrics() -> String {
    let url = std::env::var("AMQP_MANAGEMENT_URL").expect("the tests run with deploy/local/test.sh");
    let port = url.rsplit_once(':').and_then(|(_, port)| port.trim_end_matches('/').parse::<u16>().ok());
    format!("127.0.0.1:{}", port.expect("AMQP_MANAGEMENT_URL names a port") + 1)
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is in the configuration");
    text.replace(from, to)
}
