//! Corporate actions that were imported. Rows are only added; for a symbol, date and kind the latest one counts.

use chrono::{Days, NaiveDate};
use domain::ingest::import::{ActionRow, ImportKind, MAX_LISTED};
use domain::ingest::job_symbols::JobSymbols;
use domain::job::Job;
use domain::market::corporate_action::{Action, ActionKind, CorporateAction, Ratio};
use domain::market::instruments::Symbol;
use domain::market::known_actions::KnownActions;
use domain::market::renames::{Rename, Renames};
use rust_decimal::Decimal;
use sqlx::FromRow;

use super::import_log::{ImportCounts, record_import};
use super::imports::{
    DifferingRow, ImportMode, ImportOutcome, next_version, store_version, wake_preparations,
};
use crate::columns::{corrupt, symbol};
use crate::connection::Connection;
use crate::error::{Result, StorageError};
use crate::pool::PgPool;

#[derive(FromRow)]
struct ActionColumns {
    symbol: String,
    trading_date: NaiveDate,
    kind: String,
    #[sqlx(flatten)]
    terms: TermColumns,
}

/// The columns that say what an action does.
#[derive(Debug, Clone, Default, PartialEq, Eq, FromRow)]
struct TermColumns {
    from_shares: Option<i64>,
    to_shares: Option<i64>,
    per_share: Option<Decimal>,
    new_symbol: Option<String>,
    is_cancelled: bool,
}

const TABLE: &str = "market.corporate_actions";
/// How long before a job the last day of its portfolios may be, for the actions that their holdings go through on the
/// way to it.
const RECEIVED_SINCE: Days = Days::new(400);

/// The corporate actions of these symbols to `to`, as they were known at a version of prices, and all their renames: a
/// later one says which symbol is not in use yet.
pub async fn known_actions(
    pool: &PgPool,
    symbols: &[Symbol],
    to: NaiveDate,
    version: i64,
) -> Result<KnownActions> {
    let names: Vec<&str> = symbols.iter().map(Symbol::as_str).collect();
    let rows: Vec<ActionColumns> = sqlx::query_as(
        "-- actions::known_actions
        SELECT DISTINCT ON (symbol, trading_date, kind)
            symbol, trading_date, kind, from_shares, to_shares, per_share, new_symbol, is_cancelled
        FROM market.corporate_actions
        WHERE symbol = ANY($1) AND (trading_date <= $2 OR kind = 'rename') AND version <= $3
        ORDER BY symbol, trading_date, kind, version DESC",
    )
    .bind(names)
    .bind(to)
    .bind(version)
    .fetch_all(pool)
    .await?;
    let rows: Vec<Option<(NaiveDate, CorporateAction)>> =
        rows.into_iter().map(ActionColumns::action).collect::<Result<_>>()?;
    Ok(KnownActions::new(rows.into_iter().flatten()))
}

/// The renames to `to` that lead to symbols of `symbols` or away from them, directly or by way of others.
pub async fn renames(pool: &PgPool, symbols: &[Symbol], to: NaiveDate) -> Result<Renames> {
    let rows: Vec<(NaiveDate, String, Option<String>)> = sqlx::query_as(
        "-- actions::renames
        WITH RECURSIVE named (symbol) AS (
            SELECT UNNEST($1::text[])
            UNION
            SELECT CASE WHEN action.symbol = named.symbol THEN action.new_symbol ELSE action.symbol END
            FROM named
            JOIN market.corporate_actions AS action ON named.symbol IN (action.symbol, action.new_symbol)
            WHERE action.kind = 'rename' AND action.new_symbol IS NOT NULL AND action.trading_date <= $2
        )
        SELECT DISTINCT ON (symbol, trading_date) trading_date, symbol, new_symbol
        FROM market.corporate_actions
        WHERE kind = 'rename' AND trading_date <= $2 AND symbol IN (SELECT symbol FROM named)
        ORDER BY symbol, trading_date, version DESC",
    )
    .bind(symbols.iter().map(Symbol::as_str).collect::<Vec<_>>())
    .bind(to)
    .fetch_all(pool)
    .await?;
    let rename = |(date, old, new): (NaiveDate, String, Option<String>)| {
        // The row that takes a rename back has no new symbol.
        let Some(new) = new else { return Ok(None) };
        Ok(Some(Rename { date, old: symbol(TABLE, old)?, new: symbol(TABLE, new)? }))
    };
    let renames: Vec<Option<Rename>> = rows.into_iter().map(rename).collect::<Result<_>>()?;
    Ok(Renames::new(renames.into_iter().flatten()))
}

/// The symbols whose shares holders of `symbols` receive by actions from `from` to `to`, directly or by way of others.
pub async fn received_symbols(
    pool: &PgPool,
    symbols: &[Symbol],
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<Symbol>> {
    if symbols.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<(String,)> = sqlx::query_as(
        "-- actions::received_symbols
        WITH RECURSIVE received (symbol) AS (
            SELECT new_symbol
            FROM market.corporate_actions
            WHERE symbol = ANY($1) AND new_symbol IS NOT NULL AND trading_date BETWEEN $2 AND $3
            UNION
            SELECT action.new_symbol
            FROM received
            JOIN market.corporate_actions AS action USING (symbol)
            WHERE action.new_symbol IS NOT NULL AND action.trading_date BETWEEN $2 AND $3
        )
        SELECT symbol FROM received ORDER BY symbol",
    )
    .bind(symbols.iter().map(Symbol::as_str).collect::<Vec<_>>())
    .bind(from)
    .bind(to)
    .fetch_all(pool)
    .await?;
    names.into_iter().map(|(name,)| symbol(TABLE, name)).collect()
}

/// What the job's portfolios may receive by corporate actions outside its universe, for what they hold and for what they
/// may buy.
pub async fn received_in_job(pool: &PgPool, job: &Job, symbols: &JobSymbols) -> Result<Vec<Symbol>> {
    let first = job.first_date();
    let since = first.checked_sub_days(RECEIVED_SINCE).unwrap_or(first);
    let mut received = received_symbols(pool, &symbols.held, since, job.end).await?;
    received.extend(received_symbols(pool, &symbols.needed.symbols, first, job.end).await?);
    received.retain(|symbol| !job.universe.tradable(symbol));
    Ok(received)
}

impl ActionColumns {
    /// The action; `None` when the row takes an earlier one back.
    fn action(self) -> Result<Option<(NaiveDate, CorporateAction)>> {
        let kind = ActionKind::parse(&self.kind)
            .ok_or_else(|| StorageError::corrupt(TABLE, format_args!("kind {:?}", self.kind)))?;
        let action = self.terms.action(kind)?;
        let symbol = symbol(TABLE, self.symbol)?;
        Ok(action.map(|action| (self.trading_date, CorporateAction { symbol, action })))
    }
}

impl TermColumns {
    fn of(kind: ActionKind, action: Option<&Action>) -> Self {
        // Splits and dividends of before take a row back with one share for one, or with nothing paid.
        let taken_back = match (action, kind) {
            (Some(_), _) => Self::default(),
            (None, ActionKind::Split) => Self { from_shares: Some(1), to_shares: Some(1), ..Self::default() },
            (None, ActionKind::Dividend) => Self { per_share: Some(Decimal::ZERO), ..Self::default() },
            (None, _) => Self { is_cancelled: true, ..Self::default() },
        };
        let Some(action) = action else { return taken_back };
        let ratio = action.ratio();
        Self {
            from_shares: ratio.map(|ratio| ratio.from().get().into()),
            to_shares: ratio.map(|ratio| ratio.to().get().into()),
            per_share: action.per_share().map(|amount| amount.normalize()),
            new_symbol: action.new_symbol().map(ToString::to_string),
            is_cancelled: false,
        }
    }

    /// The action of these columns; `None` when they take one back.
    fn action(&self, kind: ActionKind) -> Result<Option<Action>> {
        if self.is_cancelled || *self == Self::of(kind, None) {
            return Ok(None);
        }
        let shares =
            |number: i64| u32::try_from(number).map_err(corrupt(TABLE))?.try_into().map_err(corrupt(TABLE));
        let ratio = match (self.from_shares, self.to_shares) {
            (Some(from), Some(to)) => Some(Ratio::new(shares(from)?, shares(to)?)),
            (_, _) => None,
        };
        // A ratio of one for one is no split, whatever its terms.
        if kind == ActionKind::Split && ratio.is_some_and(Ratio::is_one) {
            return Ok(None);
        }
        let new = self.new_symbol.clone().map(|name| symbol(TABLE, name)).transpose()?;
        let action = Action::of(kind, ratio, self.per_share.map(|amount| amount.normalize()), new);
        let action = action
            .ok_or_else(|| StorageError::corrupt(TABLE, format_args!("a {} without terms", kind.as_str())))?;
        Ok(Some(action))
    }
}

impl std::fmt::Display for TermColumns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ratio = self.from_shares.zip(self.to_shares).map(|(from, to)| format!("ratio {to}:{from}"));
        let amount = self.per_share.map(|amount| format!("amount {}", amount.normalize()));
        let new = self.new_symbol.as_ref().map(|name| format!("new symbol {name}"));
        let parts: Vec<String> = [ratio, amount, new].into_iter().flatten().collect();
        match (parts.is_empty(), self.is_cancelled) {
            (true, true) => f.write_str("nothing"),
            (true, false) => f.write_str("an estimate"),
            (false, _) => f.write_str(&parts.join(", ")),
        }
    }
}

/// Stores the corporate actions of a file that `by` sent. With `replace`, those that differ from what is known replace
/// it; otherwise nothing is stored when any of them differs.
pub async fn import_actions(
    pool: &PgPool,
    kind: ImportKind,
    rows: &[ActionRow],
    mode: ImportMode,
    by: &str,
) -> Result<ImportOutcome> {
    let mut transaction = pool.begin().await?;
    // The lock on the version's row keeps all others from changing prices.
    let version = next_version(&mut transaction).await?;
    let known = known(&mut transaction, rows).await?;
    let (mut done, mut differing) = (ImportCounts::default(), Vec::new());
    let mut new = Vec::new();
    for (row, known) in rows.iter().zip(known) {
        match known {
            // A row that takes back what was never there changes nothing.
            None if row.action.is_none() => done.unchanged += 1,
            None => {
                done.inserted += 1;
                new.push(row);
            }
            Some(known) if known == TermColumns::of(row.kind, row.action.as_ref()) => done.unchanged += 1,
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
        insert(&mut transaction, &new, version).await?;
        store_version(&mut transaction, version).await?;
    }
    let rows = rows.iter().map(|row| (row.symbol.as_str(), row.date));
    record_import(&mut transaction, by, kind, rows, &done).await?;
    wake_preparations(&mut transaction).await?;
    transaction.commit().await?;
    Ok(ImportOutcome::Stored(done))
}

/// Stores the corporate actions of a provider's answer that are not known yet. What is known stays as it is.
pub(super) async fn insert_new_actions(connection: &mut Connection, rows: &[ActionRow]) -> Result<()> {
    if rows.is_empty() || known(connection, rows).await?.iter().all(Option::is_some) {
        return Ok(());
    }
    // Under the lock on the version's row nobody else adds actions.
    let version = next_version(connection).await?;
    let known = known(connection, rows).await?;
    let new: Vec<&ActionRow> =
        rows.iter().zip(known).filter(|(_, known)| known.is_none()).map(|(row, _)| row).collect();
    if new.is_empty() {
        return Ok(());
    }
    insert(connection, &new, version).await?;
    store_version(connection, version).await
}

#[derive(FromRow)]
struct KnownColumns {
    is_known: bool,
    #[sqlx(flatten)]
    terms: TermColumns,
}

/// What is known of each row's symbol, date and kind; `None` where nothing was ever imported.
async fn known(connection: &mut Connection, rows: &[ActionRow]) -> Result<Vec<Option<TermColumns>>> {
    let known: Vec<KnownColumns> = sqlx::query_as(
        "-- actions::known
        SELECT known.symbol IS NOT NULL AS is_known, known.from_shares, known.to_shares, known.per_share,
            known.new_symbol, coalesce(known.is_cancelled, false) AS is_cancelled
        FROM UNNEST($1::text[], $2::date[], $3::text[]) WITH ORDINALITY AS given (symbol, trading_date, kind, place)
        LEFT JOIN LATERAL (
            SELECT symbol, from_shares, to_shares, per_share, new_symbol, is_cancelled
            FROM market.corporate_actions
            WHERE symbol = given.symbol AND trading_date = given.trading_date AND kind = given.kind
            ORDER BY version DESC
            LIMIT 1
        ) AS known ON true
        ORDER BY given.place",
    )
    .bind(rows.iter().map(|row| row.symbol.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.date).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let written = |KnownColumns { is_known, terms }: KnownColumns| {
        let per_share = terms.per_share.map(|amount| amount.normalize());
        is_known.then_some(TermColumns { per_share, ..terms })
    };
    Ok(known.into_iter().map(written).collect())
}

async fn insert(connection: &mut Connection, rows: &[&ActionRow], version: i64) -> Result<()> {
    let terms: Vec<TermColumns> =
        rows.iter().map(|row| TermColumns::of(row.kind, row.action.as_ref())).collect();
    sqlx::query(
        "-- actions::insert
        INSERT INTO market.corporate_actions
            (symbol, trading_date, kind, version, from_shares, to_shares, per_share, new_symbol, is_cancelled)
        SELECT symbol, trading_date, kind, $9, from_shares, to_shares, per_share, new_symbol, is_cancelled
        FROM UNNEST($1::text[], $2::date[], $3::text[], $4::bigint[], $5::bigint[], $6::numeric[], $7::text[], $8::bool[])
            AS given (symbol, trading_date, kind, from_shares, to_shares, per_share, new_symbol, is_cancelled)",
    )
    .bind(rows.iter().map(|row| row.symbol.as_str()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.date).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.kind.as_str()).collect::<Vec<_>>())
    .bind(terms.iter().map(|row| row.from_shares).collect::<Vec<_>>())
    .bind(terms.iter().map(|row| row.to_shares).collect::<Vec<_>>())
    .bind(terms.iter().map(|row| row.per_share).collect::<Vec<_>>())
    .bind(terms.iter().map(|row| row.new_symbol.clone()).collect::<Vec<_>>())
    .bind(terms.iter().map(|row| row.is_cancelled).collect::<Vec<_>>())
    .bind(version)
    .execute(connection)
    .await?;
    Ok(())
}
