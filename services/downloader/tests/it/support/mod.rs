//! The environment of one test: its own database, virtual host and provider, and the running service.

mod logs;
mod portfolios;

use chrono::{NaiveDate, Utc};
use domain::accounting::costs::Costs;
use domain::events::event::{DataFailed, DataReady, Event};
use domain::job::{Job, Model, ModelKind, Options};
use domain::market::instruments::{Bar, Symbol, Universe};
use domain::strategy::policy::Policy;
use domain::values::ids::JobId;
use messaging::topology::Account;
use runtime::CancellationToken;
use runtime::address::Address;
use runtime::parts::Parts;
use runtime::relay::{Relay, Wake};
use runtime::settings::Settings;
use standin::{AlphaVantage, Builder};
use storage::Owner;
use storage::PgPool;
use storage::market::BarRow;
use storage::trigger::{Acceptance, Admission};
use test_support::{TestDatabase, TestVhost};
use tokio::task::JoinHandle;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

pub(crate) use logs::logged;
pub(crate) use test_support::{PATIENCE, eventually};

/// Fifteen symbols that the recorded prices have.
pub(crate) const FIFTEEN: [&str; 15] = [
    "AAPL", "ADBE", "AMD", "AMGN", "AMZN", "ASML", "AVGO", "COST", "CSCO", "GOOGL", "INTC", "META", "MSFT",
    "NVDA", "TSLA",
];

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Bars of a symbol, as if imported.
pub(crate) fn bars(symbol: &str, days: &[&str]) -> Vec<BarRow> {
    let price = |text: &str| text.parse().unwrap();
    let bar = Bar::new(price("10"), price("12"), price("9"), price("11"), 1).unwrap();
    let symbol: Symbol = symbol.parse().unwrap();
    days.iter().map(|day| BarRow { symbol: symbol.clone(), date: date(day), bar }).collect()
}

/// A job of one model that trades all of these symbols.
pub(crate) fn job(symbols: &[&str], start: &str, end: &str) -> Job {
    let model = Model {
        signature: "equal".to_owned(),
        config_hash: "h".to_owned(),
        initial_cash: 10_000.into(),
        trials: 1,
        start: date(start),
        requested_dates: None,
        costs: Costs::default(),
        training_cutoff: None,
        kind: ModelKind::Policy(Policy::EqualWeight),
    };
    Job {
        id: JobId(Uuid::now_v7()),
        experiment: "default".to_owned(),
        models: vec![model],
        universe: Universe {
            name: "some".to_owned(),
            symbols: symbols.iter().map(|symbol| symbol.parse::<Symbol>().unwrap()).collect(),
            benchmark: None,
        },
        start: date(start),
        end: date(end),
        options: Options::default(),
        accepted_at: Utc::now(),
        retry_of: None,
        unknown_fields: Vec::new(),
        requested_by: String::new(),
    }
}

/// The service with its servers and the source of its jobs.
pub(crate) struct World {
    pub(crate) provider: AlphaVantage,
    pub(crate) vhost: TestVhost,
    pub(crate) database: TestDatabase,
    /// The database with trigger's role.
    pub(crate) trigger: PgPool,
    /// The database with the downloader's role.
    pub(crate) market: PgPool,
    settings: Vec<(String, String)>,
    stop: CancellationToken,
    parts: Vec<JoinHandle<()>>,
}

impl World {
    /// Starts a provider and the service; `settings` come on top of the necessary ones.
    pub(crate) async fn start(provider: Builder, settings: &[(&str, &str)]) -> Self {
        let mut world = Self::without_service(provider, settings).await;
        world.start_service().await;
        world
    }

    pub(crate) async fn without_service(provider: Builder, settings: &[(&str, &str)]) -> Self {
        logs::start();
        let (database, vhost) = (TestDatabase::new().await, TestVhost::declared().await);
        let provider = provider.start().await.unwrap();
        let (trigger, market) = (database.pool(Owner::Trigger).await, database.pool(Owner::Downloader).await);
        let base_url = provider.base_url();
        let broker = vhost.url_of(Account::Downloader);
        let necessary =
            [("DATABASE_URL", database.url()), ("AMQP_URL", &broker), ("ALPHAVANTAGE_BASE_URL", &base_url)];
        let settings = necessary.iter().chain(settings);
        let settings = settings.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let stop = CancellationToken::new();
        let mut world =
            Self { provider, vhost, database, trigger, market, settings, stop, parts: Vec::new() };
        let relay = Relay {
            pool: world.trigger.clone(),
            broker: world.vhost.settings(),
            owner: Owner::Trigger,
            schemas: Default::default(),
            wake: Wake::default(),
            parts: Parts::default(),
            retention: runtime::retention::Retention::days(7),
        };
        world.parts.push(tokio::spawn(relay.run(world.stop.clone())));
        world
    }

    /// Starts (another replica of) the service.
    pub(crate) async fn start_service(&mut self) {
        let environment = self.settings.iter().cloned().collect();
        let config = downloader::Config::from_settings(&mut Settings::new(environment, None), 8082).unwrap();
        let stop = self.stop.clone();
        let service = downloader::build(config, stop.clone()).unwrap();
        let (address, probes) = (Address::loopback(0), OpenApiRouter::new());
        let listener = runtime::http::bind(address.listen).unwrap();
        let started = service.health.started();
        self.parts.push(tokio::spawn(async move {
            service.run(listener, address, probes, &stop).await.unwrap();
        }));
        started.cancelled().await;
    }

    /// Accepts a job, as trigger does.
    pub(crate) async fn accept(&self, job: &Job) {
        let message = runtime::outgoing::event(&Event::JobRequested(job.clone())).unwrap();
        let acceptance = Acceptance {
            job: job.id,
            accepted_at: job.accepted_at,
            message,
            max_active: 1_000,
            requested_by: "anonymous",
            max_active_of_caller: None,
            catalogue: None,
            idempotency: None,
        };
        assert_eq!(storage::trigger::accept(&self.trigger, acceptance).await.unwrap(), Admission::Accepted);
    }

    /// The downloader's events about a job so far.
    pub(crate) async fn events(&self, job: JobId) -> Vec<Event> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT kind, body FROM market.outbox WHERE job_id = $1 ORDER BY id")
                .bind(job.0)
                .fetch_all(&self.market)
                .await
                .unwrap();
        rows.iter().map(|(kind, body)| contract::decode_event(kind, body.as_bytes()).unwrap()).collect()
    }

    /// All events about a job until its prices are ready or failed.
    pub(crate) async fn outcome(&self, job: JobId) -> Vec<Event> {
        eventually("the preparation ends", async || {
            let events = self.events(job).await;
            let is_over = matches!(events.last(), Some(Event::DataReady(_) | Event::DataFailed(_)));
            is_over.then_some(events)
        })
        .await
    }

    pub(crate) async fn prepare(&self, job: &Job) -> Vec<Event> {
        self.accept(job).await;
        self.outcome(job.id).await
    }

    /// The symbols of the provider's calls, in alphabetical order, with repetition.
    pub(crate) fn called(&self) -> Vec<String> {
        let mut symbols: Vec<String> = self.provider.calls().into_iter().map(|call| call.symbol).collect();
        symbols.sort();
        symbols
    }

    /// Every row of the downloader's schema and of its queues' outboxes, as text.
    pub(crate) async fn everything_stored(&self) -> String {
        let mut text = String::new();
        for table in [
            "outbox",
            "preparations",
            "call_quotas",
            "downloads_in_flight",
            "answer_spans",
            "bars",
            "findings",
            "refusals",
        ] {
            let query = format!("SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM market.{table} t");
            let (rows,): (String,) =
                sqlx::query_as(sqlx::AssertSqlSafe(query)).fetch_one(&self.market).await.unwrap();
            text.push_str(&rows);
        }
        text
    }

    /// Stops the service and waits until its work has ended.
    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        for part in self.parts.drain(..) {
            tokio::time::timeout(PATIENCE, part).await.expect("it stops").unwrap();
        }
        self.stop = CancellationToken::new();
    }
}

/// A short name for each event.
pub(crate) fn names(events: &[Event]) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = events
        .iter()
        .map(|event| match event {
            Event::DownloadStarted(_) => "started",
            Event::DownloadProgressed(_) => "progressed",
            Event::DataReady(_) => "ready",
            Event::DataFailed(_) => "failed",
            Event::DataWaiting(_) => "waiting",
            other => panic!("not the downloader's: {other:?}"),
        })
        .collect();
    names.dedup();
    names
}

pub(crate) fn ready(events: &[Event]) -> &DataReady {
    match events.last() {
        Some(Event::DataReady(ready)) => ready,
        other => panic!("not ready: {other:?}"),
    }
}

pub(crate) fn failed(events: &[Event]) -> &DataFailed {
    match events.last() {
        Some(Event::DataFailed(failed)) => failed,
        other => panic!("not failed: {other:?}"),
    }
}

/// The messages of warnings.
pub(crate) fn messages(warnings: &[domain::job::warning::Warning]) -> Vec<&str> {
    warnings.iter().map(|warning| warning.message.as_str()).collect()
}
