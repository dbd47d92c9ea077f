//! Databases that cannot be brought up to date.

use storage::StorageError;
use test_support::TestDatabase;

/// Notes a migration as applied.
async fn applied(database: &TestDatabase, version: i64) {
    let row = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES ({version}, 'lanes in place', true, '\\x00', 1)"
    );
    database.execute(&row).await;
}

#[tokio::test]
async fn a_database_of_a_development_version_is_refused_with_what_to_do() {
    let database = TestDatabase::new().await;
    applied(&database, 20_261_124_000_601).await;

    let refused = storage::migrate(database.url()).await.unwrap_err();

    assert!(matches!(refused, StorageError::BeforeBaseline));
    assert_eq!(
        refused.to_string(),
        "the database was made by an earlier development version and cannot be brought up to date: if `make run` \
         made it, run `make down` and remove .local/postgres; if it is your own, dump its results and create it again"
    );
}

#[tokio::test]
async fn a_database_of_a_later_version_is_refused_as_such() {
    let database = TestDatabase::new().await;
    applied(&database, 29_991_231_000_001).await;

    let refused = storage::migrate(database.url()).await.unwrap_err();

    assert!(matches!(refused, StorageError::Migration(_)), "{refused}");
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let database = TestDatabase::new().await;

    storage::migrate(database.url()).await.unwrap();
}

/// Nobody may publish to the former exchange any more, so its commands would wait for ever.
#[tokio::test]
async fn waiting_commands_go_to_the_exchange_that_takes_their_place() {
    let database = TestDatabase::new().await;
    for schema in ["trigger", "market", "execution", "status"] {
        let rows = format!(
            "INSERT INTO {schema}.outbox (event_id, kind, exchange, routing_key, job_id, body, sent_at)
             SELECT gen_random_uuid(), 'job.cancel', exchange, 'job.cancel', gen_random_uuid(), '{{}}', sent_at
             FROM (VALUES ('modelday.commands', NULL), ('modelday.commands', now()), ('modelday.events', NULL))
                 AS rows (exchange, sent_at)"
        );
        assert_eq!(database.execute(&rows).await, 3);
    }

    let migration = include_str!("../../../../migrations/20261130014000_commands_exchange.sql");
    database.execute(migration).await;

    for schema in ["trigger", "market", "execution", "status"] {
        let unsent = format!(
            "SELECT string_agg(exchange, ' ' ORDER BY exchange) FROM {schema}.outbox WHERE sent_at IS NULL"
        );
        assert_eq!(database.text(&unsent).await, "modelday.commands.v2 modelday.events", "{schema}");
    }
}

#[tokio::test]
async fn what_is_stored_of_a_class_of_shares_is_found_under_its_one_spelling() {
    let database = TestDatabase::new().await;
    let bars = "INSERT INTO market.bars (trading_date, symbol, open, high, low, close, volume, source)
        SELECT date::date, symbol, 1, 1, 1, 1, 1, symbol
        FROM (VALUES ('2025-10-01', 'BRK-B'), ('2025-10-02', 'BRK-B'), ('2025-10-02', 'BRK.B'), ('2025-10-01', 'BTC-USD'))
            AS rows (date, symbol)";
    assert_eq!(database.execute(bars).await, 4);
    let actions =
        "INSERT INTO market.corporate_actions (symbol, trading_date, kind, version, from_shares, to_shares)
        VALUES ('BF-B', '2025-10-01', 'split', 1, 1, 2)";
    database.execute(actions).await;

    let migration = include_str!("../../../../migrations/20261130020000_class_shares.sql");
    database.execute(migration).await;

    let stored =
        "SELECT string_agg(concat_ws(' ', trading_date, symbol, source), ', ' ORDER BY trading_date, symbol)
        FROM market.bars";
    assert_eq!(
        database.text(stored).await,
        "2025-10-01 BRK.B BRK-B, 2025-10-01 BTC-USD BTC-USD, 2025-10-02 BRK.B BRK.B"
    );
    assert_eq!(database.text("SELECT symbol FROM market.corporate_actions").await, "BF.B");
}
