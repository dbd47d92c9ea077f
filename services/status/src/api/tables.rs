//! `GET /trades`, `/positions`, `/equity`: what portfolios did, held and were worth, as rows for analysis: a page as
//! JSON, or all of them as a CSV or Parquet file, which is written while the days are read.

mod column;
mod csv;
mod described;
mod equity;
mod file;
mod parquet;
mod positions;
mod row;
mod selection;
mod trades;
mod walk;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use runtime::http::{Params, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Api, cursor};
use described::{Asked, Refused};
use equity::EquityRow;
use file::Download;
use positions::PositionRow;
use row::{Row, TableRow};
use selection::{Format, Selection};
use trades::TradeRow;
use walk::Walk;

/// A page of trades.
#[derive(Serialize, ToSchema)]
pub(crate) struct Trades {
    count: usize,
    #[schema(value_type = Vec<TradeRow>)]
    trades: Vec<Row<TradeRow>>,
    next_cursor: Option<String>,
}

/// A page of positions.
#[derive(Serialize, ToSchema)]
pub(crate) struct Positions {
    count: usize,
    #[schema(value_type = Vec<PositionRow>)]
    positions: Vec<Row<PositionRow>>,
    next_cursor: Option<String>,
}

/// A page of days' values.
#[derive(Serialize, ToSchema)]
pub(crate) struct Equity {
    count: usize,
    #[schema(value_type = Vec<EquityRow>)]
    equity: Vec<Row<EquityRow>>,
    next_cursor: Option<String>,
}

/// What portfolios traded, a row for each filled order.
///
/// Of each portfolio and date the result that counts; with `job_id`, what that job ran. By model, trial, date and
/// sequence.
#[utoipa::path(get, path = "/trades", tag = "results", security(("token" = ["read"])),
    params(Asked),
    responses(
        (status = 200, description = "The rows; none when nothing was traded.", content(
            (Trades = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.parquet"))),
        Refused,
    ))]
pub(crate) async fn trades(
    State(api): State<Api>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    answer(&api, &headers, params, |Page { rows: trades, next_cursor }| {
        Json(Trades { count: trades.len(), trades, next_cursor }).into_response()
    })
    .await
}

/// What portfolios held at the end of their days, a row for each symbol and one for the cash.
///
/// Of each portfolio and date the result that counts; with `job_id`, what that job ran. By model, trial, date and
/// symbol, the cash first. The values of a portfolio's day add up to its value at the close.
#[utoipa::path(get, path = "/positions", tag = "results", security(("token" = ["read"])),
    params(Asked),
    responses(
        (status = 200, description = "The rows; none when nothing was run.", content(
            (Positions = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.parquet"))),
        Refused,
    ))]
pub(crate) async fn positions(
    State(api): State<Api>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    answer(&api, &headers, params, |Page { rows: positions, next_cursor }| {
        Json(Positions { count: positions.len(), positions, next_cursor }).into_response()
    })
    .await
}

/// What portfolios were worth, a row for each of their days.
///
/// Of each portfolio and date the result that counts; with `job_id`, what that job ran. By model, trial and date.
#[utoipa::path(get, path = "/equity", tag = "results", security(("token" = ["read"])),
    params(Asked),
    responses(
        (status = 200, description = "The rows; none when nothing was run.", content(
            (Equity = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.parquet"))),
        Refused,
    ))]
pub(crate) async fn equity(
    State(api): State<Api>,
    headers: HeaderMap,
    params: Params,
) -> Result<Response, Problem> {
    answer(&api, &headers, params, |Page { rows: equity, next_cursor }| {
        Json(Equity { count: equity.len(), equity, next_cursor }).into_response()
    })
    .await
}

/// Rows, and the cursor of the next ones if there are more.
struct Page<R> {
    rows: Vec<Row<R>>,
    next_cursor: Option<String>,
}

async fn answer<R: TableRow>(
    api: &Api,
    headers: &HeaderMap,
    params: Params,
    json: impl FnOnce(Page<R>) -> Response,
) -> Result<Response, Problem> {
    let selection = Selection::read(api, headers, params).await?;
    let format = selection.format;
    let walk = Walk::begin(&api.pool, selection).await?;
    match format {
        Format::Json { limit } => Ok(json(page(walk, limit).await?)),
        Format::Csv => Download::new(walk, csv::CsvFile::default()).response("csv", csv::MEDIA_TYPE).await,
        Format::Parquet => {
            let file = parquet::ParquetFile::begin().map_err(|problem| Problem::internal(&problem))?;
            Download::new(walk, file).response("parquet", parquet::MEDIA_TYPE).await
        }
    }
}

async fn page<R: TableRow>(mut walk: Walk<R>, limit: usize) -> Result<Page<R>, Problem> {
    let mut found = Vec::new();
    while found.len() <= limit
        && let Some(rows) = walk.next().await?
    {
        found.extend(rows);
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|(place, _)| cursor::after_place(place));
    Ok(Page { rows: found.into_iter().map(|(_, row)| Row(row)).collect(), next_cursor })
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
