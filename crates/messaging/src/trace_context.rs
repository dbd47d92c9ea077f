//! The W3C trace context that a message carries. What it means to a tracer is decided by the caller's [`LinkSpan`].

use tracing::Span;

/// W3C trace context as it came with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext<'a> {
    /// Header `traceparent`.
    pub traceparent: &'a str,
    /// Header `tracestate`.
    pub tracestate: Option<&'a str>,
}

/// Relates a new span to the creation contexts of its messages: links them, and continues their trace
/// if that is one.
pub type LinkSpan = fn(&Span, &[TraceContext<'_>]);
