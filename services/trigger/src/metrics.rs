//! What trigger counts, and what it reads from PostgreSQL: how many jobs are active.

use messaging::topology::Account;
use metrics::{counter, describe_counter, describe_gauge, gauge, histogram};
use storage::trigger::count_active_jobs;
use storage::{Owner, PgPool};

/// Describes trigger's metrics, and begins its counters at 0.
pub(crate) fn declare() {
    messaging::declare_metrics(Account::Trigger);
    runtime::declare_metrics(Owner::Trigger);
    describe_counter!("modelday_jobs_accepted_total", "Accepted jobs.");
    describe_counter!("modelday_jobs_cancelled_total", "Jobs that users cancelled.");
    describe_gauge!("modelday_active_jobs", "Accepted jobs whose end trigger does not know yet.");
    describe_gauge!(
        "modelday_paused",
        "Whether a model, a source of prices or a queue is paused: 1, or 0 after it was."
    );
    describe_gauge!("modelday_paused_lanes", "Lanes that wait for what is paused.");
    counter!("modelday_jobs_accepted_total").absolute(0);
    counter!("modelday_jobs_cancelled_total").absolute(0);
    // The objective of acceptance counts from the first request on.
    let _ = histogram!("http_server_request_duration_seconds", "http_request_method" => "POST",
        "http_route" => "/simulate/trigger", "http_response_status_code" => "200");
}

/// Reads trigger's gauges.
pub(crate) async fn measure(pool: &PgPool) -> storage::Result<()> {
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    gauge!("modelday_active_jobs").set(count_active_jobs(pool).await? as f64);
    Ok(())
}
