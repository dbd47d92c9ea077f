//! Jobs as the executor plans them, and their end.

use domain::job::{EndCause, JobOutcome, JobState, Tally};
use domain::market::instruments::Symbol;
use domain::market::rules::MarketRules;
use domain::simulation::decider::PriceScope;
use domain::simulation::model_day::{SkipReason, SkippedDate};
use domain::values::ids::{JobId, LaneId, PortfolioId};
use rust_decimal::Decimal;
use sqlx::FromRow;
use uuid::Uuid;

use super::lanes::{self, NewLane};
use super::portfolios::{self, PortfolioRow};
use crate::columns::rules;
use crate::connection::Connection;
use crate::error::{Result, StorageError};
use crate::outbox::{self, NewMessage, StoredMessage};
use crate::pool::PgPool;
use crate::sql::without_waiting_if;
use crate::transaction::Transaction;

/// The state of the stored prices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct PriceState {
    /// How many times stored prices were changed.
    #[sqlx(rename = "price_version")]
    pub version: i64,
    /// How often bars of the job's symbols were written.
    #[sqlx(rename = "price_changes")]
    pub changes: i64,
}

/// A job as the message brought it from which it is planned.
#[derive(Debug, Clone, Copy)]
pub struct ReceivedJob<'a> {
    /// The job.
    pub id: JobId,
    /// Type of the message.
    pub kind: &'a str,
    /// Body of the message.
    pub body: &'a str,
    /// W3C trace context of the job.
    pub traceparent: Option<&'a str>,
}

/// A planned job.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// Type of the message from which it was planned.
    pub kind: String,
    /// Body of that message.
    pub body: String,
    /// W3C trace context of the job.
    pub traceparent: Option<String>,
    /// The prices on which its days run.
    pub prices: PriceState,
    /// What its days are shown of the market.
    pub rules: MarketRules,
    /// Whether its first day has begun.
    pub has_begun: bool,
}

#[derive(FromRow)]
struct JobColumns {
    kind: String,
    body: String,
    traceparent: Option<String>,
    #[sqlx(flatten)]
    prices: PriceState,
    market_rules: String,
    has_begun: bool,
}

/// Which prices the days of a model read, besides the prices of what is held.
#[derive(Debug, Clone)]
pub struct PriceScopeRow {
    /// The model.
    pub model: String,
    /// The prices that its days read.
    pub scope: PriceScope,
}

/// Dates of one portfolio that a job does not run.
#[derive(Debug, Clone)]
pub struct SkippedRow {
    /// The portfolio.
    pub portfolio: PortfolioId,
    /// The dates, with their reasons.
    pub dates: Vec<SkippedDate>,
}

/// A job that is being planned: one transaction.
pub struct JobPlan {
    transaction: Transaction,
    job: JobId,
    /// Whether the job was cancelled before it is planned. It cannot be cancelled until the plan is stored.
    pub end_cause: EndCause,
}

/// Begins to plan a job, whose days read prices of `symbols`; `None` when it is planned already.
pub async fn begin_plan(
    pool: &PgPool,
    received: ReceivedJob<'_>,
    symbols: &[Symbol],
) -> Result<Option<JobPlan>> {
    let ReceivedJob { id: job, kind, body, traceparent } = received;
    let symbols: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let mut transaction = pool.begin().await?;
    let inserted = sqlx::query(
        "-- jobs::begin_plan
        INSERT INTO execution.jobs
            (id, kind, body, traceparent, state, open_lanes, market_rules, price_version, price_changes)
        SELECT $1, $2, $3, $4, 'running', 0, $5, version,
            (SELECT coalesce(sum(changes), 0) FROM market.symbol_changes WHERE symbol = ANY($6))
        FROM market.price_version
        ON CONFLICT (id) DO NOTHING",
    )
    .bind(job.0)
    .bind(kind)
    .bind(body)
    .bind(traceparent)
    .bind(MarketRules::default().as_str())
    .bind(symbols)
    .execute(&mut *transaction)
    .await?;
    if inserted.rows_affected() == 0 {
        transaction.rollback().await?;
        return Ok(None);
    }
    let end_cause = end_cause(&mut transaction, job).await?;
    Ok(Some(JobPlan { transaction, job, end_cause }))
}

/// Whether `job` was cancelled; it cannot be cancelled from here to the end of the transaction.
pub(super) async fn end_cause(connection: &mut Connection, job: JobId) -> Result<EndCause> {
    let (is_cancelled,): (bool,) = sqlx::query_as("-- jobs::end_cause\nSELECT execution.is_cancelled($1)")
        .bind(job.0)
        .fetch_one(connection)
        .await?;
    Ok(if is_cancelled { EndCause::Cancelled } else { EndCause::DaysEnded })
}

impl JobPlan {
    /// The job's portfolios, created when they are missing, and locked in the order of their ids.
    pub async fn portfolios(
        &mut self,
        experiment: &str,
        names: &[(Uuid, String, u32)],
    ) -> Result<Vec<PortfolioRow>> {
        portfolios::lock(&mut self.transaction, experiment, names).await
    }

    /// The transaction, for reading what the plan depends on.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.transaction
    }

    /// Stores lanes and skipped dates. Lanes of free portfolios take them; the others wait.
    pub async fn store(
        &mut self,
        lanes: &[NewLane],
        skipped: &[SkippedRow],
        budget: Option<Decimal>,
    ) -> Result<()> {
        if let Some(budget) = budget {
            sqlx::query(
                "-- jobs::store budget\nINSERT INTO execution.budgets (job_id, allowed) VALUES ($1, $2)",
            )
            .bind(self.job.0)
            .bind(budget)
            .execute(&mut *self.transaction)
            .await?;
        }
        lanes::insert(&mut self.transaction, self.job, lanes).await?;
        for row in skipped {
            insert_skipped(&mut self.transaction, self.job, row).await?;
        }
        sqlx::query("-- jobs::store\nUPDATE execution.jobs SET open_lanes = $2 WHERE id = $1")
            .bind(self.job.0)
            .bind(i32::try_from(lanes.len()).unwrap_or(i32::MAX))
            .execute(&mut *self.transaction)
            .await?;
        Ok(())
    }

    /// Stores which prices the days of each model read.
    pub async fn store_price_scopes(&mut self, scopes: &[PriceScopeRow]) -> Result<()> {
        for PriceScopeRow { model, scope } in scopes {
            let symbols: Vec<&str> = scope.symbols.iter().map(|symbol| symbol.as_str()).collect();
            sqlx::query(
                "-- jobs::store_price_scopes
                INSERT INTO execution.price_scopes (job_id, model, symbols, days_back, actions_seen)
                VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(self.job.0)
            .bind(model)
            .bind(symbols)
            .bind(i32::try_from(scope.days_back).unwrap_or(i32::MAX))
            .bind(scope.actions.as_str())
            .execute(&mut *self.transaction)
            .await?;
        }
        Ok(())
    }

    /// Ends the job at once: it has no lane.
    pub async fn end(&mut self, outcome: JobOutcome) -> Result<()> {
        end_job(&mut self.transaction, self.job, outcome).await
    }

    /// Writes the plan's messages and commits all of it.
    pub async fn commit(mut self, messages: &[NewMessage]) -> Result<()> {
        outbox::write(&mut self.transaction, messages).await?;
        self.transaction.commit().await?;
        Ok(())
    }
}

pub(super) async fn insert_skipped(connection: &mut Connection, job: JobId, row: &SkippedRow) -> Result<()> {
    let dates: Vec<_> = row.dates.iter().map(|skipped| skipped.date).collect();
    let reasons: Vec<_> = row.dates.iter().map(|skipped| skipped.reason.as_str()).collect();
    sqlx::query(
        "-- jobs::insert_skipped
        INSERT INTO execution.model_days (job_id, portfolio_id, trading_date, state, detail)
        SELECT $1, $2, trading_date, 'skipped', reason
        FROM UNNEST($3::date[], $4::text[]) AS skipped (trading_date, reason)",
    )
    .bind(job.0)
    .bind(row.portfolio.0)
    .bind(dates)
    .bind(reasons)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn end_job(connection: &mut Connection, job: JobId, outcome: JobOutcome) -> Result<()> {
    sqlx::query(
        "-- jobs::end_job
        UPDATE execution.jobs
        SET state = $2, ended_at = now()
        WHERE id = $1",
    )
    .bind(job.0)
    .bind(JobState::from(outcome).as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// How many of the job's model-days have ended in which way.
pub async fn tally(connection: &mut Connection, job: JobId) -> Result<Tally> {
    let rows: Vec<(String, Option<String>, i64)> = sqlx::query_as(
        "-- jobs::tally
        SELECT state, CASE state WHEN 'skipped' THEN detail END, count(*)
        FROM execution.model_days
        WHERE job_id = $1
        GROUP BY 1, 2",
    )
    .bind(job.0)
    .fetch_all(connection)
    .await?;
    let mut tally = Tally::default();
    for (state, reason, count) in rows {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match state.as_str() {
            "completed" => tally.completed += count,
            "failed" => tally.failed += count,
            "skipped" => {
                tally.skipped += count;
                if reason.as_deref() == Some(SkipReason::AlreadyCompleted.as_str()) {
                    tally.already_completed += count;
                } else if reason.as_deref() == Some(SkipReason::IncompletePriceData.as_str()) {
                    tally.incomplete += count;
                }
            }
            other => {
                return Err(StorageError::corrupt("execution.model_days", format_args!("state {other:?}")));
            }
        }
    }
    Ok(tally)
}

/// The job as it was planned.
pub async fn job(pool: &PgPool, job: JobId) -> Result<Option<JobRow>> {
    let row: Option<JobColumns> = sqlx::query_as(
        "-- jobs::job
        SELECT kind, body, traceparent, price_version, price_changes, market_rules, began_at IS NOT NULL AS has_begun
        FROM execution.jobs
        WHERE id = $1",
    )
    .bind(job.0)
    .fetch_optional(pool)
    .await?;
    let Some(JobColumns { kind, body, traceparent, prices, market_rules, has_begun }) = row else {
        return Ok(None);
    };
    let rules = rules("execution.jobs", &market_rules)?;
    Ok(Some(JobRow { kind, body, traceparent, prices, rules, has_begun }))
}

/// Notes that the first day of the job begins, in this lane; returns how many seconds it was waited for, or `None` when
/// it began before. It was waited for since the job's prices were ready or, when another job held the lane's portfolio,
/// since that let it go.
pub async fn note_first_day(pool: &PgPool, job: JobId, lane: LaneId) -> Result<Option<f64>> {
    let waited: Option<(f64,)> = sqlx::query_as(concat!(
        "-- jobs::note_first_day
        UPDATE execution.jobs AS job
        SET began_at = now()
        FROM execution.lanes AS lane, ",
        without_waiting_if!("true"),
        "
        WHERE job.id = $1 AND lane.id = $2 AND job.began_at IS NULL
        RETURNING greatest(extract(epoch FROM now() - CASE
            WHEN lane.resends = 0 AND lane.sent_at > job.planned_at THEN lane.sent_at
            ELSE coalesce(
                (SELECT max(created_at) FROM market.outbox AS o WHERE o.job_id = job.id AND o.kind = job.kind),
                job.planned_at
            )
        END), 0)::float8"
    ))
    .bind(job.0)
    .bind(lane.0)
    .fetch_optional(pool)
    .await?;
    Ok(waited.map(|(seconds,)| seconds))
}

/// Messages of the downloader about jobs that are not planned, because the broker has not delivered or has lost them: the
/// first 1,000 with ids above `after`, by id. Without any, there are no more.
pub async fn unplanned(pool: &PgPool, after: i64) -> Result<Vec<StoredMessage>> {
    let rows = sqlx::query_as(
        "-- jobs::unplanned
        SELECT o.id, o.event_id, o.kind, o.exchange, o.routing_key, o.job_id, o.traceparent, o.body, o.created_at
        FROM market.outbox o
        WHERE o.id > $1 AND o.kind IN ('modelday.data.ready.v1', 'modelday.data.failed.v1')
            AND NOT EXISTS (SELECT FROM execution.jobs j WHERE j.id = o.job_id)
        ORDER BY o.id
        LIMIT 1000",
    )
    .bind(after)
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
