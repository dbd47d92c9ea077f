//! Conversations of recorded models, which came with their orders from elsewhere.

use chrono::NaiveDate;
use serde_json::Value;

use super::transcripts::DayKey;
use crate::error::Result;
use crate::pool::PgPool;

/// The day of a portfolio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortfolioDate {
    /// The portfolio's experiment.
    pub experiment: String,
    /// Its model.
    pub model: String,
    /// Its trial.
    pub trial: u32,
    /// The day.
    pub date: NaiveDate,
}

/// Stores the turns of a day, in place of earlier ones.
pub async fn put_conversation(pool: &PgPool, of: &PortfolioDate, turns: &Value, by: &str) -> Result<()> {
    sqlx::query(
        "-- recorded_conversations::put_conversation
        INSERT INTO execution.recorded_conversations (experiment, model, trial, trading_date, turns, sent_by)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (experiment, model, trial, trading_date) DO UPDATE
        SET turns = excluded.turns, sent_by = excluded.sent_by, sent_at = now()",
    )
    .bind(&of.experiment)
    .bind(&of.model)
    .bind(of.trial.cast_signed())
    .bind(of.date)
    .bind(turns)
    .bind(by)
    .execute(pool)
    .await?;
    Ok(())
}

/// The turns that came for the portfolio of a job's day; `None` when none did.
pub async fn recorded_conversation(pool: &PgPool, key: &DayKey) -> Result<Option<Value>> {
    let row: Option<(Value,)> = sqlx::query_as(
        "-- recorded_conversations::recorded_conversation
        SELECT said.turns
        FROM execution.model_days day
        JOIN execution.portfolios portfolio ON portfolio.id = day.portfolio_id
        JOIN execution.recorded_conversations said
            ON said.experiment = portfolio.experiment AND said.model = portfolio.model
                AND said.trial = portfolio.trial AND said.trading_date = day.trading_date
        WHERE day.job_id = $1 AND portfolio.model = $2 AND portfolio.trial = $3 AND day.trading_date = $4",
    )
    .bind(key.job.0)
    .bind(&key.model)
    .bind(key.trial.cast_signed())
    .bind(key.date)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|(turns,)| turns))
}
