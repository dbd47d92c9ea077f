//! Who imported prices, and what each import changed.

use chrono::{DateTime, NaiveDate, Utc};
use domain::ingest::import::ImportKind;
use sqlx::FromRow;

use crate::connection::Connection;
use crate::error::{Result, StorageError};
use crate::pool::PgPool;

/// How many rows an import stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Rows that were new.
    pub inserted: u64,
    /// Rows that were already stored.
    pub unchanged: u64,
    /// Rows that replaced others.
    pub replaced: u64,
}

/// An import that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    /// Its number.
    pub id: i64,
    /// Who sent it.
    pub imported_by: String,
    /// When it was stored.
    pub imported_at: DateTime<Utc>,
    /// What the file had.
    pub kind: ImportKind,
    /// The first and the last date of the file.
    pub dates: (NaiveDate, NaiveDate),
    /// How many symbols the file had.
    pub symbols: u64,
    /// What it changed.
    pub counts: ImportCounts,
}

#[derive(FromRow)]
struct ImportColumns {
    id: i64,
    imported_by: String,
    imported_at: DateTime<Utc>,
    kind: String,
    first_date: NaiveDate,
    last_date: NaiveDate,
    symbols: i64,
    inserted: i64,
    unchanged: i64,
    replaced: i64,
}

impl TryFrom<ImportColumns> for ImportRecord {
    type Error = StorageError;

    fn try_from(row: ImportColumns) -> Result<Self> {
        let kind = ImportKind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
        let unknown = || StorageError::corrupt("market.imports", format_args!("{:?} is no kind", row.kind));
        Ok(Self {
            id: row.id,
            imported_by: row.imported_by,
            imported_at: row.imported_at,
            kind: kind.ok_or_else(unknown)?,
            dates: (row.first_date, row.last_date),
            symbols: row.symbols.cast_unsigned(),
            counts: ImportCounts {
                inserted: row.inserted.cast_unsigned(),
                unchanged: row.unchanged.cast_unsigned(),
                replaced: row.replaced.cast_unsigned(),
            },
        })
    }
}

/// Records an import of rows with these symbols and dates, in the transaction that stores it.
pub(super) async fn record_import<'a>(
    connection: &mut Connection,
    by: &str,
    kind: ImportKind,
    rows: impl Iterator<Item = (&'a str, NaiveDate)> + Clone,
    counts: &ImportCounts,
) -> Result<()> {
    let dates = rows.clone().map(|(_, date)| date);
    let (Some(first), Some(last)) = (dates.clone().min(), dates.max()) else { return Ok(()) };
    let symbols = rows.map(|(symbol, _)| symbol).collect::<std::collections::HashSet<_>>().len();
    sqlx::query(
        "-- import_log::record_import
        INSERT INTO market.imports
            (imported_by, kind, first_date, last_date, symbols, inserted, unchanged, replaced)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(by)
    .bind(kind.as_str())
    .bind(first)
    .bind(last)
    .bind(i64::try_from(symbols).unwrap_or(i64::MAX))
    .bind(counts.inserted.cast_signed())
    .bind(counts.unchanged.cast_signed())
    .bind(counts.replaced.cast_signed())
    .execute(connection)
    .await?;
    Ok(())
}

/// Up to `limit` imports, newest first; only those before number `before`.
pub async fn import_log(pool: &PgPool, before: Option<i64>, limit: i64) -> Result<Vec<ImportRecord>> {
    let rows: Vec<ImportColumns> = sqlx::query_as(
        "-- import_log::import_log
        SELECT id, imported_by, imported_at, kind, first_date, last_date, symbols, inserted, unchanged, replaced
        FROM market.imports
        WHERE $1::bigint IS NULL OR id < $1
        ORDER BY id DESC
        LIMIT $2",
    )
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}
