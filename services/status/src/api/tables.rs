//! `GET /trades`, `/positions`, `/equity`: what portfolios traded, held and were worth, as rows for analysis. A page is
//! JSON; all rows are a CSV or Parquet file, which is sent while the days are read.

mod column;
mod csv;
mod equity;
mod file;
mod format;
mod openapi;
mod parquet;
mod positions;
mod row;
mod row_reader;
mod sampled;
mod selection;
mod trades;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use runtime::http::{Params, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::cursor;
use super::portfolio_errors::PortfolioErrors;
use super::state::Api;
use column::Numbers;
use equity::EquityRow;
use file::Download;
use format::{CSV_FILE, Format, PARQUET};
use openapi::TableParams;
use positions::PositionRow;
use row::{JsonRow, TableRow};
use row_reader::RowReader;
use sampled::sampled;
use selection::Selection;
use trades::TradeRow;

/// A page of trades.
#[derive(Serialize, ToSchema)]
pub(super) struct Trades {
    count: usize,
    #[schema(value_type = Vec<TradeRow>)]
    trades: Vec<JsonRow<TradeRow>>,
    next_cursor: Option<String>,
}

/// A page of positions.
#[derive(Serialize, ToSchema)]
pub(super) struct Positions {
    count: usize,
    #[schema(value_type = Vec<PositionRow>)]
    positions: Vec<JsonRow<PositionRow>>,
    next_cursor: Option<String>,
}

/// A page of days' values.
#[derive(Serialize, ToSchema)]
pub(super) struct Equity {
    count: usize,
    #[schema(value_type = Vec<EquityRow>)]
    equity: Vec<JsonRow<EquityRow>>,
    next_cursor: Option<String>,
}

/// What portfolios traded: a row for each filled order.
///
/// For each portfolio and date the winning result; with `job_id`, what that job ran. Ordered by model, trial, date and
/// sequence.
#[utoipa::path(get, path = "/trades", tag = "results", security(("token" = ["read"])),
    extensions(("x-heavy" = json!(true))),
    params(TableParams),
    responses(
        (status = 200, description = "The rows; none when nothing was traded.", content(
            (Trades = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.parquet"))),
        PortfolioErrors,
    ))]
pub(super) async fn trades(
    State(api): State<Api>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    respond(&api, &headers, params, |Page { rows: trades, next_cursor }| {
        Json(Trades { count: trades.len(), trades, next_cursor }).into_response()
    })
    .await
}

/// What portfolios held at the end of their days: a row for each symbol and one for the cash.
///
/// For each portfolio and date the winning result; with `job_id`, what that job ran. Ordered by model, trial, date and
/// symbol, the cash first. The values of a portfolio's day add up to its value at the close.
#[utoipa::path(get, path = "/positions", tag = "results", security(("token" = ["read"])),
    extensions(("x-heavy" = json!(true))),
    params(
        TableParams,
        ("sample" = Option<i64>, Query, minimum = 2, maximum = 1_000, description = "Only this many of each portfolio's days, evenly spread, the first and the last among them; as JSON, in one page."),
    ),
    responses(
        (status = 200, description = "The rows; none when nothing was run.", content(
            (Positions = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.parquet"))),
        PortfolioErrors,
    ))]
pub(super) async fn positions(
    State(api): State<Api>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, Problem> {
    if let Some(days) = params.number("sample", 2, 1_000) {
        let selection = Selection::read(&api, &headers, params).await?;
        let positions = sampled(&api, &selection, usize::try_from(days).unwrap_or(usize::MAX)).await?;
        return Ok(Json(Positions { count: positions.len(), positions, next_cursor: None }).into_response());
    }
    respond(&api, &headers, params, |Page { rows: positions, next_cursor }| {
        Json(Positions { count: positions.len(), positions, next_cursor }).into_response()
    })
    .await
}

/// What portfolios were worth: a row for each of their days.
///
/// For each portfolio and date the winning result; with `job_id`, what that job ran. Ordered by model, trial and date.
#[utoipa::path(get, path = "/equity", tag = "results", security(("token" = ["read"])),
    extensions(("x-heavy" = json!(true))),
    params(TableParams),
    responses(
        (status = 200, description = "The rows; none when nothing was run.", content(
            (Equity = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.parquet"))),
        PortfolioErrors,
    ))]
pub(super) async fn equity(
    State(api): State<Api>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    respond(&api, &headers, params, |Page { rows: equity, next_cursor }| {
        Json(Equity { count: equity.len(), equity, next_cursor }).into_response()
    })
    .await
}

/// A page of rows, with the cursor of the next page if there are more rows.
struct Page<R> {
    rows: Vec<JsonRow<R>>,
    next_cursor: Option<String>,
}

async fn respond<R: TableRow>(
    api: &Api,
    headers: &HeaderMap,
    params: Params,
    json: impl FnOnce(Page<R>) -> Response,
) -> Result<Response, Problem> {
    let selection = Selection::read(api, headers, params).await?;
    let (format, numbers) = (selection.format, selection.numbers);
    let rows = RowReader::begin(&api.pool, selection).await?;
    match format {
        Format::Json { limit } => Ok(json(page(rows, limit, numbers).await?)),
        Format::Csv => Download::new(rows, csv::CsvFile::begin(numbers)).response("csv", CSV_FILE).await,
        Format::Parquet => {
            let file = parquet::ParquetFile::begin(numbers).map_err(|problem| Problem::internal(&problem))?;
            Download::new(rows, file).response("parquet", PARQUET).await
        }
    }
}

async fn page<R: TableRow>(
    mut reader: RowReader<R>,
    limit: usize,
    numbers: Numbers,
) -> Result<Page<R>, Problem> {
    let mut found = Vec::new();
    while found.len() <= limit
        && let Some(rows) = reader.next().await?
    {
        found.extend(rows);
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|(place, _)| cursor::after_place(place));
    Ok(Page { rows: found.into_iter().map(|(_, row)| JsonRow(row, numbers)).collect(), next_cursor })
}

#[cfg(test)]
mod tests {
    use super::column::Kind;
    use super::*;

    /// The lines of `docs/tables.md` that describe a table.
    fn documented<R: TableRow>() -> Vec<String> {
        let line = |column: &column::Column<R>| {
            let kind = match column.kind {
                Kind::Text => "STRING",
                Kind::Date => "DATE",
                Kind::Count => "INT64",
                Kind::Amount => "DECIMAL(38, 18)",
                Kind::Flag => "BOOLEAN",
                Kind::Ratio => "DOUBLE",
                Kind::Instant => "TIMESTAMP(MICROS, UTC)",
            };
            let mark = if column.optional { " ?" } else { "" };
            format!("| `{}`{mark} | `{kind}` | {} |", column.name, column.about)
        };
        R::COLUMNS.iter().map(line).collect()
    }

    #[test]
    fn the_columns_in_docs_are_those_of_the_code() {
        let text = include_str!("../../../../docs/tables.md");
        let section = |table: &str| {
            let (_, section) = text.split_once(&format!("### {table}\n")).unwrap();
            let lines = section
                .lines()
                .skip_while(|line| !line.starts_with("| `"))
                .take_while(|line| !line.is_empty());
            lines.map(str::to_owned).collect::<Vec<_>>()
        };

        assert_eq!(section(TradeRow::TABLE), documented::<TradeRow>());
        assert_eq!(section(PositionRow::TABLE), documented::<PositionRow>());
        assert_eq!(section(EquityRow::TABLE), documented::<EquityRow>());
    }
}
