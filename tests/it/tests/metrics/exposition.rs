//! What `/metrics` says: with help, units and types, from the first moment on, and as it is documented.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use it::{Service, System, prometheus_program};

use crate::stage::{publish_noise, run, system};

const SERVICES: [Service; 4] = [Service::Trigger, Service::Downloader, Service::Executor, Service::Status];

/// Counters on which alerts and objectives stand, each with the service that has it.
const FROM_THE_START: [(Service, &str); 10] = [
    (Service::Trigger, "modelday_jobs_accepted_total"),
    (
        Service::Trigger,
        "http_server_request_duration_seconds_count{http_request_method=\"POST\",http_route=\"/simulate/trigger\",http_response_status_code=\"200\"}",
    ),
    (
        Service::Downloader,
        "modelday_provider_calls_total{provider=\"alpha_vantage\",outcome=\"quota_exhausted\"}",
    ),
    (
        Service::Downloader,
        "messaging_dead_letters_total{messaging_destination_subscription_name=\"downloader.jobs.v1\"}",
    ),
    (Service::Executor, "modelday_model_day_outcomes_total{outcome=\"failed\"}"),
    (Service::Executor, "modelday_agent_calls_total{class=\"throttled\"}"),
    (Service::Executor, "modelday_first_day_wait_seconds_count"),
    (Service::Status, "modelday_dead_letters_total"),
    (Service::Status, "modelday_jobs_ended_total{outcome=\"cancelled\"}"),
    (Service::Status, "modelday_projection_lag_seconds_count"),
];

#[tokio::test]
async fn metrics_are_complete_from_the_start_described_and_documented() {
    let (system, _endpoints) = system().await;
    for (service, series) in FROM_THE_START {
        let text = metrics(&system, service).await;
        assert!(text.contains(&format!("\n{series} 0\n")), "no {series} at 0 in\n{text}");
    }
    for service in SERVICES {
        assert_accepted(&metrics(&system, service).await);
    }

    run(&system, "default").await;
    publish_noise(&system).await;
    system.counter(Service::Status, "modelday_dead_letters_total").await;
    system.counter(Service::Executor, "modelday_table_size_bytes").await;

    let mut families = BTreeMap::new();
    for service in SERVICES {
        let text = metrics(&system, service).await;
        assert_accepted(&text);
        assert_bounded(&text);
        families.extend(self::families(&text));
    }
    let documented = documented();
    let known: BTreeSet<&str> = documented.iter().map(String::as_str).collect();
    let there: BTreeSet<&str> = families.keys().map(String::as_str).collect();
    assert_eq!(known, there, "docs/observability.md has the metrics that there are");
}

async fn metrics(system: &System, service: Service) -> String {
    let (status, text) = system.get(service, "/metrics").await.expect("it answers");
    assert_eq!(status, 200);
    text
}

/// Checks the text with Prometheus' own tool, which also looks at names, units and help.
fn assert_accepted(text: &str) {
    let mut promtool = prometheus_program("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = promtool.spawn().expect("promtool is there");
    running.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}\n{text}", String::from_utf8_lossy(&said));
}

/// A job, a symbol or a date in a label would be a new series each time.
fn assert_bounded(text: &str) {
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let labels = line.split_once('{').map(|(_, labels)| labels).unwrap_or_default();
        let is_id = |value: &str| uuid::Uuid::parse_str(value).is_ok() || value.starts_with("2025-");
        assert!(!labels.split('"').skip(1).step_by(2).any(is_id), "{line}");
    }
}

/// The names of the metrics, with their types.
fn families(text: &str) -> BTreeMap<String, String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    types.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect()
}

/// The names in the tables of the section about metrics.
fn documented() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/observability.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, section) = page.split_once("\n## Metrics\n").expect("the section is there");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.map(str::to_owned).collect()
}
