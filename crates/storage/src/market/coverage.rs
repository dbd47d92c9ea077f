//! Which prices are stored.

use chrono::NaiveDate;
use domain::market::instruments::Symbol;

use crate::columns::symbol;
use crate::error::Result;
use crate::pool::PgPool;

/// First and last session of all stored bars; `None` when there are none.
pub async fn stored_range(pool: &PgPool) -> Result<Option<(NaiveDate, NaiveDate)>> {
    let (first, last): (Option<NaiveDate>, Option<NaiveDate>) = sqlx::query_as(
        "-- coverage::stored_range\nSELECT min(trading_date), max(trading_date) FROM market.bars",
    )
    .fetch_one(pool)
    .await?;
    Ok(first.zip(last))
}

/// All symbols that have a bar or were requested from the provider, in order.
pub async fn known_symbols(pool: &PgPool) -> Result<Vec<Symbol>> {
    let rows: Vec<(String,)> = sqlx::query_as(
        "-- coverage::known_symbols
        WITH RECURSIVE stored AS (
            SELECT min(symbol) AS symbol FROM market.bars
            UNION ALL
            SELECT (SELECT min(symbol) FROM market.bars WHERE symbol > stored.symbol)
            FROM stored
            WHERE stored.symbol IS NOT NULL
        )
        SELECT symbol FROM stored WHERE symbol IS NOT NULL
        UNION
        SELECT symbol FROM market.answer_spans",
    )
    .fetch_all(pool)
    .await?;
    let mut symbols: Vec<Symbol> =
        rows.into_iter().map(|(name,)| symbol("market.bars", name)).collect::<Result<_>>()?;
    symbols.sort();
    Ok(symbols)
}
