//! Symbols whose bars are adjusted for dividends: all bars of a symbol are, or none.

use std::collections::HashMap;

use domain::ingest::import::{BarRow, Basis};
use domain::market::instruments::Symbol;

use crate::columns::symbol;
use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;

const TABLE: &str = "market.total_return_symbols";

/// Records the basis of an import whose bars are stored. Returns the symbols of which bars with another basis are stored
/// as well.
pub(super) async fn set_basis(
    connection: &mut Connection,
    bars: &[BarRow],
    basis: Basis,
) -> Result<Vec<String>> {
    let mut counts: HashMap<&str, i64> = HashMap::new();
    for row in bars {
        *counts.entry(row.symbol.as_str()).or_default() += 1;
    }
    let (names, counts): (Vec<&str>, Vec<i64>) = counts.into_iter().unzip();
    let is_total_return = basis == Basis::TotalReturn;
    let changing: Vec<(String, bool)> = sqlx::query_as(
        "-- total_return::set_basis which change
        SELECT given.symbol, (SELECT count(*) FROM market.bars WHERE symbol = given.symbol) > given.bars
        FROM UNNEST($1::text[], $2::bigint[]) AS given (symbol, bars)
        WHERE EXISTS (SELECT FROM market.total_return_symbols known WHERE known.symbol = given.symbol) <> $3
        ORDER BY given.symbol",
    )
    .bind(names)
    .bind(counts)
    .bind(is_total_return)
    .fetch_all(&mut *connection)
    .await?;
    let (mixed, changed): (Vec<_>, Vec<_>) = changing.into_iter().partition(|(_, is_mixed)| *is_mixed);
    let changed: Vec<String> = changed.into_iter().map(|(symbol, _)| symbol).collect();
    let change = if is_total_return {
        "-- total_return::set_basis mark
        INSERT INTO market.total_return_symbols (symbol) SELECT UNNEST($1::text[])"
    } else {
        "-- total_return::set_basis clear
        DELETE FROM market.total_return_symbols WHERE symbol = ANY($1)"
    };
    if !changed.is_empty() {
        sqlx::query(change).bind(changed).execute(connection).await?;
    }
    Ok(mixed.into_iter().map(|(symbol, _)| symbol).collect())
}

/// Those of `symbols` whose bars are adjusted for dividends.
pub async fn total_return_symbols(pool: &PgPool, symbols: &[Symbol]) -> Result<Vec<Symbol>> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let rows: Vec<(String,)> = sqlx::query_as(
        "-- total_return::total_return_symbols
        SELECT symbol FROM market.total_return_symbols WHERE symbol = ANY($1) ORDER BY symbol",
    )
    .bind(names)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|(name,)| symbol(TABLE, name)).collect()
}
