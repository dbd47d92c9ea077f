//! Converts between spans and the W3C trace context that requests, messages and database rows carry as text.

use std::collections::{HashMap, HashSet};

use messaging::TraceContext;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The most causes that a batch links to.
const MAX_LINKS: usize = 128;

/// W3C `traceparent` of the current span, for a message that it causes.
pub fn current_traceparent() -> Option<String> {
    text(Context::current().span().span_context())
}

/// W3C `traceparent` of `span`.
pub fn traceparent_of(span: &Span) -> Option<String> {
    text(span.context().span().span_context())
}

fn text(span: &SpanContext) -> Option<String> {
    let (trace, id, flags) = (span.trace_id(), span.span_id(), span.trace_flags().to_u8());
    span.is_valid().then(|| format!("00-{trace}-{id}-{flags:02x}"))
}

/// The headers by which a request that is sent to others says which trace it belongs to.
pub fn trace_headers() -> Vec<(&'static str, String)> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&Context::current(), &mut carrier);
    let header = |name: &'static str| Some((name, carrier.remove(name).filter(|value| !value.is_empty())?));
    ["traceparent", "tracestate"].into_iter().filter_map(header).collect()
}

/// The trace id of the current span, for error responses.
pub fn current_trace_id() -> Option<String> {
    let context = Context::current();
    let span = context.span().span_context().clone();
    span.is_valid().then(|| span.trace_id().to_string())
}

/// Links `span` to the trace contexts of its messages, and continues their trace when all of them belong to one.
pub fn link_span(span: &Span, contexts: &[TraceContext<'_>]) {
    let parsed = contexts.iter().map(|context| parse(context.traceparent, context.tracestate));
    let created: Vec<Context> = parsed.filter(|context| context.span().span_context().is_valid()).collect();
    for context in &created {
        span.add_link(context.span().span_context().clone());
    }
    let trace = |context: &Context| context.span().span_context().trace_id();
    if let Some(first) = created.first()
        && created.iter().all(|context| trace(context) == trace(first))
    {
        // Fails only for a span that was entered already; it keeps its parent then.
        let _ = span.set_parent(first.clone());
    }
}

/// Links `span`, which is a trace of its own, to what caused the messages of a batch: to 128 different spans at most.
pub fn link_batch(span: &Span, contexts: &[TraceContext<'_>]) {
    let mut known = HashSet::new();
    let different = contexts.iter().filter(|context| known.insert(context.traceparent));
    for context in different.take(MAX_LINKS) {
        // An invalid one is not linked.
        span.add_link(parse(context.traceparent, None).span().span_context().clone());
    }
}

/// Makes the trace context of a caller or of a stored row the parent of `span`.
pub fn continue_from(span: &Span, traceparent: Option<&str>, tracestate: Option<&str>) {
    if let Some(traceparent) = traceparent {
        // Fails only for a span that was entered already; it keeps its parent then.
        let _ = span.set_parent(parse(traceparent, tracestate));
    }
}

fn parse(traceparent: &str, tracestate: Option<&str>) -> Context {
    let mut carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    if let Some(tracestate) = tracestate {
        carrier.insert("tracestate".to_owned(), tracestate.to_owned());
    }
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
}

/// Links `span` to `other`.
pub fn link_to(span: &Span, other: &Span) {
    span.add_link(other.context().span().span_context().clone());
}

/// Links `span` to the current one.
pub fn link_to_current(span: &Span) {
    span.add_link(Context::current().span().span_context().clone());
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const ONE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const SAME_TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b8-01";
    const OTHER_TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b9-01";

    /// The trace in which messages with these creation contexts are handled.
    fn trace_of(traceparents: &[&str]) -> String {
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let subscriber =
            tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("process");
            let context = |traceparent| TraceContext { traceparent, tracestate: None };
            let contexts: Vec<_> = traceparents.iter().map(|traceparent| context(*traceparent)).collect();
            link_span(&span, &contexts);
            span.in_scope(|| current_trace_id().unwrap())
        })
    }

    #[test]
    fn messages_of_one_trace_are_handled_in_it() {
        assert_eq!(trace_of(&[ONE]), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace_of(&[ONE, SAME_TRACE]), "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    #[test]
    fn messages_of_several_traces_are_handled_in_none_of_them() {
        let trace = trace_of(&[ONE, OTHER_TRACE]);

        assert!(!ONE.contains(&trace) && !OTHER_TRACE.contains(&trace), "{trace}");
    }

    #[test]
    fn what_is_sent_to_others_says_the_trace_and_the_state_that_came_with_it() {
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let subscriber =
            tracing_subscriber::registry().with(tracing_opentelemetry::layer().with_tracer(tracer));
        let (headers, traceparent) = tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("request");
            continue_from(&span, Some(ONE), Some("vendor=1"));
            span.in_scope(|| (trace_headers(), current_traceparent().unwrap()))
        });

        assert_eq!(headers, [("traceparent", traceparent.clone()), ("tracestate", "vendor=1".to_owned())]);
        assert!(traceparent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{traceparent}");
        assert_ne!(traceparent, ONE);
    }

    #[test]
    fn an_invalid_trace_context_is_ignored() {
        assert_eq!(trace_of(&["nonsense", ONE]), "4bf92f3577b34da6a3ce929d0e0e4736");
    }
}
