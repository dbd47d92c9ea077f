//! Logs, traces, metrics. Logs are for people in a terminal and JSON otherwise; traces leave the process
//! only when `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

use std::io::IsTerminal;

use messaging::TraceContext;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

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
    let exports = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
        .iter()
        .any(|key| std::env::var_os(key).is_some_and(|value| !value.is_empty()));
    if exports {
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

/// W3C trace context of the current span, for a message that it causes.
pub fn current_traceparent() -> Option<String> {
    let mut carrier = std::collections::HashMap::new();
    TraceContextPropagator::new().inject_context(&Span::current().context(), &mut carrier);
    carrier.remove("traceparent")
}

/// The trace id of the current span, for a person who reports a problem.
pub fn current_trace_id() -> Option<String> {
    let context = Span::current().context();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| span.trace_id().to_string())
}

/// Makes the creation context of a message the parent of `span`, and links it.
pub fn link_span(span: &Span, contexts: &[TraceContext<'_>]) {
    let single = contexts.len() == 1;
    for context in contexts {
        let parent = parse(context.traceparent, context.tracestate);
        let linked = parent.span().span_context().clone();
        if !linked.is_valid() {
            continue;
        }
        span.add_link(linked);
        if single {
            // Fails only for a span that has begun already, whose parent is then as it is.
            let _ = span.set_parent(parent);
        }
    }
}

/// Makes `traceparent` the parent of `span`.
pub fn continue_from(span: &Span, traceparent: Option<&str>) {
    if let Some(traceparent) = traceparent {
        // Fails only for a span that has begun already, whose parent is then as it is.
        let _ = span.set_parent(parse(traceparent, None));
    }
}

fn parse(traceparent: &str, tracestate: Option<&str>) -> Context {
    let mut carrier = std::collections::HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    if let Some(tracestate) = tracestate {
        carrier.insert("tracestate".to_owned(), tracestate.to_owned());
    }
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
}

/// Links `span` to the current one.
pub fn link_to_current(span: &Span) {
    let current = Span::current().context().span().span_context().clone();
    if current.is_valid() {
        span.add_link(current);
    }
}
