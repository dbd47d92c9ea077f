//! Planning a job: its portfolios and lanes, in one transaction or in several.

use domain::job::{EndCause, JobOutcome, Priority};
use domain::market::instruments::Symbol;
use domain::market::rules::MarketRules;
use domain::simulation::decider::PriceScope;
use domain::values::ids::JobId;
use rust_decimal::Decimal;
use uuid::Uuid;

use super::jobs::{SkippedRow, end_cause, end_job, insert_skipped};
use super::lanes::{self, NewLane};
use super::lists::Lists;
use super::portfolios::{self, PortfolioRow};
use crate::columns::corrupt;
use crate::connection::Connection;
use crate::error::Result;
use crate::outbox::{self, NewMessage};
use crate::pool::PgPool;
use crate::transaction::Transaction;

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
    /// Whose parked lanes go first.
    pub priority: Priority,
    /// Whether its lanes are parked until they are fed to the queue.
    pub is_paced: bool,
}

/// Which prices the days of a model read, besides the prices of what is held.
#[derive(Debug, Clone)]
pub struct PriceScopeRow {
    /// The model.
    pub model: String,
    /// The prices that its days read.
    pub scope: PriceScope,
}

/// A job that is being planned: one transaction, for all of its portfolios or for the next ones.
pub struct JobPlan {
    transaction: Transaction,
    job: JobId,
    /// Whether the job was cancelled. It cannot be cancelled until this transaction ends.
    pub end_cause: EndCause,
    /// How many of its portfolios were planned before, in the order of the request.
    pub planned_before: usize,
}

/// Begins to plan a job, whose days read prices of `symbols`, or goes on where another planner ended; `None` when it is
/// planned already.
pub async fn begin_plan(
    pool: &PgPool,
    received: ReceivedJob<'_>,
    symbols: &[Symbol],
) -> Result<Option<JobPlan>> {
    let ReceivedJob { id: job, kind, body, traceparent, priority, is_paced } = received;
    let symbols: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let mut transaction = pool.begin().await?;
    let inserted = sqlx::query(
        "-- job_plan::begin_plan
        INSERT INTO execution.jobs
            (id, kind, body, traceparent, state, open_lanes, market_rules, priority, is_paced, planned_portfolios,
            price_version, price_changes)
        SELECT $1, $2, $3, $4, 'running', 0, $5, $7, $8, 0, version,
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
    .bind(priority.rank())
    .bind(is_paced)
    .execute(&mut *transaction)
    .await?;
    if inserted.rows_affected() == 0 {
        return locked_plan(transaction, job).await;
    }
    let end_cause = end_cause(&mut transaction, job).await?;
    Ok(Some(JobPlan { transaction, job, end_cause, planned_before: 0 }))
}

/// Goes on with the plan of a job; `None` when all of it is planned.
pub async fn continue_plan(pool: &PgPool, job: JobId) -> Result<Option<JobPlan>> {
    locked_plan(pool.begin().await?, job).await
}

async fn locked_plan(mut transaction: Transaction, job: JobId) -> Result<Option<JobPlan>> {
    let planned: Option<(i32,)> = sqlx::query_as(
        "-- job_plan::locked_plan
        SELECT planned_portfolios FROM execution.jobs WHERE id = $1 AND planned_portfolios IS NOT NULL FOR UPDATE",
    )
    .bind(job.0)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some((planned,)) = planned else {
        transaction.rollback().await?;
        return Ok(None);
    };
    let planned_before = usize::try_from(planned).map_err(corrupt("execution.jobs"))?;
    let end_cause = end_cause(&mut transaction, job).await?;
    Ok(Some(JobPlan { transaction, job, end_cause, planned_before }))
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

    /// Stores what the job may spend.
    pub async fn store_budget(&mut self, budget: Decimal) -> Result<()> {
        sqlx::query(
            "-- job_plan::store budget\nINSERT INTO execution.budgets (job_id, allowed) VALUES ($1, $2)",
        )
        .bind(self.job.0)
        .bind(budget)
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Stores lanes and skipped dates of the next portfolios; with `planned` of them in all, or `None` when these were the
    /// last. Lanes of free portfolios take them; the others wait. Answers how many lanes the job has.
    pub async fn store(
        &mut self,
        lanes: &[NewLane],
        skipped: &[SkippedRow],
        planned: Option<usize>,
    ) -> Result<usize> {
        lanes::insert(&mut self.transaction, self.job, lanes).await?;
        insert_skipped(&mut self.transaction, self.job, skipped).await?;
        let (open_lanes,): (i32,) = sqlx::query_as(
            "-- job_plan::store
            UPDATE execution.jobs
            SET open_lanes = open_lanes + $2, planned_portfolios = $3
            WHERE id = $1
            RETURNING open_lanes",
        )
        .bind(self.job.0)
        .bind(i32::try_from(lanes.len()).unwrap_or(i32::MAX))
        .bind(planned.map(|planned| i32::try_from(planned).unwrap_or(i32::MAX)))
        .fetch_one(&mut *self.transaction)
        .await?;
        usize::try_from(open_lanes).map_err(corrupt("execution.jobs"))
    }

    /// How many model-days the lanes have that are stored.
    pub async fn stored_days(&mut self) -> Result<usize> {
        let (days,): (i64,) = sqlx::query_as(
            "-- job_plan::stored_days\nSELECT coalesce(sum(days), 0) FROM execution.lanes WHERE job_id = $1",
        )
        .bind(self.job.0)
        .fetch_one(&mut *self.transaction)
        .await?;
        usize::try_from(days).map_err(corrupt("execution.lanes"))
    }

    /// Stores which prices the days of each model read.
    pub async fn store_price_scopes(&mut self, scopes: &[PriceScopeRow]) -> Result<()> {
        let symbols: Vec<Vec<&str>> =
            scopes.iter().map(|row| row.scope.symbols.iter().map(Symbol::as_str).collect()).collect();
        let symbols = Lists::of(symbols.iter().map(Vec::as_slice));
        let days_back = |row: &PriceScopeRow| i32::try_from(row.scope.days_back).unwrap_or(i32::MAX);
        sqlx::query(
            "-- job_plan::store_price_scopes
            INSERT INTO execution.price_scopes (job_id, model, symbols, days_back, actions_seen)
            SELECT $1, model, ($7::text[])[first:last], days_back, actions_seen
            FROM UNNEST($2::text[], $3::int[], $4::text[], $5::int[], $6::int[])
                AS given (model, days_back, actions_seen, first, last)",
        )
        .bind(self.job.0)
        .bind(scopes.iter().map(|row| row.model.as_str()).collect::<Vec<_>>())
        .bind(scopes.iter().map(days_back).collect::<Vec<_>>())
        .bind(scopes.iter().map(|row| row.scope.actions.as_str()).collect::<Vec<_>>())
        .bind(symbols.firsts)
        .bind(symbols.lasts)
        .bind(symbols.items)
        .execute(&mut *self.transaction)
        .await?;
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
