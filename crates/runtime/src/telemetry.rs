//! Logs, traces and metrics. Logs are compact text in a terminal and JSON otherwise; traces are exported only when
//! `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

mod attributes;
mod by_service;
mod collector_client;
mod exposition;
mod log_lines;
mod message_content;
mod process_usage;
mod sampler;
mod span_queue;
mod statements;
mod trace_context;
mod trace_export;

use std::io::IsTerminal;

use metrics_exporter_prometheus::PrometheusHandle;
use opentelemetry::trace::TracerProvider;
use opentelemetry::{Key, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Metadata};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use uuid::Uuid;

use crate::settings::Settings;
use by_service::{ByService, SERVICES};
use log_lines::{Style, WithTrace};
use sampler::StorySampler;
use span_queue::SpanQueue;
use statements::{SlowForPeople, StatementSpans};
use trace_export::Export;

pub use attributes::{set_text, set_texts};
pub(crate) use exposition::{keep_up, render};
pub use message_content::has_message_content;
pub use messaging::{integer, mark_failed};
pub use trace_context::{
    continue_from, current_trace_id, current_traceparent, link_batch, link_span, link_to, link_to_current,
    trace_headers, traceparent_of,
};

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

/// Whether a span, or a log line in it, is part of a trace: of lines, those that say that something went wrong. What went
/// well shows by the spans.
fn is_traced(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() || *metadata.level() <= Level::WARN
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

/// Starts the telemetry of a process named `process`: one of the services, or another name for all of them together.
///
/// # Errors
/// When it was started before, or the exporter's settings are invalid.
pub fn init(process: &'static str) -> anyhow::Result<Telemetry> {
    message_content::read(|name| std::env::var(name).ok())?;
    let export = Export::from_variables(|name| std::env::var(name).ok(), |path| std::fs::read(path))?;
    let mut builder = SdkTracerProvider::builder()
        .with_sampler(StorySampler::from_environment())
        .with_resource(resource(process));
    if let Some(export) = &export {
        let exporter = if SERVICES.contains(&process) {
            ByService::one(export.exporter()?)
        } else {
            ByService::all(|| export.exporter())?
        };
        builder = builder.with_span_processor(SpanQueue::before(exporter));
    }
    let is_exported = export.is_some();
    let provider = builder.build();
    let tracer = provider.tracer("modelday");
    let logs = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let logs = if std::io::stderr().is_terminal() {
        let style = Style::Text;
        logs.with_target(false).compact().map_event_format(|format| WithTrace { format, style }).boxed()
    } else {
        let style = Style::Json;
        logs.json().flatten_event(true).map_event_format(|format| WithTrace { format, style }).boxed()
    };
    let logs = logs.with_filter(log_filter(std::env::var(LOG).ok().as_deref()).and(SlowForPeople));
    let traces = tracing_opentelemetry::layer()
        .with_tracer(tracer.clone())
        .with_location(false)
        .with_threads(false)
        .with_target(true)
        .with_tracked_inactivity(false);
    let statements = is_exported.then(|| {
        let filter = trace_filter(true).with_target(statements::TARGET, LevelFilter::WARN);
        let own = SERVICES.iter().position(|service| *service == process);
        StatementSpans { tracer, own }.with_filter(filter)
    });
    tracing_subscriber::registry()
        .with(logs)
        .with(traces.with_filter(trace_filter(is_exported).and(filter_fn(is_traced))))
        .with(statements)
        .try_init()?;
    let metrics = exposition::install()?;
    span_queue::declare();
    Ok(Telemetry { provider, metrics })
}

/// What a process says of itself: its name, unless `OTEL_SERVICE_NAME` or `OTEL_RESOURCE_ATTRIBUTES` has another one,
/// and which of several processes of that name it is.
fn resource(process: &str) -> Resource {
    let configured = Resource::builder().build();
    let given = |key: &'static str| configured.get_ref(&Key::from_static_str(key)).map(ToString::to_string);
    let default =
        if SERVICES.contains(&process) { format!("modelday-{process}") } else { process.to_owned() };
    // Without a name the SDK makes one up.
    let name = given("service.name").filter(|name| !name.starts_with("unknown_service"));
    let instance = given("service.instance.id").unwrap_or_else(|| Uuid::now_v7().to_string());
    Resource::builder()
        .with_service_name(name.unwrap_or(default))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", instance))
        .build()
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
