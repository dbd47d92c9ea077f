//! The W3C trace context that a message carries. This crate passes it on as text; the caller's [`LinkSpan`] and
//! [`TraceparentOf`] give it to a tracer.

use tracing::Span;

/// The trace context of the span that created a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext<'a> {
    /// Header `traceparent`.
    pub traceparent: &'a str,
    /// Header `tracestate`.
    pub tracestate: Option<&'a str>,
}

/// Links a new span to the trace contexts of its messages, and continues their trace when all of them belong to one.
pub type LinkSpan = fn(&Span, &[TraceContext<'_>]);

/// The `traceparent` by which others continue the trace of a span; `None` when it belongs to no trace.
pub type TraceparentOf = fn(&Span) -> Option<String>;
