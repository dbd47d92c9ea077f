//! `POST /prices/import`: imports the user's own prices from a file.

mod parameters;
mod refusal;

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use chrono::NaiveDate;
use domain::ingest::import::ImportKind;
use domain::market::corporate_action::ActionKind;
use domain::market::instruments::Symbol;
use runtime::audit;
use runtime::http::{Caller, Params, Problem, ProblemBody};
use serde::Serialize;
use storage::market::{self, ImportCounts, ImportMode, ImportOutcome};
use utoipa::ToSchema;

use self::parameters::{BasisName, FileKind, MarkName, OrderName, bar_options};
use self::refusal::{different, other_basis, unread};
use super::state::Api;
use crate::import::FileRows;

/// What an import did.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportedPrices {
    /// Rows of a file of bars.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bars_received: Option<usize>,
    /// Rows of a file of splits, or splits in the columns of a file of bars.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    splits_received: Option<usize>,
    /// Rows of a file of dividends, or dividends in the columns of a file of bars.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    dividends_received: Option<usize>,
    /// Rows of a file of spin-offs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    spin_offs_received: Option<usize>,
    /// Rows of a file of changed symbols.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    renames_received: Option<usize>,
    /// Rows of a file of mergers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    mergers_received: Option<usize>,
    /// Rows of a file of delistings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    delistings_received: Option<usize>,
    /// Rows that were new.
    inserted: u64,
    /// Rows that were stored already.
    unchanged: u64,
    /// Rows that took the place of different ones.
    replaced: u64,
    /// Different symbols of the file.
    symbols: usize,
    dates: ImportedDates,
    /// What the prices of a file of bars are based on, as the file's columns or the parameter say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "raw")]
    basis: Option<&'static str>,
    /// Columns that were not read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    ignored_columns: Vec<String>,
    /// What was done with the rows beyond reading them, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    notes: Vec<String>,
    /// True when nothing was stored, because the request said so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    dry_run: bool,
    /// Completed model-days, of this import and earlier ones, that stand on prices which were replaced after they
    /// ran, or on corporate actions which were imported then. A job with `reprocess_stale` runs them again.
    stale_days: u64,
}

/// The first and the last date of a file.
#[derive(Serialize, ToSchema)]
struct ImportedDates {
    from: String,
    to: String,
}

/// Imports daily bars or corporate actions from a file: all of it, or nothing.
///
/// Bars are read as vendors and libraries write them: CSV with commas, semicolons or tabs, Alpha Vantage's JSON, lists of
/// records as JSON, Parquet; CSV and JSON compressed with gzip too. Columns stand in any order, others than `symbol`,
/// `date`, `open`, `high`, `low`, `close` and `volume` are not read, unless `actions` says so. Corporate actions are CSV: splits with
/// `symbol,date,ratio`, dividends with `symbol,date,amount`, spin-offs with `symbol,date,ratio,new_symbol`, renames with
/// `symbol,date,new_symbol`, mergers with `symbol,date,ratio,new_symbol,amount` (those for cash with the amount alone),
/// delistings with `symbol,date,amount` (without an amount the last close is paid, as an estimate). Imported bars are
/// never downloaded. Every wrong row is reported with its line, up to 100 of them.
#[utoipa::path(post, path = "/prices/import", operation_id = "import_prices", tag = "prices",
    security(("token" = ["operate"])),
    params(
        ("kind" = inline(Option<FileKind>), Query, description = "What the file has; `bars` when absent."),
        ("replace" = Option<bool>, Query,
            description = "Whether rows take the place of stored ones that differ; otherwise such a file is refused."),
        ("dry_run" = Option<bool>, Query, description = "Whether nothing is stored, and only said what would be."),
        ("symbol" = Option<String>, Query, description = "The symbol of bars in a file without a column for it."),
        ("file_name" = Option<String>, Query,
            description = "The file's name, which may be the symbol's, e.g. `AAPL.csv`."),
        ("basis" = inline(Option<BasisName>), Query,
            description = "What the prices of bars are based on; when absent, by the habit of who writes such files. \
                Split-adjusted prices are brought back to those of the time with the splits that are known."),
        ("dates" = inline(Option<OrderName>), Query,
            description = "The order of dates such as 10/02/2025, when no row says it."),
        ("actions" = Option<bool>, Query,
            description = "Whether the splits and dividends are imported too that stand in columns of a file of bars, \
                such as `Stock Splits`, `divCash`, `split_coefficient`."),
        ("decimal" = inline(Option<MarkName>), Query,
            description = "What stands before decimal places, when no row says it."),
    ),
    request_body(description = "The file.", content(
        (String = "text/csv"), (Vec<u8> = "application/json"), (Vec<u8> = "application/gzip"),
        (Vec<u8> = "application/vnd.apache.parquet"), (Vec<u8> = "application/octet-stream"))),
    responses(
        (status = 200, description = "It is imported.", body = ImportedPrices),
        (status = 400, description = "The body broke off.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "Rows differ from stored ones, or their prices have another basis; nothing is \
            imported.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "The file is larger than `IMPORT_LIMIT_MIB`.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter or rows are wrong; nothing is imported.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn import(
    State(api): State<Arc<Api>>,
    caller: Caller,
    mut params: Params,
    request: Request,
) -> Result<Json<ImportedPrices>, Problem> {
    let kinds = ImportKind::ALL.map(|kind| format!("'{kind}'")).join(", ");
    let kind = params.read("kind", "literal_error", format_args!("one of {kinds}"), ImportKind::parse);
    let kind = kind.unwrap_or(ImportKind::Bars);
    let mut flag = |name| params.choice(name, &[("true", true), ("false", false)]).unwrap_or(false);
    let mode = ImportMode { replace: flag("replace"), dry_run: flag("dry_run") };
    let options = bar_options(&mut params);
    params.finish()?;
    // Before the permit, for which others would wait as long as a slow client sends.
    let file = api.file_memory.read(request.into_body()).await?;
    let Ok(_permit) = api.importer.permits.acquire().await else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The service is about to stop"));
    };
    let now = storage::now(&api.context.pool).await?;
    let rows = api.importer.read(file.bytes.clone(), kind, options, now).await.map_err(unread)?;
    let ImportCounts { inserted, unchanged, replaced } =
        match api.importer.store(&rows, mode, caller.name()).await? {
            ImportOutcome::Stored(imported) => imported,
            ImportOutcome::Differs { listed, total } => return Err(different(&rows.cells(), &listed, total)),
            ImportOutcome::OtherBasis(symbols) => return Err(other_basis(&symbols)),
        };
    let cells = rows.cells();
    let received_rows = cells.len();
    if !mode.dry_run {
        tracing::info!(
            "imported {kind}: {inserted} rows inserted, {replaced} replaced, {unchanged} unchanged"
        );
        audit::record(&caller, "imported", format_args!("{kind}: {received_rows} rows, {replaced} replaced"));
    }
    let beside = |of: ActionKind| match &rows {
        FileRows::Bars(file) => {
            let count = file.actions.iter().filter(|row| row.kind == of).count();
            (count > 0).then_some(count)
        }
        FileRows::Actions(..) => None,
    };
    let (splits, dividends) = (beside(ActionKind::Split), beside(ActionKind::Dividend));
    let received = |of: ImportKind| (of == kind).then_some(received_rows);
    let mut imported = ImportedPrices {
        bars_received: received(ImportKind::Bars),
        splits_received: received(ImportKind::Splits).or(splits),
        dividends_received: received(ImportKind::Dividends).or(dividends),
        spin_offs_received: received(ImportKind::SpinOffs),
        renames_received: received(ImportKind::Renames),
        mergers_received: received(ImportKind::Mergers),
        delistings_received: received(ImportKind::Delistings),
        inserted,
        unchanged,
        replaced,
        symbols: cells.iter().map(|(_, symbol, _)| symbol).collect::<HashSet<_>>().len(),
        dates: dates(&cells),
        basis: None,
        ignored_columns: Vec::new(),
        notes: api.importer.notes_on(&rows).await?,
        dry_run: mode.dry_run,
        stale_days: market::repriced_days(&api.context.pool).await?,
    };
    match rows {
        FileRows::Bars(file) => {
            imported.basis = Some(file.basis.as_str());
            imported.ignored_columns = file.ignored_columns;
            imported.notes = file.notes;
        }
        FileRows::Actions(_, file) if !file.ignored_columns.is_empty() => {
            let columns = file.ignored_columns.join(", ");
            imported.notes.insert(0, format!("Columns that were not read: {columns}."));
            imported.ignored_columns = file.ignored_columns;
        }
        FileRows::Actions(..) => {}
    }
    Ok(Json(imported))
}

fn dates(cells: &[(usize, &Symbol, NaiveDate)]) -> ImportedDates {
    let dates = || cells.iter().map(|(_, _, date)| *date);
    let text = |date: Option<NaiveDate>| date.map(|date| date.to_string()).unwrap_or_default();
    ImportedDates { from: text(dates().min()), to: text(dates().max()) }
}
