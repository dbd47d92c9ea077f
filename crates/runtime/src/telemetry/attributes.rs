//! Attributes of spans that are lists, which `tracing` has no type for.

use opentelemetry::{Array, StringValue, Value};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Gives `span` an attribute that is a list of texts.
pub fn set_texts(span: &Span, name: &'static str, texts: impl IntoIterator<Item = String>) {
    let texts: Vec<StringValue> = texts.into_iter().map(Into::into).collect();
    span.set_attribute(name, Value::Array(Array::String(texts)));
}
