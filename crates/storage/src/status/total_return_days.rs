//! Portfolios that stand on prices that are adjusted for dividends.

use std::collections::BTreeMap;

use super::results::WinnerKey;
use crate::error::Result;
use crate::pool::PgPool;

/// Symbols, by model and trial.
pub type HeldSymbols = BTreeMap<(String, u32), Vec<String>>;

/// The symbols that these days traded, or held at their end, of which the prices are adjusted for dividends.
pub async fn total_return_holdings<'a>(
    pool: &PgPool,
    days: impl IntoIterator<Item = &'a WinnerKey>,
) -> Result<HeldSymbols> {
    let symbols: Vec<(String,)> = sqlx::query_as(
        "-- total_return_days::total_return_holdings symbols\nSELECT symbol FROM market.total_return_symbols ORDER BY symbol",
    )
    .fetch_all(pool)
    .await?;
    // On most installations there are none, and the days need not be read.
    if symbols.is_empty() {
        return Ok(HeldSymbols::new());
    }
    let days: Vec<&WinnerKey> = days.into_iter().collect();
    let rows: Vec<(String, i32, String)> = sqlx::query_as(
        "-- total_return_days::total_return_holdings
        SELECT DISTINCT given.model, given.trial, known.symbol
        FROM UNNEST($1::text[], $2::text[], $3::int[], $4::date[], $5::int[])
            AS given (experiment, model, trial, trading_date, revision)
        JOIN status.model_days day
            ON day.experiment = given.experiment AND day.model = given.model AND day.trial = given.trial
                AND day.trading_date = given.trading_date AND day.revision = given.revision
                AND day.state = 'completed'
        JOIN status.events event ON event.source = day.event_source AND event.id = day.event_id
        JOIN (
            SELECT symbol, jsonb_build_array(jsonb_build_object('symbol', symbol)) AS named
            FROM UNNEST($6::text[]) AS given (symbol)
        ) AS known
            ON event.body::jsonb #> '{ending_position,holdings}' @> named
                OR event.body::jsonb -> 'trades' @> named
        ORDER BY given.model, given.trial, known.symbol",
    )
    .bind(days.iter().map(|key| key.experiment.as_str()).collect::<Vec<_>>())
    .bind(days.iter().map(|key| key.model.as_str()).collect::<Vec<_>>())
    .bind(days.iter().map(|key| key.trial.cast_signed()).collect::<Vec<_>>())
    .bind(days.iter().map(|key| key.day.date).collect::<Vec<_>>())
    .bind(days.iter().map(|key| key.day.revision.cast_signed()).collect::<Vec<_>>())
    .bind(symbols.into_iter().map(|(symbol,)| symbol).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    let mut held = HeldSymbols::new();
    for (model, trial, symbol) in rows {
        held.entry((model, trial.cast_unsigned())).or_default().push(symbol);
    }
    Ok(held)
}
