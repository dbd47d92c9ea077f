//! A database for each test.

use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use storage::{Database, Development, Owner};
use uuid::Uuid;

use crate::environment::variable;

/// The key that messages of every test are signed with.
pub(crate) const KEY_ID: &str = "test";
pub(crate) const KEY_SECRET: [u8; 32] = *b"the key of tests, and of no more";

/// A migrated database. It is dropped with this value.
pub struct TestDatabase {
    name: String,
    server_url: String,
    url: String,
    /// Connected as the database's owner, who has all rights.
    pub admin: PgPool,
}

impl TestDatabase {
    /// Creates and migrates it.
    pub async fn new() -> Self {
        let server_url = variable("DATABASE_URL");
        let name = format!("test_{}", Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(&server_url).await.expect("DATABASE_URL answers");
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        let url = with_database(&server_url, &name);
        let admin = PgPoolOptions::new().max_connections(4).connect_lazy(&url).unwrap();
        let database = Self { name, server_url, url, admin };
        storage::migrate(&database.url).await.unwrap();
        sqlx::query("UPDATE signing.keys SET id = $1, secret = $2")
            .bind(KEY_ID)
            .bind(KEY_SECRET)
            .execute(&database.admin)
            .await
            .unwrap();
        database
    }

    /// Its URL, with the owner's password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The settings of a service that uses it.
    pub fn settings(&self) -> Database {
        Database { url: self.url.clone(), max_connections: 8 }
    }

    /// A pool with the role of `owner`.
    pub async fn pool(&self, owner: Owner) -> PgPool {
        storage::connect(&self.settings(), owner).await.unwrap()
    }

    /// The one number that `query` selects.
    pub async fn count(&self, query: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&self.admin).await.unwrap()
    }

    /// The one number that `query` selects from the database that a `DEV` deployment has beside this one.
    pub async fn count_in_development(&self, query: &str) -> i64 {
        let development = Development::beside(&self.url).unwrap();
        let mut connection = PgConnection::connect(development.url()).await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&mut connection).await.unwrap()
    }

    /// The one text that `query` selects; empty for NULL.
    pub async fn text(&self, query: &str) -> String {
        let text: Option<String> =
            sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&self.admin).await.unwrap();
        text.unwrap_or_default()
    }

    /// Runs a statement as the database's owner and returns the number of affected rows.
    pub async fn execute(&self, statement: &str) -> u64 {
        self.admin.execute(AssertSqlSafe(statement.to_owned())).await.unwrap().rows_affected()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (url, name) = (self.server_url.clone(), self.name.clone());
        // In a thread with a runtime of its own, because the test's runtime may be unwinding.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = PgConnection::connect(&url).await.unwrap();
                // A `DEV` deployment has created the other one.
                for name in [format!("{name}_dev"), name] {
                    let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                    connection.execute(AssertSqlSafe(statement)).await.unwrap();
                }
            });
        });
        assert!(
            dropped.join().is_ok() || std::thread::panicking(),
            "the database {} could not be dropped",
            self.name
        );
    }
}

fn with_database(url: &str, name: &str) -> String {
    let (address, parameters) = url.split_once('?').map_or((url, None), |(url, rest)| (url, Some(rest)));
    let (server, _) = address.rsplit_once('/').expect("DATABASE_URL ends in a database");
    parameters.map_or_else(|| format!("{server}/{name}"), |rest| format!("{server}/{name}?{rest}"))
}
