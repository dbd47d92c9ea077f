//! The accounts of an installation: what `deploy/postgres/setup.sql` makes, and what its accounts cannot do.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use sqlx_postgres::PgConnection;
use storage::{Development, Owner, StorageError};
use test_support::TestDatabase;

const SERVICES: [Owner; 4] = [Owner::Trigger, Owner::Downloader, Owner::Executor, Owner::Status];

/// A table of each service that no other service may read, and the service's role.
const PRIVATE: [(&str, &str); 4] = [
    ("trigger.idempotency_keys", "modelday_trigger"),
    ("market.call_quotas", "modelday_downloader"),
    ("execution.lanes", "modelday_executor"),
    ("status.events", "modelday_status"),
];

/// SQLSTATE of a right that is missing.
const INSUFFICIENT_PRIVILEGE: &str = "42501";

fn code(error: &sqlx::Error) -> String {
    error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned()
}

#[tokio::test]
async fn a_service_that_gives_up_its_role_has_no_more_rights_than_with_it() {
    let database = TestDatabase::new().await;

    for (number, service) in SERVICES.into_iter().enumerate() {
        let pool = database.pool(service).await;
        let mut session = pool.acquire().await.unwrap();
        session.execute("RESET ROLE").await.unwrap();

        let may: (bool, bool, bool, bool) = sqlx::query_as(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user",
        )
        .fetch_one(&mut session)
        .await
        .unwrap();
        assert_eq!(may, (false, false, false, false), "{}", service.as_str());
        for (other, (table, role)) in PRIVATE.into_iter().enumerate() {
            let expected = if other == number { "" } else { INSUFFICIENT_PRIVILEGE };
            for statement in [format!("SELECT FROM {table}"), format!("SET ROLE {role}")] {
                let done = session.execute(AssertSqlSafe(statement.as_str())).await;
                let code = done.err().map(|error| code(&error)).unwrap_or_default();
                assert_eq!(code, expected, "{}: {statement}", service.as_str());
            }
            session.execute("RESET ROLE").await.unwrap();
        }
    }
}

#[tokio::test]
async fn no_account_connects_to_the_database_of_another_installation() {
    let (ours, theirs) = (TestDatabase::new().await, TestDatabase::new().await);
    let accounts = SERVICES.map(|service| ours.url_of(service));

    for url in accounts.iter().map(String::as_str).chain([ours.url()]) {
        PgConnection::connect(url).await.unwrap();
        let (server, _) = url.rsplit_once('/').unwrap();

        let refused = PgConnection::connect(&format!("{server}/{}", theirs.name())).await.unwrap_err();

        assert_eq!(code(&refused), INSUFFICIENT_PRIVILEGE, "{refused}");
    }
}

#[tokio::test]
async fn the_owner_is_no_administrator_and_may_still_migrate_and_take_the_place_of_each_service() {
    let database = TestDatabase::unmigrated().await;

    storage::migrate(database.url()).await.unwrap();

    for service in SERVICES {
        let settings = storage::Database { url: database.url().to_owned(), max_connections: 1 };
        storage::connect(&settings, service).await.unwrap();
    }
    let rights = format!(
        "SELECT count(*) FROM pg_roles
         WHERE rolname = '{}_owner' AND NOT rolsuper AND NOT rolcreaterole AND NOT rolcreatedb",
        database.name()
    );
    assert_eq!(database.count(&rights).await, 1);
}

#[tokio::test]
async fn without_set_up_a_migration_says_what_to_run() {
    let database = TestDatabase::unmigrated().await;
    database.execute(&format!("REVOKE modelday_status FROM {}_owner", database.name())).await;

    let refused = storage::migrate(database.url()).await.unwrap_err().to_string();

    let expected = format!(
        "the user {}_owner is not a member of the roles modelday_status; an administrator makes the roles and the \
         accounts of the services with deploy/postgres/setup.sql, as docs/accounts.md says",
        database.name()
    );
    assert!(refused.contains(&expected), "{refused}");
}

#[tokio::test]
async fn a_database_that_an_administrator_migrated_becomes_the_owners() {
    let database = TestDatabase::unmigrated().await;
    let owner = format!("{}_owner", database.name());
    let administrator = database.text("SELECT current_user").await;
    database.execute(&format!("ALTER DATABASE {} OWNER TO {administrator}", database.name())).await;
    let mut server = std::env::var("DATABASE_URL").unwrap();
    server.replace_range(server.rfind('/').unwrap() + 1.., database.name());
    storage::migrate(&server).await.unwrap();

    database.set_up().await;

    storage::migrate(database.url()).await.unwrap();
    let others = format!(
        "SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = ANY (ours.schemas) AND relowner <> ours.owner)
            + (SELECT count(*) FROM pg_proc WHERE pronamespace = ANY (ours.schemas) AND proowner <> ours.owner)
            + (SELECT count(*) FROM pg_type WHERE typnamespace = ANY (ours.schemas) AND typowner <> ours.owner)
            + (SELECT count(*) FROM pg_namespace WHERE oid = ANY (ours.schemas) AND nspowner <> ours.owner)
         FROM (SELECT array_agg(oid) AS schemas, '{owner}'::regrole AS owner FROM pg_namespace
               WHERE nspname IN ('trigger', 'market', 'execution', 'status', 'signing')) AS ours"
    );
    assert_eq!(database.count(&others).await, 0);
}

#[tokio::test]
async fn an_administrator_who_is_no_superuser_may_set_an_installation_up() {
    let (groups, database) = (TestDatabase::unmigrated().await, TestDatabase::bare().await);
    let name = format!("{}_administrator", database.name());
    database.execute(&format!("CREATE ROLE {name} LOGIN CREATEROLE CREATEDB PASSWORD 'in a test'")).await;
    database.execute(&format!("ALTER DATABASE {} OWNER TO {name}", database.name())).await;
    for group in PRIVATE.map(|(_, group)| group) {
        database.execute(&format!("GRANT {group} TO {name} WITH ADMIN OPTION")).await;
    }

    database.set_up_by(&name, "in a test").await;
    database.set_up_by(&name, "in a test").await;

    storage::migrate(database.url()).await.unwrap();
    database.pool(Owner::Executor).await;
    drop((groups, database.admin.clone()));
    database.execute(&format!("DROP OWNED BY {name}")).await;
    database.execute(&format!("DROP ROLE {name}")).await;
}

#[tokio::test]
async fn a_development_database_is_created_by_whoever_may_and_else_it_is_named() {
    let database = TestDatabase::unmigrated().await;
    let development = Development::beside(database.url()).unwrap();

    let refused = development.prepare().await.unwrap_err();
    database.execute(&format!("ALTER ROLE {}_owner CREATEDB", database.name())).await;
    let created = development.prepare().await;

    assert!(matches!(refused, StorageError::NotCreated { .. }), "{refused}");
    assert!(refused.to_string().contains(&format!("{}_dev", database.name())), "{refused}");
    created.unwrap();
}

#[tokio::test]
async fn the_account_of_the_exporter_reads_statistics_and_no_table() {
    let database = TestDatabase::new().await;
    let mut acquired = database.admin.acquire().await.unwrap();
    let administrator: &mut PgConnection = &mut acquired;
    administrator
        .execute("SELECT set_config('modelday.monitor_password', 'of a test', false)")
        .await
        .unwrap();
    for _ in 0..2 {
        let file = include_str!("../../../../deploy/postgres/monitor.sql");
        administrator.execute(file).await.unwrap();
    }
    administrator.execute("SET ROLE modelday_monitor").await.unwrap();

    let seen: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE query <> ''")
        .fetch_one(&mut *administrator)
        .await
        .unwrap();
    assert!(seen > 0);
    for (table, _) in PRIVATE {
        let refused = administrator.execute(AssertSqlSafe(format!("SELECT FROM {table}"))).await;
        assert_eq!(code(&refused.unwrap_err()), INSUFFICIENT_PRIVILEGE, "{table}");
    }

    administrator
        .execute("RESET ROLE; DROP OWNED BY modelday_monitor; DROP ROLE modelday_monitor")
        .await
        .unwrap();
}
