//! Splits and dividends that were imported. Rows are only added; for a symbol, date and kind the latest one counts.

use chrono::NaiveDate;
use domain::accounting::corporate_action::{ActionKind, Dividend, Split};
use domain::accounting::known_actions::KnownActions;
use domain::ingest::import::{ActionRow, Change, ImportKind, MAX_LISTED};
use domain::market::instruments::Symbol;
use rust_decimal::Decimal;
use sqlx::FromRow;

use super::import_log::{ImportCounts, record_import};
use super::imports::{
    DifferingRow, ImportMode, ImportOutcome, next_version, store_version, wake_preparations,
};
use crate::columns::{corrupt, price, symbol};
use crate::connection::Connection;
use crate::error::Result;
use crate::pool::PgPool;

#[derive(FromRow)]
struct ActionColumns {
    symbol: String,
    trading_date: NaiveDate,
    from_shares: Option<i64>,
    to_shares: Option<i64>,
    per_share: Option<Decimal>,
}

const TABLE: &str = "market.corporate_actions";

/// The splits and dividends of these symbols to `to`, as they were known at a version of prices.
pub async fn known_actions(
    pool: &PgPool,
    symbols: &[Symbol],
    to: NaiveDate,
    version: i64,
) -> Result<KnownActions> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let rows: Vec<ActionColumns> = sqlx::query_as(
        "-- actions::known_actions
        SELECT DISTINCT ON (symbol, trading_date, kind) symbol, trading_date, from_shares, to_shares, per_share
        FROM market.corporate_actions
        WHERE symbol = ANY($1) AND trading_date <= $2 AND version <= $3
        ORDER BY symbol, trading_date, kind, version DESC",
    )
    .bind(names)
    .bind(to)
    .bind(version)
    .fetch_all(pool)
    .await?;
    let (mut splits, mut dividends) = (Vec::new(), Vec::new());
    for row in rows {
        let symbol = symbol(TABLE, row.symbol)?;
        if let (Some(from), Some(to)) = (row.from_shares, row.to_shares) {
            let shares = |number: i64| {
                u32::try_from(number).map_err(corrupt(TABLE))?.try_into().map_err(corrupt(TABLE))
            };
            // One for one takes an earlier row back.
            if from != to {
                splits.push((row.trading_date, Split { symbol, from: shares(from)?, to: shares(to)? }));
            }
        } else if let Some(amount) = row.per_share.filter(|amount| !amount.is_zero()) {
            let per_share = price(TABLE, amount)?;
            dividends.push((row.trading_date, Dividend { symbol, per_share }));
        }
    }
    Ok(KnownActions::new(splits, dividends))
}

/// Stores splits or dividends that `by` sent. With `replace`, those that differ from what is known replace it; otherwise nothing is
/// stored when any of them differs.
pub async fn import_actions(
    pool: &PgPool,
    kind: ActionKind,
    rows: &[ActionRow],
    mode: ImportMode,
    by: &str,
) -> Result<ImportOutcome> {
    let mut transaction = pool.begin().await?;
    // The lock on the version's row keeps all others from changing prices.
    let version = next_version(&mut transaction).await?;
    let known = known(&mut transaction, kind, rows).await?;
    let (mut done, mut differing) = (ImportCounts::default(), Vec::new());
    let mut new = Vec::new();
    for (row, known) in rows.iter().zip(known) {
        match known {
            // A row that takes back what was never there changes nothing.
            None if columns(row.change) == no_effect(kind) => done.unchanged += 1,
            None => {
                done.inserted += 1;
                new.push(row);
            }
            Some(known) if known == columns(row.change) => done.unchanged += 1,
            Some(known) => {
                done.replaced += 1;
                new.push(row);
                differing.push(DifferingRow { line: row.line, stored: known.to_string() });
            }
        }
    }
    if !differing.is_empty() && !mode.replace {
        transaction.rollback().await?;
        let total = differing.len();
        differing.truncate(MAX_LISTED);
        return Ok(ImportOutcome::Differs { listed: differing, total });
    }
    if mode.dry_run {
        transaction.rollback().await?;
        return Ok(ImportOutcome::Stored(done));
    }
    if !new.is_empty() {
        insert(&mut transaction, kind, &new, version).await?;
        store_version(&mut transaction, version).await?;
    }
    let kind = match kind {
        ActionKind::Split => ImportKind::Splits,
        ActionKind::Dividend => ImportKind::Dividends,
    };
    let rows = rows.iter().map(|row| (row.symbol.as_str(), row.date));
    record_import(&mut transaction, by, kind, rows, &done).await?;
    wake_preparations(&mut transaction).await?;
    transaction.commit().await?;
    Ok(ImportOutcome::Stored(done))
}

/// The columns of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct EffectColumns {
    from: Option<i64>,
    to: Option<i64>,
    per_share: Option<Decimal>,
}

impl std::fmt::Display for EffectColumns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.from, self.to, self.per_share) {
            (Some(from), Some(to), _) => write!(f, "ratio {to}:{from}"),
            (_, _, Some(amount)) => write!(f, "amount {}", amount.normalize()),
            _ => f.write_str("nothing"),
        }
    }
}

/// The columns of a row without an effect.
fn no_effect(kind: ActionKind) -> EffectColumns {
    match kind {
        ActionKind::Split => EffectColumns { from: Some(1), to: Some(1), per_share: None },
        ActionKind::Dividend => EffectColumns { from: None, to: None, per_share: Some(Decimal::ZERO) },
    }
}

fn columns(change: Change) -> EffectColumns {
    match change {
        Change::Split(None) => no_effect(ActionKind::Split),
        Change::Dividend(None) => no_effect(ActionKind::Dividend),
        Change::Split(Some(ratio)) => EffectColumns {
            from: Some(ratio.from().get().into()),
            to: Some(ratio.to().get().into()),
            per_share: None,
        },
        Change::Dividend(Some(price)) => {
            EffectColumns { from: None, to: None, per_share: Some(price.amount()) }
        }
    }
}

/// What is known of each row's symbol and date; `None` where nothing was ever imported.
async fn known(
    connection: &mut Connection,
    kind: ActionKind,
    rows: &[ActionRow],
) -> Result<Vec<Option<EffectColumns>>> {
    let known: Vec<(Option<i64>, Option<i64>, Option<Decimal>)> = sqlx::query_as(
        "-- actions::known
        SELECT known.from_shares, known.to_shares, known.per_share
        FROM UNNEST($1::text[], $2::date[]) WITH ORDINALITY AS given (symbol, trading_date, place)
        LEFT JOIN LATERAL (
            SELECT from_shares, to_shares, per_share
            FROM market.corporate_actions
            WHERE symbol = given.symbol AND trading_date = given.trading_date AND kind = $3
            ORDER BY version DESC
            LIMIT 1
        ) AS known ON true
        ORDER BY given.place",
    )
    .bind(rows.iter().map(|row| row.symbol.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.date).collect::<Vec<_>>())
    .bind(kind.as_str())
    .fetch_all(connection)
    .await?;
    let written = |(from, to, per_share): (Option<i64>, Option<i64>, Option<Decimal>)| {
        let per_share = per_share.map(|amount| amount.normalize());
        (from.is_some() || per_share.is_some()).then_some(EffectColumns { from, to, per_share })
    };
    Ok(known.into_iter().map(written).collect())
}

async fn insert(
    connection: &mut Connection,
    kind: ActionKind,
    rows: &[&ActionRow],
    version: i64,
) -> Result<()> {
    let effects: Vec<EffectColumns> = rows.iter().map(|row| columns(row.change)).collect();
    sqlx::query(
        "-- actions::insert
        INSERT INTO market.corporate_actions (symbol, trading_date, kind, version, from_shares, to_shares, per_share)
        SELECT symbol, trading_date, $6, $7, from_shares, to_shares, per_share
        FROM UNNEST($1::text[], $2::date[], $3::bigint[], $4::bigint[], $5::numeric[])
            AS given (symbol, trading_date, from_shares, to_shares, per_share)",
    )
    .bind(rows.iter().map(|row| row.symbol.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.date).collect::<Vec<_>>())
    .bind(effects.iter().map(|row| row.from).collect::<Vec<_>>())
    .bind(effects.iter().map(|row| row.to).collect::<Vec<_>>())
    .bind(effects.iter().map(|row| row.per_share).collect::<Vec<_>>())
    .bind(kind.as_str())
    .bind(version)
    .execute(connection)
    .await?;
    Ok(())
}
