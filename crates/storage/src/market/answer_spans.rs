//! The dates that the provider's answers covered.

use chrono::{DateTime, NaiveDate, Utc};
use domain::ingest::coverage::AnswerSpan;
use domain::market::instruments::Symbol;

use crate::columns::symbol;
use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;

/// Stores what an answer covered. Older answers that cover no more are deleted.
pub(super) async fn insert_span(connection: &mut Connection, span: &AnswerSpan) -> Result<()> {
    sqlx::query(
        "-- answer_spans::insert_span replaced
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
        "-- answer_spans::insert_span
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

/// What the answers about these symbols covered.
pub async fn spans(pool: &PgPool, symbols: &[Symbol]) -> Result<Vec<AnswerSpan>> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let rows: Vec<(String, NaiveDate, NaiveDate, DateTime<Utc>)> = sqlx::query_as(
        "-- answer_spans::spans
        SELECT symbol, from_date, to_date, requested_at FROM market.answer_spans WHERE symbol = ANY($1) ORDER BY id",
    )
    .bind(names)
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(name, from, to, requested_at)| {
            Ok(AnswerSpan { symbol: symbol("market.answer_spans", name)?, from, to, requested_at })
        })
        .collect()
}
