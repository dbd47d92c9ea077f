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
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::Settings;

pub use context::{continue_from, current_trace_id, current_traceparent, link_span, link_to_current};

/// The variable that says which log lines are written.
const LOG: &str = "MODELDAY_LOG";

/// Buckets of the OpenTelemetry conventions for durations, in seconds.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Which log lines are written: what `wanted` says, if that can be read.
fn logged(wanted: Option<&str>) -> Targets {
    let quiet = [
        ("lapin", LevelFilter::OFF),
        ("sqlx", LevelFilter::WARN),
        ("hyper", LevelFilter::WARN),
        ("opentelemetry", LevelFilter::WARN),
    ];
    let usual = || Targets::new().with_default(LevelFilter::INFO).with_targets(quiet);
    let logged = wanted.and_then(|wanted| wanted.parse().ok()).unwrap_or_else(usual);
    match wanted.is_some_and(|wanted| wanted.contains(messaging::SEND_TARGET)) {
        true => logged,
        false => logged.with_target(messaging::SEND_TARGET, LevelFilter::OFF),
    }
}

/// Notes a `MODELDAY_LOG` that cannot be read. Until whoever started the process has corrected it, the usual lines are
/// written. A file cannot hold it, since lines are written before files are read.
pub(crate) fn check(settings: &mut Settings) {
    let Some(wanted) = settings.variable(LOG).map(str::to_owned) else { return };
    if let Err(problem) = wanted.parse::<Targets>() {
        let fix = "write a level, or targets with levels, as in info,downloader=debug";
        settings.mistake("environment", LOG, format!("{wanted:?}: {problem}"), fix);
    }
}

/// Of which spans there are traces. Those of messages on their way to the broker are worth their time only when
/// somebody collects them; the others give events and errors their trace ids.
fn traced(is_exported: bool) -> Targets {
    let foreign = ["lapin", "sqlx", "hyper", "opentelemetry", "h2", "tonic"];
    let sent = if is_exported { LevelFilter::INFO } else { LevelFilter::OFF };
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_targets(foreign.map(|target| (target, LevelFilter::OFF)))
        .with_target(messaging::SEND_TARGET, sent)
}

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
    let is_exported = export::wanted(|name| std::env::var(name).ok())?;
    if is_exported {
        let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic().build()?;
        builder = builder.with_batch_exporter(exporter);
    }
    let provider = builder.build();
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
        .with(logs.with_filter(logged(std::env::var(LOG).ok().as_deref())))
        .with(traces.with_filter(traced(is_exported)))
        .try_init()?;
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .install_recorder()?;
    Ok(Telemetry { provider, metrics })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(log: &str) -> String {
        let mut settings = Settings::new([(LOG.to_owned(), log.to_owned())].into(), None);
        check(&mut settings);
        settings.finish(Some(())).err().map(|mistakes| mistakes.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_filter_of_log_lines_that_cannot_be_read_is_told_with_its_fix() {
        let told = mistakes("info,downloader=loud");

        assert!(told.contains("MODELDAY_LOG (environment): \"info,downloader=loud\": "), "{told}");
        assert!(told.contains("as in info,downloader=debug"), "{told}");
        for good in ["", "info", "warn,downloader=debug"] {
            assert_eq!(mistakes(good), "", "{good}");
        }
    }
}
