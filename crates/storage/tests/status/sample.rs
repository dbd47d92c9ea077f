//! The events of a few jobs, and their projection. The body of an event is its id here.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::accounting::costs::Costs;
use domain::accounting::portfolio::Portfolio;
use domain::events::event::{DaysSkipped, Event, JobEnded, JobStarted, ModelDayStarted};
use domain::job::{Job, JobOutcome, Model, ModelKind, Options, Tally};
use domain::market::instruments::Universe;
use domain::simulation::model_day::{CompletedDay, DayRef, FailedDay, SkipReason, SkippedDate};
use domain::strategy::policy::Policy;
use domain::values::ids::{JobId, ModelDayKey};
use rust_decimal::Decimal;
use storage::status::{Projection, ReceivedEvent, Sessions, project};
use test_support::TestDatabase;
use uuid::Uuid;

/// An event with its envelope.
#[derive(Debug, Clone)]
pub(crate) struct SentEvent {
    pub(crate) id: Uuid,
    pub(crate) at: DateTime<Utc>,
    pub(crate) body: String,
    pub(crate) event: Event,
}

pub(crate) fn instant(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_760_000_000 + second)
}

pub(crate) fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The `number`th job; later ones have higher ids.
pub(crate) fn job_id(number: u128) -> JobId {
    JobId(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + number))
}

pub(crate) fn job(id: JobId, models: &[&str], end: &str) -> Job {
    let model = |name: &&str| Model {
        signature: (*name).to_owned(),
        config_hash: "h".to_owned(),
        initial_cash: Decimal::from(10_000),
        trials: 1,
        start: date("2025-10-01"),
        requested_dates: None,
        costs: Costs::NONE,
        training_cutoff: None,
        kind: ModelKind::Policy(Policy::Cash),
    };
    Job {
        id,
        experiment: "default".to_owned(),
        models: models.iter().map(model).collect(),
        universe: Universe {
            name: "small".to_owned(),
            symbols: vec!["AAPL".parse().unwrap()],
            benchmark: None,
        },
        start: date("2025-10-01"),
        end: date(end),
        options: Options::default(),
        accepted_at: instant(0),
        retry_of: None,
        unknown_fields: Vec::new(),
        requested_by: String::new(),
    }
}

pub(crate) fn completed(
    job: JobId,
    model: &str,
    on: &str,
    revision: u32,
    base: Option<DayRef>,
) -> CompletedDay {
    let value = Decimal::new(100_005 + i64::from(revision), 1);
    CompletedDay {
        key: ModelDayKey {
            job,
            experiment: "default".to_owned(),
            model: model.to_owned(),
            trial: 0,
            date: date(on),
        },
        attempt: 1,
        revision,
        base,
        config_hash: "h".to_owned(),
        corporate_actions: Vec::new(),
        starting_position: None,
        starting_value: Decimal::from(10_000),
        profit: Decimal::ZERO,
        return_pct: Decimal::ZERO,
        days_since_last_trading: 1,
        trades: Vec::new(),
        refused: Vec::new(),
        ending_position: Portfolio::new(Decimal::from(10_000), BTreeMap::new()).unwrap(),
        value_at_open: value,
        value_at_close: value,
        stale_symbols: Vec::new(),
        price_dates: Default::default(),
        started_at: instant(5),
        completed_at: instant(6),
        agent: None,
    }
}

/// All events of a job of two models over twelve weekdays: completed, announced, failed, skipped days.
pub(crate) fn life(id: JobId) -> Vec<Event> {
    let job = job(id, &["a", "b"], "2025-10-16");
    let mut events = vec![
        Event::JobRequested(job.clone()),
        Event::JobStarted(JobStarted { job: id, lanes: 2, model_days: 24, outline: None }),
    ];
    let mut tally = Tally::default();
    for model in ["a", "b"] {
        let mut skipped = Vec::new();
        for (place, on) in domain::market::calendar::weekdays(job.start, job.end).into_iter().enumerate() {
            let day = completed(id, model, &on.to_string(), 1, None);
            match place % 4 {
                0 => {
                    tally.failed += 1;
                    let (key, at) = (day.key, day.started_at);
                    let error = "boom".to_owned();
                    events.push(Event::ModelDayFailed(FailedDay {
                        key,
                        attempt: 2,
                        error,
                        started_at: at,
                        completed_at: at,
                        agent: None,
                    }));
                }
                1 => {
                    tally.skipped += 1;
                    skipped.push(SkippedDate { date: on, reason: SkipReason::MarketClosed });
                }
                _ => {
                    tally.completed += 1;
                    let (key, started_at) = (day.key.clone(), day.started_at);
                    events.push(Event::ModelDayStarted(ModelDayStarted { key, attempt: 1, started_at }));
                    events.push(Event::ModelDayCompleted(Box::new(day)));
                }
            }
        }
        let (experiment, model) = ("default".to_owned(), model.to_owned());
        events.push(Event::ModelDaysSkipped(DaysSkipped {
            job: id,
            experiment,
            model,
            trial: 0,
            dates: skipped,
        }));
    }
    events.push(Event::JobEnded(JobEnded {
        job: id,
        outcome: JobOutcome::Partial,
        tally,
        error: None,
        warnings: Vec::new(),
        ended_at: instant(100),
        outline: None,
    }));
    events
}

/// Events with ids of their own.
pub(crate) fn sent_events(events: impl IntoIterator<Item = Event>) -> Vec<SentEvent> {
    let sent = |(event, place): (Event, i64)| {
        let id = Uuid::now_v7();
        SentEvent { id, at: instant(place), body: id.to_string(), event }
    };
    events.into_iter().zip(1..).map(sent).collect()
}

/// Lets trigger accept a job with this `job.requested` body.
pub(crate) async fn accept(database: &TestDatabase, job: JobId, body: &str) {
    sqlx::query("INSERT INTO trigger.jobs (id, body, accepted_at) VALUES ($1, $2, now())")
        .bind(job.0)
        .bind(body)
        .execute(&database.admin)
        .await
        .unwrap();
}

/// One text for all that `query` selects, row by row.
pub(crate) async fn dump(database: &TestDatabase, query: &str) -> String {
    database.text(&format!("SELECT string_agg(to_jsonb(found)::text, E'\\n') FROM ({query}) AS found")).await
}

pub(crate) async fn projected(sessions: &impl Sessions, sent: &[SentEvent]) -> storage::Result<Projection> {
    let received: Vec<ReceivedEvent<'_>> = sent
        .iter()
        .map(|sent| ReceivedEvent {
            source: "/modelday/executor",
            id: sent.id,
            kind: "test",
            at: sent.at,
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            body: &sent.body,
            event: &sent.event,
        })
        .collect();
    project(sessions, &received).await
}

/// A shuffle that is the same for the same seed.
pub(crate) fn shuffled(sent: &[SentEvent], seed: u64) -> Vec<SentEvent> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap()
    };
    let mut sent = sent.to_vec();
    for place in (1..sent.len()).rev() {
        sent.swap(place, next() % (place + 1));
    }
    sent
}
