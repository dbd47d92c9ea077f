//! What agents used: summed over the days of a job, or over those of each portfolio.

use chrono::NaiveDate;
use domain::agent::UsageTotal;
use domain::events::job_view::days::DayUsage;
use domain::values::ids::JobId;
use rust_decimal::Decimal;
use sqlx::FromRow;

use crate::error::Result;
use crate::pool::PgPool;

/// The sum of a count in the column `usage`, with a bound rather than overflow.
macro_rules! total {
    ($name:literal) => {
        concat!(
            "least(coalesce(sum((usage ->> '",
            $name,
            "')::numeric), 0), 9223372036854775807)::bigint AS ",
            $name
        )
    };
}

/// What the days of agents used together. `least` ignores nulls, so a sum that is unknown must not get to it.
macro_rules! sums {
    () => {
        concat!(
            "count(*) AS days, ",
            total!("calls"),
            ", ",
            total!("prompt_tokens"),
            ", ",
            total!("cached_tokens"),
            ", ",
            total!("completion_tokens"),
            ", ",
            total!("reasoning_tokens"),
            ", ",
            total!("unknown_calls"),
            ", ",
            total!("unpriced_calls"),
            ", ",
            total!("possibly_paid_twice"),
            ",
            CASE WHEN count(usage ->> 'cost') > 0
                THEN least(sum((usage ->> 'cost')::numeric), 79228162514264337593543950335) END AS cost,
            CASE WHEN count(usage ->> 'tool_calls') > 0
                THEN least(sum((usage ->> 'tool_calls')::numeric), 9223372036854775807)::bigint END AS tool_calls,
            CASE WHEN bool_or(trades > 0 OR (usage ->> 'tool_calls')::numeric > 0) FILTER (WHERE state = 'completed')
                THEN true
                WHEN bool_and((usage ->> 'tool_calls') IS NOT NULL) FILTER (WHERE state = 'completed')
                THEN false END AS acted"
        )
    };
}

/// Days of agents with what they used together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageRow {
    /// Days that report what they used, failed and replaced ones included.
    pub days: u64,
    /// Their sum.
    pub usage: DayUsage,
    /// Whether the agents called a tool in any of the completed days; `None` when that is unknown, or none is completed.
    pub acted: Option<bool>,
}

/// Which days' usage.
#[derive(Debug, Clone, Copy)]
pub struct UsageFilter<'a> {
    /// Of this experiment.
    pub experiment: &'a str,
    /// Of these models; `None` for all.
    pub models: Option<&'a [String]>,
    /// From this date on.
    pub from: Option<NaiveDate>,
    /// To this date, included.
    pub to: Option<NaiveDate>,
}

#[derive(FromRow)]
struct Sums {
    days: i64,
    calls: i64,
    prompt_tokens: i64,
    cached_tokens: i64,
    completion_tokens: i64,
    reasoning_tokens: i64,
    cost: Option<Decimal>,
    unknown_calls: i64,
    unpriced_calls: i64,
    possibly_paid_twice: i64,
    tool_calls: Option<i64>,
    acted: Option<bool>,
}

#[derive(FromRow)]
struct PortfolioSums {
    model: String,
    trial: i32,
    #[sqlx(flatten)]
    sums: Sums,
}

impl From<Sums> for UsageRow {
    fn from(row: Sums) -> Self {
        let spent = UsageTotal {
            calls: row.calls.cast_unsigned(),
            prompt_tokens: row.prompt_tokens.cast_unsigned(),
            cached: row.cached_tokens.cast_unsigned(),
            completion: row.completion_tokens.cast_unsigned(),
            reasoning: row.reasoning_tokens.cast_unsigned(),
            cost: row.cost.map(|cost| cost.normalize()),
            unknown_calls: row.unknown_calls.cast_unsigned(),
            unpriced_calls: row.unpriced_calls.cast_unsigned(),
        };
        let usage = DayUsage {
            spent,
            possibly_paid_twice: row.possibly_paid_twice.cast_unsigned(),
            tool_calls: row.tool_calls.map(i64::cast_unsigned),
        };
        Self { days: row.days.cast_unsigned(), usage, acted: row.acted }
    }
}

/// What the agents of a job used; `None` when no day of the job reports it.
pub async fn job_usage(pool: &PgPool, job: JobId) -> Result<Option<UsageRow>> {
    let sums: Sums = sqlx::query_as(concat!(
        "-- usage::job_usage
        SELECT ",
        sums!(),
        "
        FROM status.model_days
        WHERE job_id = $1 AND usage IS NOT NULL"
    ))
    .bind(job.0)
    .fetch_one(pool)
    .await?;
    Ok(Some(UsageRow::from(sums)).filter(|row| row.days > 0))
}

/// What the agents of each portfolio used, by model and trial; portfolios without a day that reports it are missing.
pub async fn portfolio_usage(
    pool: &PgPool,
    filter: &UsageFilter<'_>,
) -> Result<Vec<(String, u32, UsageRow)>> {
    let rows: Vec<PortfolioSums> = sqlx::query_as(concat!(
        "-- usage::portfolio_usage
        SELECT model, trial, ",
        sums!(),
        "
        FROM status.model_days
        WHERE experiment = $1
            AND usage IS NOT NULL
            AND ($2::text[] IS NULL OR model = ANY($2))
            AND ($3::date IS NULL OR trading_date >= $3)
            AND ($4::date IS NULL OR trading_date <= $4)
        GROUP BY model, trial
        ORDER BY model, trial"
    ))
    .bind(filter.experiment)
    .bind(filter.models)
    .bind(filter.from)
    .bind(filter.to)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.model, row.trial.cast_unsigned(), row.sums.into())).collect())
}
