//! What successful answers covered.

use chrono::{DateTime, NaiveDate, Utc};
use domain::ingest::coverage::AnswerSpan;
use domain::market::instruments::Symbol;
use sqlx::{PgConnection, PgPool};

use crate::error::{Result, StorageError};

/// Notes what an answer covered. An older answer that says no more is dropped.
///
/// # Errors
/// When Postgres refuses.
pub async fn insert_span(connection: &mut PgConnection, span: &AnswerSpan) -> Result<()> {
    sqlx::query(
        "-- spans::insert_span drop
        DELETE FROM market.answer_spans
        WHERE symbol = $1 AND from_date >= $2 AND to_date <= $3 AND requested_at <= $4",
    )
    .bind(span.symbol.as_str())
    .bind(span.from)
    .bind(span.to)
    .bind(span.requested_at)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "-- spans::insert_span
        INSERT INTO market.answer_spans (symbol, from_date, to_date, requested_at)
        VALUES ($1, $2, $3, $4)",
    )
    .bind(span.symbol.as_str())
    .bind(span.from)
    .bind(span.to)
    .bind(span.requested_at)
    .execute(connection)
    .await?;
    Ok(())
}

/// What answers about these symbols covered.
///
/// # Errors
/// When Postgres refuses.
pub async fn spans(pool: &PgPool, symbols: &[Symbol]) -> Result<Vec<AnswerSpan>> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let rows: Vec<(String, NaiveDate, NaiveDate, DateTime<Utc>)> = sqlx::query_as(
        "-- spans::spans
        SELECT symbol, from_date, to_date, requested_at FROM market.answer_spans WHERE symbol = ANY($1) ORDER BY id",
    )
    .bind(names)
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(symbol, from, to, asked_at)| {
            let symbol = Symbol::try_from(symbol)
                .map_err(|problem| StorageError::corrupt("market.answer_spans", problem))?;
            Ok(AnswerSpan { symbol, from, to, requested_at: asked_at })
        })
        .collect()
}
