//! Which traces are kept. What began a trace is kept as `OTEL_TRACES_SAMPLER` says; a trace that goes on with the work of
//! another one is kept with it, so that a story is there as a whole or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Config, SamplingDecision, SamplingResult, ShouldSample};

/// The attribute that only batches have.
const BATCH: &str = "messaging.batch.message_count";
/// Batches of messages follow each other in milliseconds and look all the same: so many milliseconds lie between two that
/// are kept.
const BATCH_INTERVAL: u64 = 1_000;

/// The sampler of a process.
#[derive(Debug, Clone)]
pub(super) struct StorySampler {
    configured: Box<dyn ShouldSample>,
    began: Instant,
    /// Milliseconds since `began` before which no other batch is kept.
    next_batch: Arc<AtomicU64>,
}

impl StorySampler {
    /// By the variables `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
    pub(super) fn from_environment() -> Self {
        Self::of(Config::default().sampler)
    }

    fn of(configured: Box<dyn ShouldSample>) -> Self {
        Self { configured, began: Instant::now(), next_batch: Arc::default() }
    }

    /// Whether a batch that begins now is kept.
    fn takes_batch(&self) -> bool {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let due = |next: u64| (now >= next).then(|| now.saturating_add(BATCH_INTERVAL));
        self.next_batch.fetch_update(Ordering::AcqRel, Ordering::Acquire, due).is_ok()
    }
}

impl ShouldSample for StorySampler {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let is_root = !parent.is_some_and(|parent| parent.span().span_context().is_valid());
        if !is_root || links.is_empty() {
            return self.configured.should_sample(parent, trace, name, kind, attributes, links);
        }
        let is_batch = attributes.iter().any(|attribute| attribute.key.as_str() == BATCH);
        let is_kept =
            links.iter().any(|link| link.span_context.is_sampled()) && (!is_batch || self.takes_batch());
        SamplingResult {
            decision: if is_kept { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop },
            attributes: Vec::new(),
            trace_state: TraceState::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags};
    use opentelemetry_sdk::trace::Sampler;

    use super::*;

    fn link(flags: TraceFlags) -> Link {
        let context = SpanContext::new(TraceId::from(1), SpanId::from(1), flags, true, TraceState::default());
        Link::new(context, Vec::new(), 0)
    }

    fn is_kept(sampler: &StorySampler, attributes: &[KeyValue], links: &[Link]) -> bool {
        let kind = SpanKind::Internal;
        let result = sampler.should_sample(None, TraceId::from(2), "lane", &kind, attributes, links);
        result.decision == SamplingDecision::RecordAndSample
    }

    #[test]
    fn a_trace_is_kept_with_the_one_whose_work_it_goes_on_with() {
        let (never, always) = (Sampler::AlwaysOff, Sampler::AlwaysOn);

        assert!(is_kept(&StorySampler::of(Box::new(never)), &[], &[link(TraceFlags::SAMPLED)]));
        assert!(!is_kept(&StorySampler::of(Box::new(always.clone())), &[], &[link(TraceFlags::default())]));
        assert!(is_kept(&StorySampler::of(Box::new(always)), &[], &[]));
    }

    #[test]
    fn of_batches_that_follow_each_other_one_is_kept() {
        let sampler = StorySampler::of(Box::new(Sampler::AlwaysOn));
        let batch = [KeyValue::new(BATCH, 3_i64)];
        let links = [link(TraceFlags::default()), link(TraceFlags::SAMPLED)];

        assert!(is_kept(&sampler, &batch, &links));
        assert!(!is_kept(&sampler, &batch, &links));
    }
}
