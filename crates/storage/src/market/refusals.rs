//! Symbols that sources have refused. Rows are kept after a refusal is no longer believed, until the next one.

use chrono::{DateTime, Utc};
use domain::ingest::refusals::Refusal;
use domain::market::instruments::Symbol;

use crate::columns::symbol;
use crate::error::Result;
use crate::pool::PgPool;

/// Stores that a source has just refused a symbol; `source` is the name of its call quota.
pub async fn record_refusal(pool: &PgPool, source: &str, symbol: &Symbol, reason: &str) -> Result<()> {
    sqlx::query(
        "-- refusals::record_refusal
        INSERT INTO market.refusals (source, symbol, reason)
        VALUES ($1, $2, $3)
        ON CONFLICT (source, symbol) DO UPDATE SET reason = excluded.reason, refused_at = now()",
    )
    .bind(source)
    .bind(symbol.as_str())
    .bind(reason)
    .execute(pool)
    .await?;
    Ok(())
}

/// The last refusal of these symbols by each source, however old.
pub async fn refusals(pool: &PgPool, symbols: &[Symbol]) -> Result<Vec<Refusal>> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let rows: Vec<(String, String, String, DateTime<Utc>)> = sqlx::query_as(
        "-- refusals::refusals
        SELECT source, symbol, reason, refused_at
        FROM market.refusals
        WHERE symbol = ANY($1)
        ORDER BY symbol, source",
    )
    .bind(names)
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(source, name, reason, refused_at)| {
            Ok(Refusal { source, symbol: symbol("market.refusals", name)?, reason, refused_at })
        })
        .collect()
}
