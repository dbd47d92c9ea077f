//! What the executor counts: each fact once, here and in no other service, after the commit that made it one.

use domain::job::warning::Warning;

/// Model-days that ended so: `completed`, `failed` or `skipped`.
pub(crate) fn model_days(outcome: &'static str, days: usize) {
    metrics::counter!("modelday_model_days_total", "outcome" => outcome).increment(days as u64);
}

/// Warnings that a job's end has added to those of its data.
pub(crate) fn warnings(warnings: &[Warning]) {
    for warning in warnings {
        metrics::counter!("modelday_warnings_total", "code" => warning.code.clone()).increment(1);
    }
}

/// A write that came too late: the lane is in other hands.
pub(crate) fn fenced_write() {
    metrics::counter!("modelday_fenced_writes_total", "service" => "executor").increment(1);
}
