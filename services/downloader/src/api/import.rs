//! `POST /prices/import`: prices of one's own, all of a file or none of it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use chrono::{NaiveDate, Utc};
use domain::import::{self, BarRow, Fault, Faults, Rules};
use domain::request::ValidationError;
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use storage::market::{self, Different, Import};
use utoipa::ToSchema;

use super::Api;

/// What an import did.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportedPrices {
    /// Rows of the file.
    bars_received: usize,
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
    /// ran. A job with `reprocess_stale` runs them again.
    stale_days: u64,
}

/// The first and the last date of a file.
#[derive(Serialize, ToSchema)]
struct ImportedDates {
    from: String,
    to: String,
}

/// Imports daily bars from a CSV file: all of it, or nothing.
///
/// The first line names the columns `symbol,date,open,high,low,close,volume`, in any order. What is imported is
/// never downloaded. Every wrong row is told with its line, up to 100 of them.
#[utoipa::path(post, path = "/prices/import", operation_id = "import_prices", tag = "prices",
    security(("token" = ["operate"])),
    params(
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
    State(api): State<Api>,
    mut params: Params,
    request: Request,
) -> Result<Json<ImportedPrices>, Problem> {
    let replace = params.choice("replace", &[("true", true), ("false", false)]).unwrap_or(false);
    params.finish()?;
    let Ok(_alone) = api.importing.acquire().await else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "The service is about to stop"));
    };
    let body = body(&api, request).await?;
    let rules = (api.calendar.clone(), closed_until(&api));
    let bars = tokio::task::spawn_blocking(move || {
        let (calendar, closed_until) = rules;
        import::text(&body).and_then(|text| import::bars(text, &Rules { calendar: &calendar, closed_until }))
    });
    let bars = bars.await.map_err(|problem| Problem::internal(&problem))?.map_err(wrong)?;
    let done = match market::import_bars(&api.pool, &bars, replace).await? {
        Import::Stored(done) => done,
        Import::Differs { listed, total } => return Err(different(&bars, &listed, total)),
    };
    api.due.notify_one();
    let answer = ImportedPrices {
        bars_received: bars.len(),
        inserted: done.inserted,
        unchanged: done.unchanged,
        replaced: done.replaced,
        symbols: bars.iter().map(|row| &row.symbol).collect::<std::collections::HashSet<_>>().len(),
        dates: dates(&bars),
        stale_days: market::repriced_days(&api.pool).await?,
    };
    tracing::info!(
        bar.count = answer.bars_received,
        "imported prices: {} bars inserted, {} replaced, {} unchanged",
        answer.inserted,
        answer.replaced,
        answer.unchanged
    );
    Ok(Json(answer))
}

async fn body(api: &Api, request: Request) -> Result<Bytes, Problem> {
    let rejected = |rejection: BytesRejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let limit = api.import_limit >> 20;
            let detail =
                format!("The file is larger than {limit} MiB; send it in parts, or raise IMPORT_LIMIT_MIB");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        }
        status => Problem::new(status, rejection.body_text()),
    };
    Bytes::from_request(request, api).await.map_err(rejected)
}

/// The last session that has closed.
fn closed_until(api: &Api) -> NaiveDate {
    api.calendar.last_closed_session(Utc::now(), std::time::Duration::ZERO).unwrap_or(NaiveDate::MAX)
}

fn dates(bars: &[BarRow]) -> ImportedDates {
    let dates = || bars.iter().map(|row| row.date);
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
    let detail = detail(total, &errors, "wrong", "");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail).with_errors(errors)
}

fn different(bars: &[BarRow], listed: &[Different], total: usize) -> Problem {
    let error = |different: &Different| {
        let line = different.line;
        let row = bars.iter().find(|row| row.line == line);
        let what = row.map(|row| format!("{} on {}", row.symbol, row.date)).unwrap_or_default();
        ValidationError {
            kind: "conflict",
            loc: vec!["body".into(), line.into()],
            msg: format!("line {line}: {what} is stored with {}", different.stored),
            input: what.into(),
        }
    };
    let errors: Vec<ValidationError> = listed.iter().map(error).collect();
    let detail = detail(total, &errors, "different from what is stored", "; send replace=true to replace it");
    Problem::new(StatusCode::CONFLICT, detail).with_errors(errors)
}

/// How much there is, the first of it, and how much is not listed.
fn detail(total: usize, errors: &[ValidationError], what: &str, fix: &str) -> String {
    let first = errors.first().map(|error| error.msg.as_str()).unwrap_or_default();
    let listed = if total > errors.len() {
        format!(" (the first {} are listed)", errors.len())
    } else {
        String::new()
    };
    let things = if total == 1 { "1 thing is" } else { &format!("{total} things are") };
    format!("{things} {what}, nothing is imported{fix}{listed}: {first}")
}
