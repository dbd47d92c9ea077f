//! Logs, traces and metrics. Logs are compact text in a terminal and JSON otherwise; traces are exported only when
//! `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

mod exposition;
mod process_usage;
mod trace_context;
mod trace_export;

use std::io::IsTerminal;

use metrics_exporter_prometheus::PrometheusHandle;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::Settings;

pub(crate) use exposition::{keep_up, render};
pub use trace_context::{continue_from, current_trace_id, current_traceparent, link_span, link_to_current};

/// The variable that filters log lines.
const LOG: &str = "MODELDAY_LOG";

/// The filter of log lines: that of `setting`, or the default when it is absent or invalid.
fn log_filter(setting: Option<&str>) -> Targets {
    let quiet = [
        ("lapin", LevelFilter::OFF),
        ("sqlx", LevelFilter::WARN),
        ("hyper", LevelFilter::WARN),
        ("opentelemetry", LevelFilter::WARN),
    ];
    let default = || Targets::new().with_default(LevelFilter::INFO).with_targets(quiet);
    let filter = setting.and_then(|setting| setting.parse().ok()).unwrap_or_else(default);
    match setting.is_some_and(|setting| setting.contains(messaging::SEND_TARGET)) {
        true => filter,
        false => filter.with_target(messaging::SEND_TARGET, LevelFilter::OFF),
    }
}

/// Notes an invalid `MODELDAY_LOG` as a mistake. The settings file cannot have this setting, since log lines are written
/// before the file is read.
pub(crate) fn check_log_filter(settings: &mut Settings) {
    let Some(setting) = settings.variable(LOG).map(str::to_owned) else { return };
    if let Err(problem) = setting.parse::<Targets>() {
        let fix = "write a level, or targets with levels, as in info,downloader=debug";
        settings.mistake("environment", LOG, format!("{setting:?}: {problem}"), fix);
    }
}

/// The filter of spans. `send` spans are many, and only worth their time when a collector receives them. The other spans
/// are always on: events and error responses take their trace ids from them.
fn trace_filter(is_exported: bool) -> Targets {
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
    /// Exports the remaining traces. Call once, at the end of the process.
    pub fn flush(&self) {
        if let Err(problem) = self.provider.shutdown() {
            tracing::debug!("the last traces were not exported: {problem}");
        }
    }
}

/// Starts the telemetry of a process named `service`.
///
/// # Errors
/// When it was started before, or the exporter's settings are invalid.
pub fn init(service: &'static str) -> anyhow::Result<Telemetry> {
    let mut builder = SdkTracerProvider::builder().with_resource(
        Resource::builder()
            .with_service_name(
                std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| format!("modelday-{service}")),
            )
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build(),
    );
    let is_exported = trace_export::is_enabled(|name| std::env::var(name).ok())?;
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
        .with(logs.with_filter(log_filter(std::env::var(LOG).ok().as_deref())))
        .with(traces.with_filter(trace_filter(is_exported)))
        .try_init()?;
    Ok(Telemetry { provider, metrics: exposition::install()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(log: &str) -> String {
        let mut settings = Settings::new([(LOG.to_owned(), log.to_owned())].into(), None);
        check_log_filter(&mut settings);
        settings.finish(Some(())).err().map(|mistakes| mistakes.to_string()).unwrap_or_default()
    }

    #[test]
    fn an_invalid_log_filter_is_reported_with_its_fix() {
        let text = mistakes("info,downloader=loud");

        assert!(text.contains("MODELDAY_LOG (environment): \"info,downloader=loud\": "), "{text}");
        assert!(text.contains("as in info,downloader=debug"), "{text}");
        for good in ["", "info", "warn,downloader=debug"] {
            assert_eq!(mistakes(good), "", "{good}");
        }
    }
}
