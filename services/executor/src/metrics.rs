//! What the executor counts: each fact once, here and in no other service, after the commit that made it one. And what it
//! reads from PostgreSQL: how many lanes there are, and how long turns wait.

use std::collections::BTreeMap;

use domain::job::warning::{Warning, code};
use messaging::topology::{Account, commands};
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use storage::execution::{LANE_STATES, LaneCount, count_running_jobs, lane_counts};
use storage::{Owner, PgPool};

use crate::agent::declare_call_metrics;

/// Kinds of lanes, by the routing keys of their messages.
const KINDS: [(&str, &str); 2] =
    [("in_memory", commands::LANE_CONTINUE), ("agents", commands::LANE_CONTINUE_AGENTS)];

/// Describes the executor's metrics, and begins its counters at 0.
pub(crate) fn declare() {
    messaging::declare_metrics(Account::Executor);
    runtime::declare_metrics(Owner::Executor);
    declare_call_metrics();
    crate::housekeeping::declare();
    describe_counter!(
        "modelday_model_day_outcomes_total",
        "Model-days that ended, counted when they are committed."
    );
    describe_histogram!(
        "modelday_first_day_wait_seconds",
        "Time from the moment that a job could begin to its first day, once for each job."
    );
    describe_gauge!("modelday_lanes", "Open lanes.");
    describe_gauge!(
        "modelday_oldest_ready_turn_age_seconds",
        "How long the oldest turn has waited for a worker."
    );
    describe_gauge!("modelday_running_jobs", "Planned jobs that have not ended.");
    for outcome in ["completed", "failed", "skipped"] {
        model_days(outcome, 0);
    }
    for code in code::ALL {
        counter!("modelday_warnings_total", "code" => code).absolute(0);
    }
    let _ = histogram!("modelday_first_day_wait_seconds");
}

/// Reads the executor's gauges.
#[expect(clippy::cast_precision_loss, reason = "gauges")]
pub(crate) async fn measure(pool: PgPool) -> storage::Result<()> {
    let counts = lane_counts(&pool).await?;
    let counts: BTreeMap<(&str, &str), &LaneCount> =
        counts.iter().map(|count| ((count.routing_key.as_str(), count.state.as_str()), count)).collect();
    for (kind, key) in KINDS {
        for state in LANE_STATES {
            let lanes = counts.get(&(key, state)).map_or(0, |count| count.lanes);
            gauge!("modelday_lanes", "kind" => kind, "state" => state).set(lanes as f64);
        }
        let age = counts.get(&(key, "ready")).map_or(0.0, |count| count.age_seconds);
        gauge!("modelday_oldest_ready_turn_age_seconds", "kind" => kind).set(age);
    }
    gauge!("modelday_running_jobs").set(count_running_jobs(&pool).await? as f64);
    Ok(())
}

/// The first day of a job began after so many seconds.
pub(crate) fn first_day_began(seconds: f64) {
    histogram!("modelday_first_day_wait_seconds").record(seconds);
}

/// Model-days that ended so: `completed`, `failed` or `skipped`.
pub(crate) fn model_days(outcome: &'static str, days: usize) {
    counter!("modelday_model_day_outcomes_total", "outcome" => outcome).increment(days as u64);
}

/// Warnings that a job's end has added to those of its data.
pub(crate) fn warnings(warnings: &[Warning]) {
    for warning in warnings {
        counter!("modelday_warnings_total", "code" => warning.code.clone()).increment(1);
    }
}

/// A write that came too late: the lane is in other hands.
pub(crate) fn fenced_write() {
    counter!("modelday_fenced_writes_total", "service" => "executor").increment(1);
}
