//! A database and a virtual host that go when the test ends, however it ends.

use std::collections::BTreeMap;

use messaging::BrokerConfig;
use reqwest::{Client, Method};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, Executor as _};
use uuid::Uuid;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; `make test` provides the servers"))
}

/// Runs `work` to its end also where nothing can be awaited.
fn block<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let thread = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work)
    });
    thread.join().unwrap()
}

async fn administer(statement: String) {
    let url = variable("DATABASE_URL");
    let pool = PgPoolOptions::new().max_connections(1).connect(&url).await.expect("DATABASE_URL answers");
    pool.execute(AssertSqlSafe(statement)).await.unwrap();
    pool.close().await;
}

/// A database of its own, with all tables.
pub(crate) struct TestDatabase {
    name: String,
    pub(crate) url: String,
}

impl TestDatabase {
    pub(crate) async fn create() -> Self {
        let name = format!("downloader_{}", Uuid::now_v7().simple());
        administer(format!("CREATE DATABASE {name}")).await;
        let mut url: reqwest::Url = variable("DATABASE_URL").parse().expect("DATABASE_URL is an address");
        url.set_path(&name);
        let database = Self { name, url: url.into() };
        storage::migrate(&database.url).await.unwrap();
        database
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        block(administer(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)));
    }
}

/// A virtual host of its own.
pub(crate) struct Vhost {
    name: String,
    pub(crate) url: String,
}

impl Vhost {
    pub(crate) fn create() -> Self {
        let name = format!("downloader-{}", Uuid::now_v7());
        let broker: reqwest::Url = variable("AMQP_URL").parse().expect("AMQP_URL is an address");
        management(Method::PUT, format!("/api/vhosts/{name}"), "");
        let all = r#"{"configure":".*","write":".*","read":".*"}"#;
        management(Method::PUT, format!("/api/permissions/{name}/{}", broker.username()), all);
        let mut url = broker;
        url.set_path(&name);
        Self { name, url: url.into() }
    }

    pub(crate) fn config(&self) -> BrokerConfig {
        BrokerConfig::new(&self.url, "test").unwrap()
    }
}

impl Drop for Vhost {
    fn drop(&mut self) {
        management(Method::DELETE, format!("/api/vhosts/{}", self.name), "");
    }
}

fn management(method: Method, path: String, body: &'static str) {
    let base = variable("AMQP_MANAGEMENT_URL");
    block(async move {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        let mut url: reqwest::Url = base.parse().expect("AMQP_MANAGEMENT_URL is an address");
        let (user, password) = (url.username().to_owned(), url.password().unwrap_or_default().to_owned());
        url.set_username("").unwrap();
        url.set_password(None).unwrap();
        let url = url.join(&path).unwrap();
        let request = client.request(method, url).basic_auth(user, Some(password)).body(body);
        let answer = request.send().await.expect("AMQP_MANAGEMENT_URL answers");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    });
}

impl TestDatabase {
    /// Notes, as the executor does, that the job's first model has completed a day.
    pub(crate) async fn complete(&self, job: &domain::job::Job, day: &str) {
        self.complete_holding(job, day, &[]).await;
    }

    /// The same, with one share of each of these symbols at its end.
    pub(crate) async fn complete_holding(&self, job: &domain::job::Job, day: &str, held: &[&str]) {
        let holdings: BTreeMap<&str, u64> = held.iter().map(|symbol| (*symbol, 1)).collect();
        let pool = PgPoolOptions::new().max_connections(1).connect(&self.url).await.unwrap();
        sqlx::query(
            "WITH portfolio AS (
                INSERT INTO execution.portfolios (id, experiment, model, trial)
                VALUES ($1, $2, $3, 0)
                ON CONFLICT (experiment, model, trial) DO UPDATE SET trial = 0
                RETURNING id
            )
            INSERT INTO execution.model_days
                (job_id, portfolio_id, trading_date, state, revision, cash, holdings, value_at_open)
            SELECT $1, id, $4, 'completed', 1, 10000, $5, 10000 FROM portfolio",
        )
        .bind(Uuid::now_v7())
        .bind(&job.experiment)
        .bind(&job.models[0].signature)
        .bind(day.parse::<chrono::NaiveDate>().unwrap())
        .bind(sqlx::types::Json(holdings))
        .execute(&pool)
        .await
        .unwrap();
        pool.close().await;
    }
}
