//! The metrics that every service has: what they mean, and those that are read from PostgreSQL.
//!
//! A process reads about the schema of its own service only. Several processes of a service say the same, so that
//! queries take the highest value instead of the sum.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, gauge};
use storage::tables::{OldestRow, TableSize};
use storage::{Owner, PgPool, tables};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::http;
use crate::retention::PrunedTable;

/// How often gauges are read.
const INTERVAL: Duration = Duration::from_secs(5);

/// Describes the metrics that every service has, and begins its counters at 0.
pub fn declare_metrics(owner: Owner) {
    let service = owner.as_str();
    describe_gauge!("modelday_outbox_depth", "Messages that wait in the outbox.");
    describe_gauge!("modelday_outbox_age_seconds", "Age of the oldest message that waits in the outbox.");
    describe_gauge!("modelday_table_rows", "Rows of a table, as PostgreSQL estimates them.");
    describe_gauge!("modelday_table_size_bytes", "Size of a table with its indexes.");
    describe_gauge!("modelday_oldest_row_age_seconds", "Age of the oldest row that a table keeps.");
    describe_counter!(
        "modelday_fenced_writes_total",
        "Writes refused because another worker had taken over the work."
    );
    describe_counter!("modelday_warnings_total", "Warnings, counted by the service that raises them.");
    counter!("modelday_fenced_writes_total", "service" => service).absolute(0);
    PrunedTable::outbox(owner).declare();
    gauge!("modelday_outbox_depth", "service" => service).set(0.0);
    gauge!("modelday_outbox_age_seconds", "service" => service).set(0.0);
    http::declare_metrics();
}

/// Reads the gauges of a service at once and then every five seconds until `stop`: the sizes of its tables, and `own`.
pub async fn keep_measuring<F>(pool: PgPool, stop: CancellationToken, own: impl Fn() -> F)
where
    F: Future<Output = storage::Result<()>>,
{
    let mut rounds = tokio::time::interval(INTERVAL);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(rounds.tick()).await.is_some() {
        let measured = async {
            measure_tables(&pool).await?;
            own().await
        };
        if let Err(problem) = measured.await {
            tracing::debug!("gauges keep their last values: {problem}");
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "gauges")]
async fn measure_tables(pool: &PgPool) -> storage::Result<()> {
    for TableSize { schema, table, rows, bytes } in tables::sizes(pool).await? {
        gauge!("modelday_table_rows", "schema" => schema.clone(), "table" => table.clone()).set(rows as f64);
        gauge!("modelday_table_size_bytes", "schema" => schema, "table" => table).set(bytes as f64);
    }
    for OldestRow { schema, table, age_seconds } in tables::oldest_rows(pool).await? {
        gauge!("modelday_oldest_row_age_seconds", "schema" => schema, "table" => table).set(age_seconds);
    }
    Ok(())
}
