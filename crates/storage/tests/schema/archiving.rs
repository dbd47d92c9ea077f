//! What leaves the database with a job.

use std::collections::BTreeSet;

use storage::archive::JOB_TABLES;
use test_support::TestDatabase;

/// Tables whose rows of a job are deleted with it and are in no archive: they are kept for a while only, or rebuilt.
const NOT_ARCHIVED: [&str; 6] = [
    "trigger.idempotency_keys",
    "trigger.outbox",
    "market.outbox",
    "execution.outbox",
    // Messages of letters that were replayed, which age takes away.
    "status.outbox",
    "status.model_days",
];

#[tokio::test]
async fn every_table_with_rows_of_jobs_is_archived_or_known() {
    let database = TestDatabase::new().await;
    let tables = "SELECT string_agg(format('%s.%s', table_schema, table_name), ' ')
        FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
        WHERE column_name = 'job_id' AND table_type = 'BASE TABLE'
            AND table_schema IN ('trigger', 'market', 'execution', 'status')";
    let tables = database.text(tables).await;
    let known: BTreeSet<&str> = JOB_TABLES.iter().map(|table| table.name).chain(NOT_ARCHIVED).collect();

    let unknown: Vec<&str> = tables.split(' ').filter(|table| !known.contains(table)).collect();

    assert!(tables.contains("status.events"), "{tables}");
    assert!(unknown.is_empty(), "neither archived nor deleted with their jobs: {unknown:?}");
}
