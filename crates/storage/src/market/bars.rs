//! Daily bars, exactly as the provider or an import gave them.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::market::instruments::{Bar, Symbol};
use domain::values::money::Price;
use futures::TryStreamExt as _;
use rust_decimal::Decimal;
use sqlx::FromRow;

use crate::columns::{corrupt, price, symbol};
use crate::connection::Connection;
use crate::error::{Result, StorageError};
use crate::pool::PgPool;

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
struct BarColumns {
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
struct SymbolColumns {
    symbol: String,
    dates: Vec<NaiveDate>,
    opens: Vec<Decimal>,
    highs: Vec<Decimal>,
    lows: Vec<Decimal>,
    closes: Vec<Decimal>,
    volumes: Vec<i64>,
}

const TABLE: &str = "market.bars";

fn bar([open, high, low, close]: [Decimal; 4], volume: i64) -> Result<Bar> {
    let volume = u64::try_from(volume).map_err(corrupt(TABLE))?;
    let [open, high, low, close] =
        [price(TABLE, open)?, price(TABLE, high)?, price(TABLE, low)?, price(TABLE, close)?];
    Bar::new(open, high, low, close, volume).map_err(corrupt(TABLE))
}

impl TryFrom<BarColumns> for BarRow {
    type Error = StorageError;

    fn try_from(row: BarColumns) -> Result<Self> {
        let bar = bar([row.open, row.high, row.low, row.close], row.volume)?;
        Ok(Self { symbol: symbol(TABLE, row.symbol)?, date: row.trading_date, bar })
    }
}

/// What inserting bars did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InsertedBars {
    /// Bars that were new.
    pub inserted: u64,
    /// Sessions whose stored bar differs from the new one; the stored one stays.
    pub revised: Vec<NaiveDate>,
}

/// Stores bars of one symbol. A bar that is already stored stays as it is; none is stored when the symbol's bars are
/// adjusted for dividends.
pub async fn insert_bars(connection: &mut Connection, source: &str, bars: &[BarRow]) -> Result<InsertedBars> {
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
            WHERE NOT EXISTS (SELECT FROM market.total_return_symbols known WHERE known.symbol = bar.symbol)
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
    Ok(InsertedBars { inserted: inserted.cast_unsigned(), revised })
}

/// For each of these symbols that has bars of `sources`: the source of the newest one.
pub async fn sources_of(
    pool: &PgPool,
    symbols: &[Symbol],
    sources: &[&str],
) -> Result<Vec<(Symbol, String)>> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let rows: Vec<(String, String)> = sqlx::query_as(
        "-- bars::sources_of
        SELECT given.symbol, newest.source
        FROM UNNEST($1::text[]) AS given (symbol)
        CROSS JOIN LATERAL (
            SELECT source
            FROM market.bars
            WHERE symbol = given.symbol AND source = ANY($2)
            ORDER BY trading_date DESC
            LIMIT 1
        ) AS newest",
    )
    .bind(names)
    .bind(sources)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|(name, source)| Ok((symbol(TABLE, name)?, source))).collect()
}

/// The dates from `from` to `to`, both included, on which each of these symbols has a bar.
pub async fn dates_with_bars(
    pool: &PgPool,
    symbols: &[Symbol],
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<(Symbol, Vec<NaiveDate>)>> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let rows: Vec<(String, Vec<NaiveDate>)> = sqlx::query_as(
        "-- bars::dates_with_bars
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
    rows.into_iter().map(|(name, dates)| Ok((symbol(TABLE, name)?, dates))).collect()
}

/// Bars of these symbols from `from` to `to`, both included.
pub async fn bars_between(
    pool: &PgPool,
    symbols: &[Symbol],
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<BarRow>> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let mut connection = pool.acquire().await?;
    // One row for each symbol, since reading a row for each bar takes longer than finding the bars. The LATERAL makes
    // the planner look up one symbol after another, also when its statistics are older than the table's contents.
    let mut columns = sqlx::query_as(
        "-- bars::bars_between
        SELECT given.symbol, found.*
        FROM (SELECT DISTINCT UNNEST($1::text[]) AS symbol) AS given
        CROSS JOIN LATERAL (
            SELECT array_agg(trading_date) AS dates, array_agg(open) AS opens, array_agg(high) AS highs,
                array_agg(low) AS lows, array_agg(close) AS closes, array_agg(volume) AS volumes
            FROM market.bars
            WHERE symbol = given.symbol AND trading_date BETWEEN $2 AND $3
            HAVING count(*) > 0
        ) AS found",
    )
    .bind(names)
    .bind(from)
    .bind(to)
    .fetch(&mut connection);
    let mut rows = Vec::new();
    while let Some(SymbolColumns { symbol: name, dates, opens, highs, lows, closes, volumes }) =
        columns.try_next().await?
    {
        let symbol = symbol(TABLE, name)?;
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
pub async fn last_before(pool: &PgPool, symbols: &[Symbol], date: NaiveDate) -> Result<Vec<BarRow>> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let rows: Vec<BarColumns> = sqlx::query_as(
        "-- bars::last_before
        SELECT bar.symbol, bar.trading_date, bar.open, bar.high, bar.low, bar.close, bar.volume
        FROM UNNEST($1::text[]) AS given (symbol)
        CROSS JOIN LATERAL (
            SELECT *
            FROM market.bars
            WHERE symbol = given.symbol AND trading_date < $2
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

/// Bars of one symbol from the last one before `from` to `to`, both included, oldest first; only those that were stored
/// by the instant `by`.
pub async fn bars_by(
    pool: &PgPool,
    symbol: &Symbol,
    (from, to): (NaiveDate, NaiveDate),
    by: DateTime<Utc>,
) -> Result<Vec<BarRow>> {
    let rows: Vec<BarColumns> = sqlx::query_as(
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

/// Makes `rows`, which are bars of these symbols up to `to`, what they were at a version of prices. To be called after
/// they were read, so that a replacement in between is undone too.
pub async fn undo_replacements(
    pool: &PgPool,
    rows: &mut [BarRow],
    symbols: &[Symbol],
    to: NaiveDate,
    version: i64,
) -> Result<()> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let replaced: Vec<BarColumns> = sqlx::query_as(
        "-- bars::undo_replacements
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
    // Rows come with the latest version first, so the earliest one above `version` stays in the map.
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

/// The last close of each symbol up to its date, with its session, in the order given; `None` when there is none.
pub async fn last_closes(
    pool: &PgPool,
    given: &[(&Symbol, NaiveDate)],
) -> Result<Vec<Option<(NaiveDate, Price)>>> {
    let rows: Vec<(Option<NaiveDate>, Option<Decimal>)> = sqlx::query_as(
        "-- bars::last_closes
        SELECT last.trading_date, last.close
        FROM UNNEST($1::text[], $2::date[]) WITH ORDINALITY AS given (symbol, trading_date, place)
        LEFT JOIN LATERAL (
            SELECT trading_date, close
            FROM market.bars
            WHERE symbol = given.symbol AND trading_date <= given.trading_date
            ORDER BY trading_date DESC
            LIMIT 1
        ) AS last ON true
        ORDER BY given.place",
    )
    .bind(given.iter().map(|(symbol, _)| symbol.as_str()).collect::<Vec<_>>())
    .bind(given.iter().map(|(_, date)| *date).collect::<Vec<_>>())
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(date, close)| match date.zip(close) {
            Some((date, close)) => Ok(Some((date, price(TABLE, close)?))),
            None => Ok(None),
        })
        .collect()
}

/// Closes of these symbols from `from` to `to`, both included, by date.
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
    rows.into_iter()
        .map(|(name, date, close)| Ok((symbol(TABLE, name)?, date, price(TABLE, close)?)))
        .collect()
}
