//! Least privilege: a service writes only its own schema, and reads of others what it was promised.

use std::collections::BTreeSet;

use sqlx::Executor;
use storage::Owner;
use test_support::TestDatabase;

/// Each schema with its owner.
const OWNERS: [(&str, &str); 4] = [
    ("trigger", "modelday_trigger"),
    ("market", "modelday_downloader"),
    ("execution", "modelday_executor"),
    ("status", "modelday_status"),
];

/// What a role may read of a schema that is not its own; it may write nothing there.
const READS: [(&str, &str); 54] = [
    ("modelday_trigger", "signing.keys"),
    ("modelday_downloader", "signing.keys"),
    ("modelday_executor", "signing.keys"),
    ("modelday_status", "signing.keys"),
    ("modelday_downloader", "trigger.pauses"),
    ("modelday_executor", "trigger.pauses"),
    ("modelday_status", "trigger.pauses"),
    ("modelday_executor", "trigger.agents"),
    ("modelday_executor", "trigger.universes"),
    ("modelday_downloader", "trigger.universes"),
    ("modelday_executor", "market.price_version"),
    ("modelday_executor", "market.symbol_changes"),
    ("modelday_executor", "market.replaced_bars"),
    ("modelday_executor", "market.corporate_actions"),
    ("modelday_executor", "market.total_return_symbols"),
    ("modelday_executor", "execution.winning_days"),
    ("modelday_downloader", "execution.repriced_days"),
    ("modelday_status", "execution.repriced_days"),
    ("modelday_downloader", "trigger.cancellations"),
    ("modelday_executor", "trigger.cancellations"),
    ("modelday_status", "trigger.cancellations"),
    ("modelday_downloader", "trigger.jobs"),
    ("modelday_status", "trigger.jobs"),
    ("modelday_downloader", "trigger.outbox"),
    ("modelday_status", "trigger.outbox"),
    ("modelday_executor", "market.bars"),
    ("modelday_status", "market.bars"),
    ("modelday_status", "market.corporate_actions"),
    ("modelday_status", "market.total_return_symbols"),
    ("modelday_executor", "market.outbox"),
    ("modelday_status", "market.outbox"),
    ("modelday_trigger", "market.corporate_actions"),
    ("modelday_trigger", "execution.completed_days"),
    ("modelday_downloader", "execution.completed_days"),
    ("modelday_downloader", "execution.held_symbols"),
    ("modelday_trigger", "execution.outbox"),
    ("modelday_trigger", "execution.ended_jobs"),
    ("modelday_trigger", "execution.failed_days"),
    ("modelday_trigger", "execution.winning_days"),
    ("modelday_trigger", "execution.agent_days"),
    ("modelday_trigger", "execution.held_symbols"),
    ("modelday_trigger", "execution.key_variables"),
    ("modelday_trigger", "market.stored_days"),
    ("modelday_trigger", "market.answered_spans"),
    ("modelday_trigger", "market.source_quota"),
    ("modelday_trigger", "market.refused_symbols"),
    ("modelday_trigger", "market.source_quotas"),
    ("modelday_trigger", "execution.open_lanes"),
    ("modelday_status", "execution.open_lanes"),
    ("modelday_trigger", "market.open_preparations"),
    ("modelday_status", "market.open_preparations"),
    ("modelday_trigger", "market.calls_in_flight"),
    ("modelday_status", "execution.outbox"),
    ("modelday_status", "execution.conversations"),
];

#[tokio::test]
async fn every_role_may_do_what_it_was_promised_and_nothing_else() {
    let database = TestDatabase::new().await;
    let granted: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT role.rolname, n.nspname || '.' || c.relname, privilege
         FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN pg_roles role
         CROSS JOIN UNNEST(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS privilege
         WHERE n.nspname IN ('trigger', 'market', 'execution', 'status', 'signing') AND c.relkind IN ('r', 'p', 'v', 'm')
             AND role.rolname LIKE 'modelday\\_%'
             AND role.rolname IN ('modelday_trigger', 'modelday_downloader', 'modelday_executor', 'modelday_status')
             AND has_schema_privilege(role.oid, n.oid, 'USAGE')
             AND has_table_privilege(role.oid, c.oid, privilege)",
    )
    .fetch_all(&database.admin)
    .await
    .unwrap();
    let tables: Vec<(String,)> = sqlx::query_as(
        "SELECT schemaname || '.' || tablename FROM pg_tables
         WHERE schemaname IN ('trigger', 'market', 'execution', 'status')",
    )
    .fetch_all(&database.admin)
    .await
    .unwrap();

    let mut promised: BTreeSet<(String, String, String)> = BTreeSet::new();
    let mut promise = |role: &str, table: &str, privileges: &[&str]| {
        promised.extend(privileges.iter().map(|one| (role.to_owned(), table.to_owned(), (*one).to_owned())));
    };
    for (table,) in &tables {
        let owner = OWNERS.iter().find(|(schema, _)| table.starts_with(&format!("{schema}."))).unwrap().1;
        promise(owner, table, &["SELECT", "INSERT", "UPDATE", "DELETE"]);
    }
    for (role, table) in READS {
        promise(role, table, &["SELECT"]);
    }

    let granted = granted.into_iter().collect::<BTreeSet<_>>();
    let wrong: Vec<_> = granted.symmetric_difference(&promised).collect();
    assert!(wrong.is_empty(), "granted and not promised, or the other way round: {wrong:?}");
}

#[tokio::test]
async fn a_service_that_writes_elsewhere_is_refused() {
    let database = TestDatabase::new().await;
    let writes = [
        ("trigger", "UPDATE trigger.jobs SET ended_at = now()"),
        ("trigger", "DELETE FROM trigger.outbox"),
        ("market", "DELETE FROM market.bars"),
        ("market", "UPDATE market.outbox SET sent_at = NULL"),
        ("execution", "UPDATE execution.lanes SET epoch = 0"),
        ("execution", "DELETE FROM execution.model_days"),
        ("execution", "UPDATE execution.outbox SET sent_at = NULL"),
        ("status", "DELETE FROM status.events"),
    ];
    let services = [
        (Owner::Trigger, "trigger"),
        (Owner::Downloader, "market"),
        (Owner::Executor, "execution"),
        (Owner::Status, "status"),
    ];

    for (service, own) in services {
        let pool = database.pool(service).await;
        for (schema, statement) in writes {
            let done = pool.execute(statement).await;
            let refused = done.as_ref().err().and_then(|error| error.as_database_error());
            let code = refused.and_then(|error| error.code()).unwrap_or_default();
            let expected = if schema == own { "" } else { "42501" };
            assert_eq!(code, expected, "{}: {statement}", service.as_str());
        }
    }
}
