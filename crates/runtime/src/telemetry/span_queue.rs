//! Spans on their way to the collector: they wait in a queue with a limit, and none is lost without being counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metrics::{counter, describe_counter};
use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

/// Spans by what became of them.
const SPANS: &str = "modelday_trace_spans_total";
/// The variable with the limit of the queue.
const LIMIT: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
/// Spans that may wait, unless [`LIMIT`] says otherwise: those of several seconds of work.
const DEFAULT_LIMIT: usize = 16_384;

/// The queue before an exporter.
#[derive(Debug)]
pub(super) struct SpanQueue {
    exported: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    limit: usize,
}

/// An exporter whose spans are counted.
#[derive(Debug)]
struct Counted<E> {
    exporter: E,
    waiting: Arc<AtomicUsize>,
}

impl SpanQueue {
    /// Gives spans to `exporter`, in batches and by a thread of its own.
    pub(super) fn before<E: SpanExporter + 'static>(exporter: E) -> Self {
        let limit = std::env::var(LIMIT).ok().and_then(|limit| limit.parse().ok()).unwrap_or(DEFAULT_LIMIT);
        let waiting = Arc::new(AtomicUsize::new(0));
        let counted = Counted { exporter, waiting: waiting.clone() };
        let config = BatchConfigBuilder::default().with_max_queue_size(limit).build();
        let exported = BatchSpanProcessor::builder(counted).with_batch_config(config).build();
        Self { exported, waiting, limit }
    }
}

/// Describes the metric, and begins it at 0.
pub(super) fn declare() {
    describe_counter!(SPANS, "Spans of traces, by what became of them on their way to the collector.");
    for outcome in ["exported", "refused", "dropped"] {
        counter!(SPANS, "outcome" => outcome).absolute(0);
    }
}

impl SpanProcessor for SpanQueue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= self.limit {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            counter!(SPANS, "outcome" => "dropped").increment(1);
        } else {
            self.exported.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exported.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exported.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exported.set_resource(resource);
    }
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let exported = self.exporter.export(batch).await;
        self.waiting.fetch_sub(spans, Ordering::AcqRel);
        let outcome = if exported.is_ok() { "exported" } else { "refused" };
        counter!(SPANS, "outcome" => outcome).increment(spans as u64);
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
