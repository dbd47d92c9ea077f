//! A read model, the routes over it, and the events of small jobs.

use std::collections::BTreeMap;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::accounting::costs::Costs;
use domain::accounting::portfolio::Portfolio;
use domain::events::event::Event;
use domain::job::{Job, Model, ModelKind, Options};
use domain::market::calendar::Calendar;
use domain::market::instruments::Universe;
use domain::simulation::model_day::{CompletedDay, DayRef};
use domain::strategy::policy::Policy;
use domain::values::ids::{JobId, ModelDayKey};
use runtime::deployment::{Deployment, Mode};
use runtime::http::Streams;
use rust_decimal::Decimal;
use serde_json::Value;
use status::ApiSettings;
use storage::status::ReceivedEvent;
use storage::{Owner, PgPool};
use test_support::TestDatabase;
use tower::ServiceExt as _;
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) pool: PgPool,
    pub(crate) routes: axum::Router,
}

/// A response; `text` is for exact numbers.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
    pub(crate) json: Value,
}

pub(crate) fn settings() -> ApiSettings {
    ApiSettings {
        lookback_days: 30,
        today: Some(date("2025-10-30")),
        deployment: Deployment::new(Mode::Prod, false),
        calendar: Calendar::nyse(),
        heartbeat: std::time::Duration::from_secs(15),
        streams: Streams::new(std::num::NonZeroUsize::MAX),
        schemas: Default::default(),
        trace_links: Default::default(),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await;
        let pool = database.pool(Owner::Status).await;
        let routes = axum::Router::from(status::routes(pool.clone(), settings()));
        Self { database, pool, routes }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        let accepted = Request::get(path).header("Accept", "application/json");
        self.send(accepted.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str) -> Reply {
        self.send(Request::post(path).body(Body::empty()).unwrap()).await
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        let path = request.uri().to_string();
        let response = self.routes.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {status}: {text}"));
        Reply { status, text, json }
    }

    /// The response to a request, with an unread body.
    pub(crate) async fn raw(&self, request: Request<Body>) -> axum::response::Response {
        self.routes.clone().oneshot(request).await.unwrap()
    }

    /// Lets trigger accept a job.
    pub(crate) async fn accept(&self, job: &Job) {
        let body = contract::encode_event(&Event::JobRequested(job.clone())).unwrap();
        sqlx::query("INSERT INTO trigger.jobs (id, body, accepted_at) VALUES ($1, $2, $3)")
            .bind(job.id.0)
            .bind(body)
            .bind(job.accepted_at)
            .execute(&self.database.admin)
            .await
            .unwrap();
    }

    /// Projects events.
    pub(crate) async fn project(&self, events: &[Event]) {
        self.project_in(None, events).await;
    }

    /// Projects events of a trace.
    pub(crate) async fn project_in(&self, traceparent: Option<&str>, events: &[Event]) {
        let bodies: Vec<String> = events.iter().map(|event| contract::encode_event(event).unwrap()).collect();
        let received: Vec<ReceivedEvent<'_>> = events
            .iter()
            .zip(&bodies)
            .map(|(event, body)| ReceivedEvent {
                source: "/modelday/executor",
                id: Uuid::now_v7(),
                kind: contract::kind::of(event),
                at: instant(1),
                traceparent,
                body,
                event,
            })
            .collect();
        let projected = storage::status::project(&self.pool, &received).await.unwrap();
        assert_eq!(projected.logged.len(), events.len());
    }
}

pub(crate) fn instant(second: i64) -> DateTime<Utc> {
    "2025-10-30T15:00:00.250Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
}

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// The `number`th job; later ones have higher ids.
pub(crate) fn job_id(number: u128) -> JobId {
    JobId(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + number))
}

pub(crate) fn job(number: u128, models: &[&str], start: &str, end: &str) -> Job {
    let model = |name: &&str| Model {
        signature: (*name).to_owned(),
        config_hash: "h".to_owned(),
        initial_cash: Decimal::from(10_000),
        trials: 1,
        start: date(start),
        requested_dates: None,
        costs: Costs::NONE,
        training_cutoff: None,
        kind: ModelKind::Policy(Policy::Cash),
    };
    Job {
        id: job_id(number),
        experiment: "default".to_owned(),
        models: models.iter().map(model).collect(),
        universe: Universe {
            name: "small".to_owned(),
            symbols: vec!["AAPL".parse().unwrap()],
            benchmark: Some("QQQ".parse().unwrap()),
        },
        start: date(start),
        end: date(end),
        options: Options::default(),
        accepted_at: instant(0),
        retry_of: None,
        unknown_fields: Vec::new(),
        requested_by: String::new(),
    }
}

/// A day that ends with this cash, nothing held, and that cash as its value at open and close.
pub(crate) fn day(number: u128, model: &str, on: &str, base: Option<&str>, value: &str) -> CompletedDay {
    let key = ModelDayKey {
        job: job_id(number),
        experiment: "default".to_owned(),
        model: model.to_owned(),
        trial: 0,
        date: date(on),
    };
    CompletedDay {
        key,
        attempt: 1,
        revision: 1,
        base: base.map(|base| DayRef { date: date(base), revision: 1 }),
        config_hash: "h".to_owned(),
        corporate_actions: Vec::new(),
        starting_position: None,
        starting_value: Decimal::from(10_000),
        profit: Decimal::ZERO,
        return_pct: Decimal::ZERO,
        days_since_last_trading: 0,
        trades: Vec::new(),
        refused: Vec::new(),
        ending_position: Portfolio::new(decimal(value), BTreeMap::new()).unwrap(),
        value_at_open: decimal(value),
        value_at_close: decimal(value),
        stale_symbols: Vec::new(),
        price_dates: Default::default(),
        started_at: instant(5),
        completed_at: instant(7),
        agent: None,
    }
}

pub(crate) fn completed(day: CompletedDay) -> Event {
    Event::ModelDayCompleted(Box::new(day))
}
