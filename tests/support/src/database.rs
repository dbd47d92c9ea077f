//! A database for each test, with the accounts of an installation.

use std::str::FromStr;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use sqlx_postgres::PgConnection;
use sqlx_postgres::{PgConnectOptions, PgPoolOptions};
use storage::{Database, Development, Owner, PgPool};
use uuid::Uuid;

use crate::environment::variable;

/// What an administrator runs in a new database.
const SETUP: &str = include_str!("../../../deploy/postgres/setup.sql");
/// The accounts of an installation: what follows its name.
const ACCOUNTS: [&str; 5] = ["owner", "trigger_login", "downloader_login", "executor_login", "status_login"];

/// The key that messages of every test are signed with.
pub(crate) const KEY_ID: &str = "test";
pub(crate) const KEY_SECRET: [u8; 32] = *b"the key of tests, and of no more";

/// A database with accounts of its own. They are dropped with this value.
pub struct TestDatabase {
    name: String,
    server_url: String,
    password: String,
    url: String,
    /// Connected as the server's administrator, who has all rights.
    pub admin: sqlx_postgres::PgPool,
}

impl TestDatabase {
    /// A migrated database.
    pub async fn new() -> Self {
        let database = Self::unmigrated().await;
        storage::migrate(database.url()).await.unwrap();
        sqlx::query("UPDATE signing.keys SET id = $1, secret = $2")
            .bind(KEY_ID)
            .bind(KEY_SECRET)
            .execute(&database.admin)
            .await
            .unwrap();
        database
    }

    /// A database whose accounts are set up, without schemas.
    pub async fn unmigrated() -> Self {
        let database = Self::bare().await;
        database.set_up().await;
        database
    }

    /// A new database, without accounts.
    pub async fn bare() -> Self {
        let server_url = variable("DATABASE_URL");
        let name = format!("test_{}", Uuid::now_v7().simple());
        let password = Uuid::now_v7().simple().to_string();
        let admin =
            PgPoolOptions::new().max_connections(4).connect_lazy_with(server(&server_url).database(&name));
        let url = address(&server_url, &format!("{name}_owner"), &password, &name);
        let database = Self { name, server_url, password, url, admin };
        database.create(&database.name).await;
        database
    }

    /// Makes the accounts, as an administrator.
    pub async fn set_up(&self) {
        self.set_up_in(&self.name, server(&self.server_url)).await;
    }

    /// The same as another administrator.
    pub async fn set_up_by(&self, administrator: &str, password: &str) {
        self.set_up_in(&self.name, server(&self.server_url).username(administrator).password(password)).await;
    }

    /// Also creates the database that a `DEV` deployment has beside this one.
    pub async fn with_development(self) -> Self {
        let name = format!("{}_dev", self.name);
        self.create(&name).await;
        self.set_up_in(&name, server(&self.server_url)).await;
        self
    }

    async fn create(&self, name: &str) {
        let mut connection = server(&self.server_url).connect().await.expect("DATABASE_URL answers");
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    }

    async fn set_up_in(&self, name: &str, administrator: PgConnectOptions) {
        let passwords = ["owner", "trigger", "downloader", "executor", "status"]
            .map(|account| (format!("modelday.{account}_password"), self.password.clone()));
        let installation = ("modelday.installation".to_owned(), self.name.clone());
        let options = administrator.database(name).options(passwords).options([installation]);
        options.connect().await.unwrap().execute(SETUP).await.unwrap();
    }

    /// Its URL for the owner, with the password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its URL for the account of a service, with the password.
    pub fn url_of(&self, service: Owner) -> String {
        let account = format!("{}_{}_login", self.name, service.as_str());
        address(&self.server_url, &account, &self.password, &self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The settings of a service that uses it.
    pub fn settings(&self, service: Owner) -> Database {
        Database { url: self.url_of(service), max_connections: 8 }
    }

    /// A pool with the account and the role of `service`.
    pub async fn pool(&self, service: Owner) -> PgPool {
        storage::connect(&self.settings(service), service).await.unwrap()
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

    /// Runs a statement as the server's administrator and returns the number of affected rows.
    pub async fn execute(&self, statement: &str) -> u64 {
        self.admin.execute(AssertSqlSafe(statement.to_owned())).await.unwrap().rows_affected()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (server(&self.server_url), self.name.clone());
        // In a thread with a runtime of its own, because the test's runtime may be unwinding.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = server.connect().await.unwrap();
                for database in [format!("{name}_dev"), name.clone()] {
                    let statement = format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)");
                    connection.execute(AssertSqlSafe(statement)).await.unwrap();
                }
                for account in ACCOUNTS {
                    let statement = format!("DROP ROLE IF EXISTS {name}_{account}");
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

fn server(url: &str) -> PgConnectOptions {
    PgConnectOptions::from_str(url).expect("DATABASE_URL is an address")
}

/// The address of a database on the server of `url` for `user`, with the same parameters.
fn address(url: &str, user: &str, password: &str, database: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("DATABASE_URL begins with a scheme");
    let (address, parameters) = rest.split_once('?').map_or((rest, None), |(url, rest)| (url, Some(rest)));
    let (authority, _) = address.rsplit_once('/').expect("DATABASE_URL ends in a database");
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let address = format!("{scheme}://{user}:{password}@{host}/{database}");
    parameters.map_or(address.clone(), |parameters| format!("{address}?{parameters}"))
}
