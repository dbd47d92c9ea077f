//! `POST /prices/import`: imports the user's own prices from a file.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use chrono::NaiveDate;
use domain::ingest::import::{Fault, Faults, ImportKind};
use domain::job::request::ValidationError;
use domain::market::instruments::Symbol;
use runtime::audit;
use runtime::http::{Caller, Params, Problem, ProblemBody};
use serde::Serialize;
use storage::market::{self, DifferingRow, ImportCounts, ImportOutcome};
use utoipa::ToSchema;

use super::state::Api;

/// What an import did.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportedPrices {
    /// Rows of a file of bars.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    bars_received: Option<usize>,
    /// Rows of a file of splits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    splits_received: Option<usize>,
    /// Rows of a file of dividends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    dividends_received: Option<usize>,
    /// Rows that were new.
    inserted: u64,
    /// Rows that were stored already.
    unchanged: u64,
    /// Rows that took the place of different ones.
    replaced: u64,
    /// Different symbols of the file.
    symbols: usize,
    dates: ImportedDates,
    /// Completed model-days, of this import and earlier ones, that stand on prices which were replaced after they
    /// ran, or on splits and dividends which were imported then. A job with `reprocess_stale` runs them again.
    stale_days: u64,
}

/// The first and the last date of a file.
#[derive(Serialize, ToSchema)]
struct ImportedDates {
    from: String,
    to: String,
}

/// Imports daily bars, splits or dividends from a CSV file: all of it, or nothing.
///
/// The first line names the columns, in any order: `symbol,date,open,high,low,close,volume` of bars,
/// `symbol,date,ratio` of splits, `symbol,date,amount` of dividends. Imported bars are never downloaded. Every wrong
/// row is reported with its line, up to 100 of them.
#[utoipa::path(post, path = "/prices/import", operation_id = "import_prices", tag = "prices",
    security(("token" = ["operate"])),
    params(
        ("kind" = Option<FileKind>, Query, description = "What the file has; `bars` when absent."),
        ("replace" = Option<bool>, Query,
            description = "Whether rows take the place of stored ones that differ; otherwise such a file is refused."),
    ),
    request_body(content = String, content_type = "text/csv", description = "The file."),
    responses(
        (status = 200, description = "It is imported.", body = ImportedPrices),
        (status = 400, description = "The body broke off.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 409, description = "Rows differ from stored ones; nothing is imported.", body = ProblemBody,
            content_type = "application/problem+json"),
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
    let kinds =
        [("bars", ImportKind::Bars), ("splits", ImportKind::Splits), ("dividends", ImportKind::Dividends)];
    let kind = params.choice("kind", &kinds).unwrap_or(ImportKind::Bars);
    let replace = params.choice("replace", &[("true", true), ("false", false)]).unwrap_or(false);
    params.finish()?;
    // Before the permit, for which others would wait as long as a slow client sends.
    let file = api.file_memory.read(request.into_body()).await?;
    let Ok(_permit) = api.importer.permits.acquire().await else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The service is about to stop"));
    };
    let now = storage::now(&api.context.pool).await?;
    let rows = api.importer.read(file.bytes.clone(), kind, now).await;
    let rows = rows.map_err(|crash| Problem::internal(&crash))?.map_err(wrong)?;
    let ImportCounts { inserted, unchanged, replaced } =
        match api.importer.store(&rows, replace, caller.name()).await? {
            ImportOutcome::Stored(imported) => imported,
            ImportOutcome::Differs { listed, total } => return Err(different(&rows.cells(), &listed, total)),
        };
    let cells = rows.cells();
    let received_rows = cells.len();
    tracing::info!("imported {kind:?}: {inserted} rows inserted, {replaced} replaced, {unchanged} unchanged");
    audit::record(&caller, "imported", format_args!("{kind:?}: {received_rows} rows, {replaced} replaced"));
    let received = |of: ImportKind| (of == kind).then_some(cells.len());
    Ok(Json(ImportedPrices {
        bars_received: received(ImportKind::Bars),
        splits_received: received(ImportKind::Splits),
        dividends_received: received(ImportKind::Dividends),
        inserted,
        unchanged,
        replaced,
        symbols: cells.iter().map(|(_, symbol, _)| symbol).collect::<HashSet<_>>().len(),
        dates: dates(&cells),
        stale_days: market::repriced_days(&api.context.pool).await?,
    }))
}

/// What a file has.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the texts that are read as an `ImportKind`")]
enum FileKind {
    Bars,
    Splits,
    Dividends,
}

fn dates(cells: &[(usize, &Symbol, NaiveDate)]) -> ImportedDates {
    let dates = || cells.iter().map(|(_, _, date)| *date);
    let text = |date: Option<NaiveDate>| date.map(|date| date.to_string()).unwrap_or_default();
    ImportedDates { from: text(dates().min()), to: text(dates().max()) }
}

fn wrong(faults: Faults) -> Problem {
    let error = |fault: Fault| {
        let Fault { line, column, problem, input } = fault;
        let of_column = if column.is_empty() { String::new() } else { format!("{column} ") };
        ValidationError {
            kind: "value_error",
            loc: vec!["body".into(), line.into(), column.as_str().into()],
            msg: format!("line {line}: {of_column}{problem}"),
            input: input.into(),
        }
    };
    let total = faults.total;
    let errors: Vec<ValidationError> = faults.listed.into_iter().map(error).collect();
    refused(StatusCode::UNPROCESSABLE_ENTITY, total, errors, "wrong", "")
}

fn different(cells: &[(usize, &Symbol, NaiveDate)], listed: &[DifferingRow], total: usize) -> Problem {
    let error = |different: &DifferingRow| {
        let line = different.line;
        let cell = cells.iter().find(|(of_cell, _, _)| *of_cell == line);
        let what = cell.map(|(_, symbol, date)| format!("{symbol} on {date}")).unwrap_or_default();
        ValidationError {
            kind: "conflict",
            loc: vec!["body".into(), line.into()],
            msg: format!("line {line}: {what} is stored with {}", different.stored),
            input: what.into(),
        }
    };
    let errors: Vec<ValidationError> = listed.iter().map(error).collect();
    let fix = "; send replace=true to replace it";
    refused(StatusCode::CONFLICT, total, errors, "different from what is stored", fix)
}

/// A refusal that lists `errors`, the first of `total`.
fn refused(status: StatusCode, total: usize, errors: Vec<ValidationError>, what: &str, fix: &str) -> Problem {
    let first = errors.first().map(|error| error.msg.as_str()).unwrap_or_default();
    let listed = if total > errors.len() {
        format!(" (the first {} are listed)", errors.len())
    } else {
        String::new()
    };
    let things = if total == 1 { "1 thing is" } else { &format!("{total} things are") };
    let detail = format!("{things} {what}, nothing is imported{fix}{listed}: {first}");
    Problem::new(status, detail).with_errors(errors)
}
