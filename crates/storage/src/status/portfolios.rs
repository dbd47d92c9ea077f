//! The portfolios of an experiment.

use chrono::NaiveDate;
use sqlx::FromRow;

use crate::error::Result;
use crate::pool::PgPool;

/// A portfolio of an experiment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub struct Portfolio {
    /// Its model.
    pub model: String,
    /// Its trial, from 0.
    #[sqlx(try_from = "i32")]
    pub trial: u32,
    /// The first date from which its winning days are stale; `None` when none is.
    pub stale_from: Option<NaiveDate>,
}

/// The portfolios of an experiment that completed a day, by model and trial; only of these models, if they are given. It
/// reads one entry of an index for each portfolio, however many days that has.
pub async fn portfolios(
    pool: &PgPool,
    experiment: &str,
    models: Option<&[String]>,
) -> Result<Vec<Portfolio>> {
    let rows = sqlx::query_as(
        "-- portfolios::portfolios
        WITH RECURSIVE portfolio AS (
            SELECT DISTINCT given.model COLLATE \"C\" AS model, -1 AS trial
            FROM UNNEST(coalesce($2::text[], '{\"\"}')) AS given (model)
            UNION ALL
            SELECT next.model, next.trial
            FROM portfolio
            CROSS JOIN LATERAL (
                SELECT day.model, day.trial
                FROM status.model_days day
                WHERE day.state = 'completed' AND day.experiment = $1
                    AND (day.model, day.trial) > (portfolio.model, portfolio.trial)
                ORDER BY day.model, day.trial
                LIMIT 1
            ) next
            WHERE next.model = portfolio.model OR $2 IS NULL
        )
        SELECT model, trial, least(chain.stale_from, repriced.first_date) AS stale_from
        FROM portfolio
        LEFT JOIN (SELECT model, trial, stale_from FROM status.chains WHERE experiment = $1) chain USING (model, trial)
        LEFT JOIN (
            SELECT model COLLATE \"C\" AS model, trial, min(trading_date) AS first_date
            FROM execution.repriced_days
            WHERE experiment = $1 AND ($2 IS NULL OR model = ANY($2))
            GROUP BY 1, 2
        ) repriced USING (model, trial)
        WHERE trial >= 0
        ORDER BY model, trial",
    )
    .bind(experiment)
    .bind(models)
    .fetch_all(pool)
    .await?;
    Ok(rows)
}

/// Of these models, the portfolios of an experiment that have stale days, by model and trial. It reads only those and the
/// chains of the others, so a job of thousands of portfolios costs little.
pub async fn stale_portfolios(pool: &PgPool, experiment: &str, models: &[String]) -> Result<Vec<Portfolio>> {
    let rows = sqlx::query_as(
        "-- portfolios::stale_portfolios
        SELECT model, trial, min(first_date) AS stale_from
        FROM (
            SELECT model, trial, stale_from FROM status.chains WHERE experiment = $1 AND stale_from IS NOT NULL
            UNION ALL
            SELECT model, trial, trading_date FROM execution.repriced_days WHERE experiment = $1
        ) AS stale (model, trial, first_date)
        WHERE model = ANY($2)
        GROUP BY model, trial
        ORDER BY model, trial",
    )
    .bind(experiment)
    .bind(models)
    .fetch_all(pool)
    .await?;
    Ok(rows)
}
