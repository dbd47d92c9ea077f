//! What status counts, and what it reads from PostgreSQL: how far its log goes back.

use domain::job::{JobOutcome, JobState};
use messaging::topology::Account;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use storage::status::oldest_rows;
use storage::tables::OldestRow;
use storage::{Owner, PgPool};

/// Describes the metrics of status, and begins its counters at 0.
pub(crate) fn declare() {
    messaging::declare_metrics(Account::Status);
    runtime::declare_metrics(Owner::Status);
    crate::housekeeping::declare();
    describe_counter!(
        "modelday_jobs_ended_total",
        "Ended jobs, counted when their terminal event is projected."
    );
    describe_counter!("modelday_events_projected_total", "Events that were added to the log.");
    describe_histogram!(
        "modelday_projection_lag_seconds",
        "Time from the writing of an event to its projection."
    );
    describe_gauge!(
        "modelday_projector_at_work",
        "1 in the process that projects events, 0 in one that stands by."
    );
    describe_counter!("modelday_dead_letters_total", "Dead letters that were stored.");
    describe_gauge!("modelday_dead_letters_open", "Dead letters that are neither replayed nor discarded.");
    describe_gauge!("modelday_event_streams", "Open event streams.");
    for kind in messaging::event_kinds() {
        counter!("modelday_events_projected_total", "type" => kind).absolute(0);
    }
    for outcome in [JobOutcome::Completed, JobOutcome::Partial, JobOutcome::Failed, JobOutcome::Cancelled] {
        counter!("modelday_jobs_ended_total", "outcome" => name(outcome)).absolute(0);
    }
    counter!("modelday_dead_letters_total").absolute(0);
    gauge!("modelday_dead_letters_open").set(0.0);
    gauge!("modelday_event_streams").increment(0.0);
    gauge!("modelday_projector_at_work").set(0.0);
    let _ = histogram!("modelday_projection_lag_seconds");
}

/// The label of an outcome.
pub(crate) fn name(outcome: JobOutcome) -> &'static str {
    JobState::from(outcome).as_str()
}

/// Reads the gauges of status.
pub(crate) async fn measure(pool: PgPool) -> storage::Result<()> {
    for OldestRow { schema, table, age_seconds } in oldest_rows(&pool).await? {
        gauge!("modelday_oldest_row_age_seconds", "schema" => schema, "table" => table).set(age_seconds);
    }
    Ok(())
}
