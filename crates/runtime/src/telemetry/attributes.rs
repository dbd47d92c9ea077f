//! Attributes of spans that are no fields of `tracing`: lists, which it has no type for, and what log lines must not have.

use opentelemetry::{Array, StringValue, Value};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Gives `span` an attribute that is a list of texts.
pub fn set_texts(span: &Span, name: &'static str, texts: impl IntoIterator<Item = String>) {
    let texts: Vec<StringValue> = texts.into_iter().map(Into::into).collect();
    span.set_attribute(name, Value::Array(Array::String(texts)));
}

/// Gives `span` an attribute that stays out of the log lines within it.
pub fn set_text(span: &Span, name: &'static str, text: String) {
    span.set_attribute(name, text);
}
