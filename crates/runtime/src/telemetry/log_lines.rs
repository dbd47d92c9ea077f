//! Log lines that say which trace they belong to.

use std::fmt;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Text,
    Json,
}

/// Writes lines as `format` does, with `trace_id` and `span_id` at their end when they belong to a span.
pub(super) struct WithTrace<F> {
    pub(super) format: F,
    pub(super) style: Style,
}

impl<S, N, F> FormatEvent<S, N> for WithTrace<F>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        // Not of `context`: that knows only the spans which the filter of log lines lets through.
        let current = Context::current();
        let span = current.span().span_context().clone();
        if !span.is_valid() {
            return self.format.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.format.format_event(context, Writer::new(&mut line), event)?;
        let (trace, span) = (span.trace_id(), span.span_id());
        let line = line.trim_end_matches('\n');
        match self.style {
            Style::Text => writeln!(writer, "{line} trace_id={trace} span_id={span}"),
            Style::Json => {
                let members = line.strip_suffix('}').unwrap_or(line);
                writeln!(writer, "{members},\"trace_id\":\"{trace}\",\"span_id\":\"{span}\"}}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::Layer as _;
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines of `work`, of which the filter lets only warnings through.
    fn lines(style: Style, work: impl FnOnce()) -> String {
        let written = Lines::default();
        let make = {
            let written = written.clone();
            move || written.clone()
        };
        let lines = tracing_subscriber::fmt::layer().with_writer(make).with_ansi(false);
        let lines = match style {
            Style::Text => lines.compact().map_event_format(|format| WithTrace { format, style }).boxed(),
            Style::Json => lines.json().map_event_format(|format| WithTrace { format, style }).boxed(),
        };
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let subscriber = tracing_subscriber::registry()
            .with(lines.with_filter(LevelFilter::WARN))
            .with(tracing_opentelemetry::layer().with_tracer(tracer));
        tracing::subscriber::with_default(subscriber, work);
        let written = written.0.lock().unwrap().clone();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn a_line_in_a_span_says_its_trace_although_the_filter_hides_the_span() {
        let work = || tracing::info_span!("process").in_scope(|| tracing::warn!(queue = "q", "kept"));

        let json: serde_json::Value = serde_json::from_str(&lines(Style::Json, work)).unwrap();
        let text = lines(Style::Text, work);

        assert_eq!(json["trace_id"].as_str().map(str::len), Some(32), "{json}");
        assert_eq!(json["span_id"].as_str().map(str::len), Some(16), "{json}");
        assert_eq!(json["fields"]["queue"], "q");
        assert!(text.contains(" trace_id=") && text.contains(" span_id="), "{text}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn a_line_outside_of_spans_is_as_it_always_was() {
        let text = lines(Style::Text, || tracing::warn!("alone"));

        assert!(text.ends_with("alone\n") && !text.contains("trace_id"), "{text}");
    }
}
