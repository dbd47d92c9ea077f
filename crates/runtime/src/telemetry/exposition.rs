//! What `/metrics` says, in the text format of Prometheus.
//!
//! Every metric is described where it is recorded, and every series whose labels are known beforehand exists from the
//! start: Prometheus sees the first increase of a counter only if it has seen the counter before.

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use super::process_usage;

/// Bucket bounds of durations, in seconds. The objectives of `deploy/telemetry/prometheus/slo.yml` are among them.
const DURATIONS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Bucket bounds of calls of language models, in seconds: those of OpenTelemetry's conventions.
const CALLS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
/// Bucket bounds of tokens of a call: those of OpenTelemetry's conventions.
const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
/// Bucket bounds of what a call costs, in dollars.
const DOLLARS: [f64; 6] = [0.0001, 0.001, 0.01, 0.1, 1.0, 10.0];
/// How often recorded durations are added up when no scrape does it. Until then each takes memory.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Begins to record the metrics of the process.
pub(super) fn install() -> anyhow::Result<PrometheusHandle> {
    let full = |name: &str| Matcher::Full(name.to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &DURATIONS)?
        .set_buckets_for_metric(full("gen_ai_client_operation_duration_seconds"), &CALLS)?
        .set_buckets_for_metric(full("gen_ai_client_token_usage"), &TOKENS)?
        .set_buckets_for_metric(full("modelday_agent_call_cost_dollars"), &DOLLARS)?
        .install_recorder()?;
    process_usage::started();
    Ok(handle)
}

/// Adds recorded durations up until `stop`.
pub(crate) async fn keep_up(metrics: PrometheusHandle, stop: CancellationToken) {
    let mut rounds = tokio::time::interval(UPKEEP_INTERVAL);
    while stop.run_until_cancelled(rounds.tick()).await.is_some() {
        metrics.run_upkeep();
    }
}

/// The text of all metrics.
pub(crate) fn render(metrics: &PrometheusHandle) -> String {
    let mut text = metrics.render();
    text.push_str(&process_usage::text());
    text
}
