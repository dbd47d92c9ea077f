//! Planned jobs, and their end.

use domain::job::{EndCause, JobOutcome, JobState, Tally};
use domain::market::rules::MarketRules;
use domain::simulation::model_day::{SkipReason, SkippedDate};
use domain::values::ids::{JobId, LaneId, PortfolioId};
use sqlx::FromRow;

use crate::columns::rules;
use crate::connection::Connection;
use crate::error::{Result, StorageError};
use crate::outbox::StoredMessage;
use crate::pool::PgPool;
use crate::sql::without_waiting_if;

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

/// Dates of one portfolio that a job does not run.
#[derive(Debug, Clone)]
pub struct SkippedRow {
    /// The portfolio.
    pub portfolio: PortfolioId,
    /// The dates, with their reasons.
    pub dates: Vec<SkippedDate>,
}

/// Whether `job` was cancelled; it cannot be cancelled from here to the end of the transaction.
pub(super) async fn end_cause(connection: &mut Connection, job: JobId) -> Result<EndCause> {
    let (is_cancelled,): (bool,) = sqlx::query_as("-- jobs::end_cause\nSELECT execution.is_cancelled($1)")
        .bind(job.0)
        .fetch_one(connection)
        .await?;
    Ok(if is_cancelled { EndCause::Cancelled } else { EndCause::DaysEnded })
}

pub(super) async fn insert_skipped(
    connection: &mut Connection,
    job: JobId,
    rows: &[SkippedRow],
) -> Result<()> {
    let days = || rows.iter().flat_map(|row| row.dates.iter().map(|skipped| (row.portfolio.0, skipped)));
    let (portfolios, dates): (Vec<_>, Vec<_>) =
        days().map(|(portfolio, skipped)| (portfolio, skipped.date)).unzip();
    if dates.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "-- jobs::insert_skipped
        INSERT INTO execution.model_days (job_id, portfolio_id, trading_date, state, detail)
        SELECT $1, portfolio_id, trading_date, 'skipped', reason
        FROM UNNEST($2::uuid[], $3::date[], $4::text[]) AS skipped (portfolio_id, trading_date, reason)",
    )
    .bind(job.0)
    .bind(portfolios)
    .bind(dates)
    .bind(days().map(|(_, skipped)| skipped.reason.as_str()).collect::<Vec<_>>())
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

/// Messages of the downloader about jobs that are not planned, or not to the end, because the broker has not delivered or
/// has lost them: the first 1,000 with ids above `after`, by id. Without any, there are no more.
pub async fn unplanned(pool: &PgPool, after: i64) -> Result<Vec<StoredMessage>> {
    let rows = sqlx::query_as(
        "-- jobs::unplanned
        SELECT o.id, o.event_id, o.kind, o.exchange, o.routing_key, o.job_id, o.traceparent, o.body, o.created_at
        FROM market.outbox o
        WHERE o.id > $1 AND o.kind IN ('modelday.data.ready.v1', 'modelday.data.failed.v1')
            AND NOT EXISTS (
                SELECT FROM execution.jobs j WHERE j.id = o.job_id AND j.planned_portfolios IS NULL
            )
        ORDER BY o.id
        LIMIT 1000",
    )
    .bind(after)
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
