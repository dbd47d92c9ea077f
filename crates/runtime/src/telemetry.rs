//! Logs, traces, metrics. Logs are for people in a terminal and JSON otherwise; traces leave the process
//! only when `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

mod context;
mod export;

use std::io::IsTerminal;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

pub use context::{continue_from, current_trace_id, current_traceparent, link_span, link_to_current};

/// Buckets of the OpenTelemetry conventions for durations, in seconds.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The telemetry of a process.
pub struct Telemetry {
    provider: SdkTracerProvider,
    /// Renders the process's metrics.
    pub metrics: PrometheusHandle,
}

impl Telemetry {
    /// Exports what is left. Call once, at the end of the process.
    pub fn flush(&self) {
        if let Err(problem) = self.provider.shutdown() {
            tracing::debug!("the last traces were not exported: {problem}");
        }
    }
}

/// Starts telemetry of a process named `service`.
///
/// # Errors
/// When something else of the process has started it already, or the exporter's settings cannot be used.
pub fn init(service: &'static str) -> anyhow::Result<Telemetry> {
    let mut builder = SdkTracerProvider::builder().with_resource(
        Resource::builder()
            .with_service_name(
                std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| format!("modelday-{service}")),
            )
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build(),
    );
    if export::wanted(|name| std::env::var(name).ok())? {
        let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().build()?;
        builder = builder.with_batch_exporter(exporter);
    }
    let provider = builder.build();
    let filter = || {
        EnvFilter::try_from_env("MODELDAY_LOG")
            .unwrap_or_else(|_| EnvFilter::new("info,lapin=off,sqlx=warn,hyper=warn,opentelemetry=warn"))
    };
    let logs = if std::io::stderr().is_terminal() {
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false).compact().boxed()
    } else {
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed()
    };
    let traces = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("modelday"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    tracing_subscriber::registry()
        .with(logs.with_filter(filter()))
        .with(traces.with_filter(EnvFilter::new(
            "info,lapin=off,sqlx=off,hyper=off,opentelemetry=off,h2=off,tonic=off",
        )))
        .try_init()?;
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()?;
    Ok(Telemetry { provider, metrics })
}
