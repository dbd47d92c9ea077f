//! Daily bars: insert-only, exactly as the provider gave them.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::market::instruments::{Bar, Symbol};
use domain::values::money::Price;
use futures::TryStreamExt as _;
use rust_decimal::Decimal;
use sqlx::{FromRow, PgConnection, PgPool};

use crate::error::{Result, StorageError};

/// One symbol's bar of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BarRow {
    /// The symbol.
    pub symbol: Symbol,
    /// The session.
    pub date: NaiveDate,
    /// Prices and volume.
    pub bar: Bar,
}

#[derive(FromRow)]
struct Row {
    symbol: String,
    trading_date: NaiveDate,
    open: Decimal,
    high: Decimal,
    low: Decimal,
    close: Decimal,
    volume: i64,
}

/// The bars of one symbol, by column.
#[derive(FromRow)]
struct Columns {
    symbol: String,
    dates: Vec<NaiveDate>,
    opens: Vec<Decimal>,
    highs: Vec<Decimal>,
    lows: Vec<Decimal>,
    closes: Vec<Decimal>,
    volumes: Vec<i64>,
}

fn corrupt(problem: impl std::fmt::Display) -> StorageError {
    StorageError::corrupt("market.bars", problem)
}

fn price(value: Decimal) -> Result<Price> {
    Price::try_from(value).map_err(corrupt)
}

fn symbol(text: String) -> Result<Symbol> {
    Symbol::try_from(text).map_err(corrupt)
}

fn bar([open, high, low, close]: [Decimal; 4], volume: i64) -> Result<Bar> {
    let volume = u64::try_from(volume).map_err(corrupt)?;
    Bar::new(price(open)?, price(high)?, price(low)?, price(close)?, volume).map_err(corrupt)
}

impl TryFrom<Row> for BarRow {
    type Error = StorageError;

    fn try_from(row: Row) -> Result<Self> {
        let bar = bar([row.open, row.high, row.low, row.close], row.volume)?;
        Ok(Self { symbol: symbol(row.symbol)?, date: row.trading_date, bar })
    }
}

/// What an insertion did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Bars that were new.
    pub inserted: u64,
    /// Sessions whose stored bar differs from the new one; the stored one stays.
    pub revised: Vec<NaiveDate>,
}

/// Stores bars of one symbol. A bar that is there already stays as it is.
///
/// # Errors
/// When Postgres refuses.
pub async fn insert_bars(connection: &mut PgConnection, source: &str, bars: &[BarRow]) -> Result<Stored> {
    let symbols: Vec<&str> = bars.iter().map(|row| row.symbol.as_str()).collect();
    let dates: Vec<NaiveDate> = bars.iter().map(|row| row.date).collect();
    let column = |pick: fn(&Bar) -> Price| -> Vec<Decimal> {
        bars.iter().map(|row| pick(&row.bar).amount()).collect()
    };
    let (opens, highs, lows, closes) =
        (column(Bar::open), column(Bar::high), column(Bar::low), column(Bar::close));
    let volumes: Vec<i64> =
        bars.iter().map(|row| i64::try_from(row.bar.volume()).unwrap_or(i64::MAX)).collect();
    let (inserted, revised): (i64, Vec<NaiveDate>) = sqlx::query_as(
        "-- bars::insert_bars
        WITH given AS (
            SELECT *
            FROM UNNEST($1::text[], $2::date[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[], $7::bigint[])
                AS bar (symbol, trading_date, open, high, low, close, volume)
        ), inserted AS (
            INSERT INTO market.bars (symbol, trading_date, open, high, low, close, volume, source)
            SELECT symbol, trading_date, open, high, low, close, volume, $8 FROM given
            ON CONFLICT (trading_date, symbol) DO NOTHING
            RETURNING trading_date
        ), revised AS (
            SELECT given.trading_date
            FROM given
            JOIN market.bars stored USING (trading_date, symbol)
            WHERE (stored.open, stored.high, stored.low, stored.close)
                IS DISTINCT FROM (given.open, given.high, given.low, given.close)
        )
        SELECT (SELECT count(*) FROM inserted),
            coalesce((SELECT array_agg(trading_date ORDER BY trading_date) FROM revised), '{}')",
    )
    .bind(symbols)
    .bind(dates)
    .bind(opens)
    .bind(highs)
    .bind(lows)
    .bind(closes)
    .bind(volumes)
    .bind(source)
    .fetch_one(connection)
    .await?;
    Ok(Stored { inserted: u64::try_from(inserted).unwrap_or_default(), revised })
}

/// Which of these symbols have a bar on which date from `from` to `to`, both included.
///
/// # Errors
/// When Postgres refuses.
pub async fn present(
    pool: &PgPool,
    symbols: &[Symbol],
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<(Symbol, Vec<NaiveDate>)>> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let rows: Vec<(String, Vec<NaiveDate>)> = sqlx::query_as(
        "-- bars::present
        SELECT symbol, array_agg(trading_date)
        FROM market.bars
        WHERE symbol = ANY($1) AND trading_date BETWEEN $2 AND $3
        GROUP BY symbol",
    )
    .bind(names)
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|(name, dates)| Ok((symbol(name)?, dates))).collect()
}

/// Bars of these symbols from `from` to `to`, both included.
///
/// # Errors
/// When Postgres refuses.
pub async fn bars_between(
    pool: &PgPool,
    symbols: &[Symbol],
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<BarRow>> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    // A row a symbol: a row a bar would take longer to read than to find. Symbol by symbol, whatever the planner thinks
    // of a table that was just filled.
    let mut columns = sqlx::query_as(
        "-- bars::bars_between
        SELECT wanted.symbol, found.*
        FROM (SELECT DISTINCT UNNEST($1::text[]) AS symbol) AS wanted
        CROSS JOIN LATERAL (
            SELECT array_agg(trading_date) AS dates, array_agg(open) AS opens, array_agg(high) AS highs,
                array_agg(low) AS lows, array_agg(close) AS closes, array_agg(volume) AS volumes
            FROM market.bars
            WHERE symbol = wanted.symbol AND trading_date BETWEEN $2 AND $3
            HAVING count(*) > 0
        ) AS found",
    )
    .bind(names)
    .bind(from)
    .bind(to)
    .fetch(pool);
    let mut rows = Vec::new();
    while let Some(Columns { symbol: name, dates, opens, highs, lows, closes, volumes }) =
        columns.try_next().await?
    {
        let symbol = symbol(name)?;
        rows.reserve(dates.len());
        let prices = opens.into_iter().zip(highs).zip(lows).zip(closes);
        for ((date, (((open, high), low), close)), volume) in dates.into_iter().zip(prices).zip(volumes) {
            let bar = bar([open, high, low, close], volume)?;
            rows.push(BarRow { symbol: symbol.clone(), date, bar });
        }
    }
    Ok(rows)
}

/// The latest bar of each of these symbols before `date`.
///
/// # Errors
/// When Postgres refuses.
pub async fn last_before(pool: &PgPool, symbols: &[Symbol], date: NaiveDate) -> Result<Vec<BarRow>> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let rows: Vec<Row> = sqlx::query_as(
        "-- bars::last_before
        SELECT bar.symbol, bar.trading_date, bar.open, bar.high, bar.low, bar.close, bar.volume
        FROM UNNEST($1::text[]) AS wanted (symbol)
        CROSS JOIN LATERAL (
            SELECT *
            FROM market.bars
            WHERE symbol = wanted.symbol AND trading_date < $2
            ORDER BY trading_date DESC
            LIMIT 1
        ) AS bar",
    )
    .bind(names)
    .bind(date)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Bars of one symbol from the last one before `from` to `to`, both included, oldest first, as far as they
/// were stored at `by`.
///
/// # Errors
/// When Postgres refuses.
pub async fn bars_by(
    pool: &PgPool,
    symbol: &Symbol,
    (from, to): (NaiveDate, NaiveDate),
    by: DateTime<Utc>,
) -> Result<Vec<BarRow>> {
    let rows: Vec<Row> = sqlx::query_as(
        "-- bars::bars_by
        SELECT symbol, trading_date, open, high, low, close, volume
        FROM market.bars
        WHERE symbol = $1 AND trading_date <= $3 AND stored_at <= $4
            AND trading_date >= coalesce((
                SELECT max(trading_date)
                FROM market.bars
                WHERE symbol = $1 AND trading_date < $2 AND stored_at <= $4
            ), $2)
        ORDER BY trading_date",
    )
    .bind(symbol.as_str())
    .bind(from)
    .bind(to)
    .bind(by)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// Makes `rows`, which are of these symbols up to `to`, what they were at a version of prices. Read after them, so
/// that a replacement in between is undone as well.
///
/// # Errors
/// When Postgres refuses.
pub async fn put_back(
    pool: &PgPool,
    rows: &mut [BarRow],
    symbols: &[Symbol],
    to: NaiveDate,
    version: i64,
) -> Result<()> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let replaced: Vec<Row> = sqlx::query_as(
        "-- bars::put_back
        SELECT symbol, trading_date, open, high, low, close, volume
        FROM market.replaced_bars
        WHERE version > $3 AND trading_date <= $2 AND symbol = ANY($1)
        ORDER BY version DESC",
    )
    .bind(names)
    .bind(to)
    .bind(version)
    .fetch_all(pool)
    .await?;
    // Of several the last one stays: it was replaced first after that version.
    let mut before = HashMap::new();
    for row in replaced {
        let BarRow { symbol, date, bar } = row.try_into()?;
        before.insert((symbol, date), bar);
    }
    if before.is_empty() {
        return Ok(());
    }
    for row in rows {
        if let Some(bar) = before.get(&(row.symbol.clone(), row.date)) {
            row.bar = *bar;
        }
    }
    Ok(())
}

/// The close of each symbol on its date or, without a bar that day, the last one before; in their order,
/// `None` when there never was one.
///
/// # Errors
/// When Postgres refuses.
pub async fn marks(pool: &PgPool, wanted: &[(&Symbol, NaiveDate)]) -> Result<Vec<Option<Price>>> {
    let rows: Vec<(Option<Decimal>,)> = sqlx::query_as(
        "-- bars::marks
        SELECT (
            SELECT close
            FROM market.bars
            WHERE symbol = wanted.symbol AND trading_date <= wanted.trading_date
            ORDER BY trading_date DESC
            LIMIT 1
        )
        FROM UNNEST($1::text[], $2::date[]) WITH ORDINALITY AS wanted (symbol, trading_date, place)
        ORDER BY wanted.place",
    )
    .bind(wanted.iter().map(|(symbol, _)| symbol.as_str()).collect::<Vec<_>>())
    .bind(wanted.iter().map(|(_, date)| *date).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|(close,)| close.map(price).transpose()).collect()
}

/// Closes of these symbols from `from` to `to`, both included, by date.
///
/// # Errors
/// When Postgres refuses.
pub async fn closes(
    pool: &PgPool,
    symbols: &[Symbol],
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<(Symbol, NaiveDate, Price)>> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let rows: Vec<(String, NaiveDate, Decimal)> = sqlx::query_as(
        "-- bars::closes
        SELECT symbol, trading_date, close
        FROM market.bars
        WHERE trading_date BETWEEN $2 AND $3 AND symbol = ANY($1)",
    )
    .bind(names)
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|(name, date, close)| Ok((symbol(name)?, date, price(close)?))).collect()
}
