//! Prices from a file: stored in one commit, or not at all.

use chrono::NaiveDate;
use domain::ingest::import::{BarRow, Basis, ImportKind, MAX_LISTED};
use domain::market::instruments::Bar;
use domain::values::money::Price;
use rust_decimal::Decimal;
use sqlx::FromRow;

use super::import_log::{ImportCounts, record_import};
use super::total_return::set_basis;
use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;

/// The source of imported bars.
const SOURCE: &str = "import";

/// How many rows one statement has.
const CHUNK: usize = 5_000;

/// What an import may change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportMode {
    /// Whether rows take the place of stored ones that differ from them.
    pub replace: bool,
    /// Whether nothing is stored, and only said what would be.
    pub dry_run: bool,
}

/// A row that differs from what is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DifferingRow {
    /// The row's line.
    pub line: usize,
    /// What is stored, for people to read.
    pub stored: String,
}

/// Whether an import was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportOutcome {
    /// It is stored.
    Stored(ImportCounts),
    /// Nothing is stored, because rows differ from stored ones.
    Differs {
        /// The first of them, in the order of the file.
        listed: Vec<DifferingRow>,
        /// How many there are.
        total: usize,
    },
    /// Nothing is stored, because of these symbols bars would remain that are adjusted for dividends, beside bars that
    /// are not.
    OtherBasis(Vec<String>),
}

#[derive(FromRow)]
struct StoredBar {
    line: i64,
    open: Decimal,
    high: Decimal,
    low: Decimal,
    close: Decimal,
    volume: i64,
}

impl From<StoredBar> for DifferingRow {
    fn from(row: StoredBar) -> Self {
        let StoredBar { line, open, high, low, close, volume } = row;
        let [open, high, low, close] = [open, high, low, close].map(|price| price.normalize());
        Self {
            line: usize::try_from(line).unwrap_or(usize::MAX),
            stored: format!("open {open}, high {high}, low {low}, close {close}, volume {volume}"),
        }
    }
}

/// Stores bars that `by` sent. With `replace`, those that differ from stored ones replace them; otherwise nothing is
/// stored when any of them differs.
pub async fn import_bars(
    pool: &PgPool,
    bars: &[BarRow],
    basis: Basis,
    mode: ImportMode,
    by: &str,
) -> Result<ImportOutcome> {
    let mut transaction = pool.begin().await?;
    // Downloads wait, so that the bars that are compared are still the stored ones at the commit.
    sqlx::query("-- imports::lock\nLOCK TABLE market.bars IN SHARE ROW EXCLUSIVE MODE")
        .execute(&mut *transaction)
        .await?;
    let version = next_version(&mut transaction).await?;
    let (mut done, mut listed, mut total) = (ImportCounts::default(), Vec::new(), 0);
    for chunk in bars.chunks(CHUNK) {
        let inserted = insert(&mut transaction, chunk).await?;
        let differing = differing(&mut transaction, chunk).await?;
        let (new, differing_rows) = (inserted, differing.len());
        if mode.replace && differing_rows > 0 {
            done.replaced += replace_bars(&mut transaction, chunk, version).await?;
        }
        total += differing_rows;
        listed.extend(differing.into_iter().take(MAX_LISTED.saturating_sub(listed.len())));
        done.inserted += new;
        done.unchanged += chunk.len() as u64 - new - differing_rows as u64;
    }
    let mixed = set_basis(&mut transaction, bars, basis).await?;
    if !mixed.is_empty() {
        transaction.rollback().await?;
        return Ok(ImportOutcome::OtherBasis(mixed));
    }
    if total > 0 && !mode.replace {
        transaction.rollback().await?;
        return Ok(ImportOutcome::Differs { listed, total });
    }
    if mode.dry_run {
        transaction.rollback().await?;
        return Ok(ImportOutcome::Stored(done));
    }
    if done.replaced > 0 {
        store_version(&mut transaction, version).await?;
    }
    let rows = bars.iter().map(|row| (row.symbol.as_str(), row.date));
    record_import(&mut transaction, by, ImportKind::Bars, rows, &done).await?;
    wake_preparations(&mut transaction).await?;
    transaction.commit().await?;
    Ok(ImportOutcome::Stored(done))
}

/// The version that a change of prices makes. Locks the version, so that no one else makes one until the commit.
pub(super) async fn next_version(connection: &mut Connection) -> Result<i64> {
    let (version,): (i64,) =
        sqlx::query_as("-- imports::next_version\nSELECT version + 1 FROM market.price_version FOR UPDATE")
            .fetch_one(connection)
            .await?;
    Ok(version)
}

pub(super) async fn store_version(connection: &mut Connection, version: i64) -> Result<()> {
    sqlx::query("-- imports::store_version\nUPDATE market.price_version SET version = $1")
        .bind(version)
        .execute(connection)
        .await?;
    Ok(())
}

/// Lets preparations that wait for the call quota look again: they may have their prices now.
pub(super) async fn wake_preparations(connection: &mut Connection) -> Result<()> {
    sqlx::query(
        "-- imports::wake_preparations
        UPDATE market.preparations SET not_before = NULL WHERE state = 'due' AND not_before > now()",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The columns of `bars` as arrays, for `UNNEST`.
struct Columns<'a> {
    lines: Vec<i64>,
    symbols: Vec<&'a str>,
    dates: Vec<NaiveDate>,
    prices: [Vec<Decimal>; 4],
    volumes: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(bars: &'a [BarRow]) -> Self {
        let prices = [Bar::open, Bar::high, Bar::low, Bar::close]
            .map(|pick: fn(&Bar) -> Price| bars.iter().map(|row| pick(&row.bar).amount()).collect());
        Self {
            lines: bars.iter().map(|row| i64::try_from(row.line).unwrap_or(i64::MAX)).collect(),
            symbols: bars.iter().map(|row| row.symbol.as_str()).collect(),
            dates: bars.iter().map(|row| row.date).collect(),
            prices,
            volumes: bars.iter().map(|row| i64::try_from(row.bar.volume()).unwrap_or(i64::MAX)).collect(),
        }
    }
}

/// Binds the columns of a chunk to the first eight parameters of a statement.
macro_rules! bind {
    ($query:expr, $bars:expr) => {{
        let Columns { lines, symbols, dates, prices: [opens, highs, lows, closes], volumes } =
            Columns::of($bars);
        $query
            .bind(lines)
            .bind(symbols)
            .bind(dates)
            .bind(opens)
            .bind(highs)
            .bind(lows)
            .bind(closes)
            .bind(volumes)
    }};
}

async fn insert(connection: &mut Connection, bars: &[BarRow]) -> Result<u64> {
    let query = sqlx::query(
        "-- imports::insert
        INSERT INTO market.bars (symbol, trading_date, open, high, low, close, volume, source)
        SELECT symbol, trading_date, open, high, low, close, volume, $9
        FROM UNNEST($1::bigint[], $2::text[], $3::date[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bigint[])
            AS given (line, symbol, trading_date, open, high, low, close, volume)
        ON CONFLICT (trading_date, symbol) DO NOTHING",
    );
    Ok(bind!(query, bars).bind(SOURCE).execute(connection).await?.rows_affected())
}

/// The stored bars that differ from these, in the order of the file.
async fn differing(connection: &mut Connection, bars: &[BarRow]) -> Result<Vec<DifferingRow>> {
    let query = sqlx::query_as(
        "-- imports::differing
        SELECT given.line, stored.open, stored.high, stored.low, stored.close, stored.volume
        FROM UNNEST($1::bigint[], $2::text[], $3::date[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bigint[])
            AS given (line, symbol, trading_date, open, high, low, close, volume)
        JOIN market.bars stored USING (trading_date, symbol)
        WHERE (stored.open, stored.high, stored.low, stored.close, stored.volume)
            IS DISTINCT FROM (given.open, given.high, given.low, given.close, given.volume)
        ORDER BY given.line",
    );
    let rows: Vec<StoredBar> = bind!(query, bars).fetch_all(connection).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Replaces stored bars that differ by these; the replaced ones are kept, with `version` as the one that replaced them.
async fn replace_bars(connection: &mut Connection, bars: &[BarRow], version: i64) -> Result<u64> {
    let query = sqlx::query(
        "-- imports::replace_bars
        WITH differing AS (
            SELECT given.*, stored.open AS was_open, stored.high AS was_high, stored.low AS was_low,
                stored.close AS was_close, stored.volume AS was_volume, stored.source AS was_source
            FROM UNNEST($1::bigint[], $2::text[], $3::date[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bigint[])
                AS given (line, symbol, trading_date, open, high, low, close, volume)
            JOIN market.bars stored USING (trading_date, symbol)
            WHERE (stored.open, stored.high, stored.low, stored.close, stored.volume)
                IS DISTINCT FROM (given.open, given.high, given.low, given.close, given.volume)
        ), kept AS (
            INSERT INTO market.replaced_bars (trading_date, symbol, version, open, high, low, close, volume, source)
            SELECT trading_date, symbol, $10, was_open, was_high, was_low, was_close, was_volume, was_source
            FROM differing
        )
        UPDATE market.bars AS stored
        SET open = differing.open, high = differing.high, low = differing.low, close = differing.close,
            volume = differing.volume, source = $9
        FROM differing
        WHERE stored.trading_date = differing.trading_date AND stored.symbol = differing.symbol",
    );
    Ok(bind!(query, bars).bind(SOURCE).bind(version).execute(connection).await?.rows_affected())
}
