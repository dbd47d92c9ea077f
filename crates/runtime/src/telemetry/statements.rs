//! Statements that took long: sqlx reports them when they have ended, and they become spans.

use std::time::{Duration, SystemTime};

use opentelemetry::trace::{Span as _, SpanKind, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;
use storage::Owner;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Id, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{self, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::by_service::{SERVICE, SERVICES, service_of};

/// The target of sqlx's reports.
pub(super) const TARGET: &str = "sqlx::query";
/// Reports of statements that took less are no log lines.
const WORTH_A_LINE: f64 = 1.0;

/// Makes spans of sqlx's reports.
pub(super) struct StatementSpans {
    pub(super) tracer: SdkTracer,
    /// The place in [`SERVICES`] of the process, unless it runs several.
    pub(super) own: Option<usize>,
}

/// Of a span: the place of its service in [`SERVICES`].
struct Service(usize);

/// What a report says.
#[derive(Default)]
struct Report {
    name: Option<String>,
    seconds: f64,
}

impl Visit for Report {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.seconds = value;
        }
    }

    /// The statement begins with a comment that is its name.
    fn record_str(&mut self, field: &Field, value: &str) {
        let text = value.trim_start();
        let name = text.strip_prefix("-- ").and_then(|rest| rest.lines().next());
        if let (Some(name), "summary" | "db.statement") = (name, field.name()) {
            // The whole statement is reported after its first words, unless it consists of them.
            self.name = Some(name.trim().to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// Finds the service among the fields of a span.
struct ServiceField(Option<usize>);

impl Visit for ServiceField {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == SERVICE {
            self.0 = service_of(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl<S> Layer<S> for StatementSpans
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        let metadata = attributes.metadata();
        let service = service_of(metadata.target()).or_else(|| {
            metadata.fields().field(SERVICE)?;
            let mut found = ServiceField(None);
            attributes.record(&mut found);
            found.0
        });
        if let (Some(service), Some(span)) = (service, context.span(id)) {
            span.extensions_mut().replace(Service(service));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: layer::Context<'_, S>) {
        let mut found = ServiceField(None);
        values.record(&mut found);
        if let (Some(service), Some(span)) = (found.0, context.span(id)) {
            span.extensions_mut().replace(Service(service));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: layer::Context<'_, S>) {
        let parent = Context::current();
        if event.metadata().target() != TARGET || !parent.span().span_context().is_sampled() {
            return;
        }
        let mut report = Report::default();
        event.record(&mut report);
        let Some(name) = report.name else { return };
        let mut attributes = vec![
            KeyValue::new("db.system.name", "postgresql"),
            KeyValue::new("db.query.summary", name.clone()),
        ];
        let mut spans = context.event_scope(event).into_iter().flatten();
        let service = spans.find_map(|span| span.extensions().get::<Service>().map(|service| service.0));
        if let Some(service) = service.or(self.own) {
            attributes.push(KeyValue::new(SERVICE, SERVICES[service]));
            attributes.push(KeyValue::new("db.namespace", Owner::ALL[service].schema()));
        }
        let ended = SystemTime::now();
        let began = ended - Duration::try_from_secs_f64(report.seconds).unwrap_or_default();
        let builder = self.tracer.span_builder(name).with_kind(SpanKind::Client);
        let builder = builder.with_start_time(began).with_attributes(attributes);
        self.tracer.build_with_context(builder, &parent).end_with_timestamp(ended);
    }
}

/// Keeps reports out of the log of statements that were not slow for people.
pub(super) struct SlowForPeople;

impl<S: Subscriber> Filter<S> for SlowForPeople {
    fn enabled(&self, _: &Metadata<'_>, _: &layer::Context<'_, S>) -> bool {
        true
    }

    fn callsite_enabled(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::always()
    }

    fn event_enabled(&self, event: &Event<'_>, _: &layer::Context<'_, S>) -> bool {
        // Reports of all statements, which have another level, are for those who turned them on.
        if event.metadata().target() != TARGET || *event.metadata().level() != tracing::Level::WARN {
            return true;
        }
        let mut report = Report::default();
        event.record(&mut report);
        report.seconds >= WORTH_A_LINE
    }
}
