//! What agents used: summed over the days of a job, or over those of each portfolio.

use chrono::NaiveDate;
use domain::agent::UsageTotal;
use domain::events::job_view::days::DayUsage;
use domain::values::ids::JobId;
use rust_decimal::Decimal;
use sqlx::FromRow;

use crate::error::Result;
use crate::pool::PgPool;

/// Sums of the column `usage`, with bounds rather than overflow.
macro_rules! sums {
    () => {
        "count(*) AS days,
            least(sum((usage ->> 'calls')::numeric), 9223372036854775807)::bigint AS calls,
            least(sum((usage ->> 'prompt_tokens')::numeric), 9223372036854775807)::bigint AS prompt_tokens,
            least(sum((usage ->> 'cached_tokens')::numeric), 9223372036854775807)::bigint AS cached_tokens,
            least(sum((usage ->> 'completion_tokens')::numeric), 9223372036854775807)::bigint AS completion_tokens,
            least(sum((usage ->> 'reasoning_tokens')::numeric), 9223372036854775807)::bigint AS reasoning_tokens,
            least(sum((usage ->> 'cost')::numeric), 79228162514264337593543950335) AS cost,
            least(sum((usage ->> 'unknown_calls')::numeric), 9223372036854775807)::bigint AS unknown_calls,
            least(sum((usage ->> 'unpriced_calls')::numeric), 9223372036854775807)::bigint AS unpriced_calls,
            least(sum((usage ->> 'possibly_paid_twice')::numeric), 9223372036854775807)::bigint
                AS possibly_paid_twice"
    };
}

/// Days of agents with what they used together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageRow {
    /// Days that report what they used, failed and replaced ones included.
    pub days: u64,
    /// Their sum.
    pub usage: DayUsage,
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
    calls: Option<i64>,
    prompt_tokens: Option<i64>,
    cached_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    reasoning_tokens: Option<i64>,
    cost: Option<Decimal>,
    unknown_calls: Option<i64>,
    unpriced_calls: Option<i64>,
    possibly_paid_twice: Option<i64>,
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
        let count =
            // Null in a day that does not report it.
            |column: Option<i64>| column.unwrap_or_default().cast_unsigned();
        let spent = UsageTotal {
            calls: count(row.calls),
            prompt_tokens: count(row.prompt_tokens),
            cached: count(row.cached_tokens),
            completion: count(row.completion_tokens),
            reasoning: count(row.reasoning_tokens),
            cost: row.cost.map(|cost| cost.normalize()),
            unknown_calls: count(row.unknown_calls),
            unpriced_calls: count(row.unpriced_calls),
        };
        let usage = DayUsage { spent, possibly_paid_twice: count(row.possibly_paid_twice) };
        Self { days: count(Some(row.days)), usage }
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
