//! The traces of a job's lanes. Each lane has one of its own, so that a job of many days stays readable; the trace of the
//! job shows where they are.

use std::collections::BTreeMap;

use domain::values::ids::JobId;
use runtime::telemetry;
use storage::execution::NewLane;
use tracing::Span;

/// Lanes that have a span each in the trace of the job; the others have one for each model.
const SHOWN_ONE_BY_ONE: usize = 100;

/// Begins the traces of `lanes`, linked to the current span and from it; `before` is how many portfolios of the job come
/// before these.
pub(super) fn begin(job: JobId, before: usize, lanes: &mut [NewLane]) {
    let mut others: BTreeMap<String, (usize, Span)> = BTreeMap::new();
    for (place, lane) in lanes.iter_mut().enumerate() {
        let trace = tracing::info_span!(
            parent: None,
            "lane",
            otel.name = format!("lane {}", lane.model),
            job.id = %job,
            model = lane.model,
            trial = i64::from(lane.trial),
            model_day.count = telemetry::integer(lane.dates.len()),
        );
        telemetry::link_to_current(&trace);
        lane.traceparent = telemetry::traceparent_of(&trace);
        if before + place < SHOWN_ONE_BY_ONE {
            show(&lane.model, Some(lane.trial), 1, &trace);
        } else {
            others.entry(lane.model.clone()).or_insert((0, trace)).0 += 1;
        }
    }
    for (model, (lanes, first)) in &others {
        show(model, None, *lanes, first);
    }
}

/// A span of the job's trace that leads to the trace of a lane, or to the first of several.
fn show(model: &str, trial: Option<u32>, lanes: usize, trace: &Span) {
    let span = tracing::info_span!(
        "lane",
        otel.name = format!("lane {model}"),
        model,
        trial = trial.map(i64::from),
        lane.count = telemetry::integer(lanes),
    );
    telemetry::link_to(&span, trace);
}
