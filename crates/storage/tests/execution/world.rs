//! A database with planned jobs.

use chrono::NaiveDate;
use domain::accounting::fill::Fill;
use domain::accounting::order::Side;
use domain::accounting::portfolio::Portfolio;
use domain::job::{JobOutcome, Priority};
use domain::market::instruments::Symbol;
use domain::values::ids::{JobId, LaneId};
use rust_decimal::Decimal;
use storage::PgPool;
use storage::execution::{
    CompletedRow, DayOutcome, JobPlan, Lane, LaneBegin, LaneCommit, LaneEnd, NewLane, NewModelDay, NextLane,
    PortfolioRow, ReceivedJob, Take, Taker, begin_plan, commit_days, take,
};
use storage::outbox::NewMessage;
use storage::{Owner, Result};
use test_support::TestDatabase;
use uuid::Uuid;

pub(crate) const LANE_CONTINUE: &str = "lane.continue";
pub(crate) const JOB_ENDED: &str = "modelday.job.completed.v1";
const DAY_COMPLETED: &str = "modelday.model_day.completed.v1";

/// A database and the executor's connections to it.
pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) pool: PgPool,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await;
        let pool = database.pool(Owner::Executor).await;
        Self { database, pool }
    }

    /// Plans a job in which each of `models` runs `days` days; answers their lanes.
    pub(crate) async fn plan(&self, models: &[&str], days: usize) -> Vec<LaneId> {
        plan(&self.pool, models, days).await.unwrap()
    }

    /// Takes the lane's turn, which no other worker may have.
    pub(crate) async fn take(&self, lane: LaneId, turn: u32) -> Lane {
        match take(&self.pool, lane, turn, Taker::default(), None).await.unwrap() {
            Take::Taken(lane) => lane,
            other => panic!("turn {turn} of {lane} cannot be taken: {other:?}"),
        }
    }

    /// The lane's lease runs out.
    pub(crate) async fn expire(&self, lane: LaneId) {
        let statement = "UPDATE execution.lanes SET lease_until = now() - interval '1 s' WHERE id = ";
        assert_eq!(self.database.execute(&format!("{statement}'{lane}'")).await, 1);
    }

    /// Rows that a day may write, of all tables.
    pub(crate) async fn rows(&self) -> [i64; 3] {
        [
            self.database.count("SELECT count(*) FROM execution.model_days").await,
            self.database.count("SELECT count(*) FROM execution.fills").await,
            self.database.count("SELECT count(*) FROM execution.outbox").await,
        ]
    }

    /// Messages of a kind in the outbox.
    pub(crate) async fn messages(&self, kind: &str) -> i64 {
        self.database.count(&format!("SELECT count(*) FROM execution.outbox WHERE kind = '{kind}'")).await
    }

    /// One column of a lane as text.
    pub(crate) async fn column(&self, lane: LaneId, column: &str) -> String {
        let query =
            format!("SELECT coalesce({column}::text, 'none') FROM execution.lanes WHERE id = '{lane}'");
        sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&self.database.admin).await.unwrap()
    }
}

/// A job as its message brings it.
pub(crate) fn received(id: JobId) -> ReceivedJob<'static> {
    let priority = Priority::Normal;
    ReceivedJob {
        id,
        kind: "modelday.data.ready.v1",
        body: "{}",
        traceparent: None,
        priority,
        is_paced: false,
    }
}

/// Plans a job as the executor does; answers the lanes in the order of `models`.
pub(crate) async fn plan(pool: &PgPool, models: &[&str], days: usize) -> Result<Vec<LaneId>> {
    let job = JobId(Uuid::now_v7());
    let mut plan = begin_plan(pool, received(job), &[]).await?.unwrap();
    let lanes = store(&mut plan, models, days, LaneBegin::Ready).await?;
    let ready = lanes.iter().filter(|lane| lane.begins == LaneBegin::Ready);
    let first_turns: Vec<NewMessage> = ready.map(|_| message(LANE_CONTINUE, job)).collect();
    plan.commit(&first_turns).await?;
    let of_model = |model: &&str| lanes.iter().find(|lane| lane.model == *model).unwrap().id;
    Ok(models.iter().map(of_model).collect())
}

/// The portfolios and lanes of a plan, all of them. The lanes of free portfolios begin as `free`.
pub(crate) async fn store(
    plan: &mut JobPlan,
    models: &[&str],
    days: usize,
    free: LaneBegin,
) -> Result<Vec<NewLane>> {
    let lanes = new_lanes(plan, models, days, free).await?;
    plan.store(&lanes, &[], None).await?;
    Ok(lanes)
}

/// Lanes of portfolios, which are made and locked.
pub(crate) async fn new_lanes(
    plan: &mut JobPlan,
    models: &[&str],
    days: usize,
    free: LaneBegin,
) -> Result<Vec<NewLane>> {
    let names: Vec<_> = models.iter().map(|model| (Uuid::now_v7(), (*model).to_owned(), 0)).collect();
    let portfolios = plan.portfolios("default", &names).await?;
    let lane = |portfolio: PortfolioRow| {
        let begins = if portfolio.held { LaneBegin::Waiting } else { free };
        NewLane {
            id: LaneId(Uuid::now_v7()),
            portfolio: portfolio.id,
            model: portfolio.model,
            trial: portfolio.trial,
            routing_key: LANE_CONTINUE,
            dates: (0..days).map(day).collect(),
            begins,
            endpoint: None,
            traceparent: None,
        }
    };
    Ok(portfolios.into_iter().map(lane).collect())
}

/// The day at a place among a lane's dates.
pub(crate) fn day(index: usize) -> NaiveDate {
    let first: NaiveDate = "2025-01-01".parse().unwrap();
    first + chrono::Days::new(index as u64)
}

pub(crate) fn message(kind: &'static str, job: JobId) -> NewMessage {
    NewMessage {
        event_id: Uuid::now_v7(),
        kind,
        exchange: "modelday.events",
        routing_key: kind,
        job,
        traceparent: None,
        body: "{}".to_owned(),
    }
}

pub(crate) fn fill() -> Fill {
    Fill {
        sequence: 0,
        side: Side::Buy,
        symbol: "NVDA".parse().unwrap(),
        quantity: 2,
        price: "10.5".parse().unwrap(),
        notional: Decimal::from(21),
        fee: Decimal::ZERO,
        cash_after: Decimal::from(9_979),
        position_after: 2,
    }
}

/// Completes the lane's day at `done` with one fill and its event.
pub(crate) async fn complete(pool: &PgPool, lane: &Lane, done: usize, ends_turn: bool) -> Result<()> {
    complete_with(pool, lane, done, ends_turn, &[fill()]).await
}

pub(crate) async fn complete_with(
    pool: &PgPool,
    lane: &Lane,
    done: usize,
    ends_turn: bool,
    fills: &[Fill],
) -> Result<()> {
    commit_days(pool, &completed(lane, done, ends_turn, fills)).await.map(|_| ())
}

/// A completed day of the lane with its event.
pub(crate) fn completed(lane: &Lane, done: usize, ends_turn: bool, fills: &[Fill]) -> LaneCommit {
    let symbol: Symbol = "NVDA".parse().unwrap();
    let position = Portfolio::new(Decimal::from(9_979), [(symbol, 2)].into()).unwrap();
    let outcome = DayOutcome::Completed(CompletedRow {
        revision: 1,
        base: None,
        config_hash: "hash".to_owned(),
        position,
        value_at_open: Decimal::from(10_000),
        value_at_close: Decimal::from(10_001),
        fills: fills.to_vec(),
    });
    let events = vec![message(DAY_COMPLETED, lane.job)];
    LaneCommit {
        lane: lane.id,
        epoch: lane.epoch,
        done,
        days: vec![NewModelDay { date: lane.dates[done], attempt: 1, outcome, events }],
        next_turn: ends_turn.then(|| message(LANE_CONTINUE, lane.job)),
        agent: None,
    }
}

/// Closes the lane as the executor does; true when that ended the job.
pub(crate) async fn close(pool: &PgPool, lane: &Lane) -> Result<bool> {
    let mut closing = LaneEnd::begin(pool, lane, None).await?;
    let mut messages = Vec::new();
    if let Some(NextLane { job, .. }) = &closing.next {
        messages.push(message(LANE_CONTINUE, *job));
    }
    let ends = closing.open_lanes == 0;
    if ends {
        closing.end_job(JobOutcome::Completed).await?;
        messages.push(message(JOB_ENDED, lane.job));
    }
    closing.commit(&messages).await?;
    Ok(ends)
}
