//! `GET /prices/bars`: stored bars, as traded or as they were seen on a day.

mod bar_file;
mod parquet_file;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::NaiveDate;
use domain::job::request::ValidationError;
use domain::market::as_of::AsOf;
use domain::market::instruments::Symbol;
use domain::market::price_table::PriceTable;
use domain::market::rules::MarketRules;
use domain::values::date::parse_date;
use futures::stream;
use runtime::http::{Number, Params, Problem, ProblemBody};
use serde::Serialize;
use storage::market::{self, BarRow};
use utoipa::{IntoParams, ToSchema};

use super::state::Api;
use bar_file::{BarFile, CsvFile, prices};
use parquet_file::ParquetFile;

/// Most symbols of a request.
const MAX_SYMBOLS: usize = 1_000;
/// Bars of a JSON page by default, and at most.
const PAGE: (i64, i64) = (1_000, 10_000);
/// No bar is older.
const FIRST: NaiveDate = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(date) => date,
    None => NaiveDate::MIN,
};
const PARQUET: &str = "application/vnd.apache.parquet";

/// A page of bars.
#[derive(Serialize, ToSchema)]
pub(crate) struct Bars {
    count: usize,
    bars: Vec<BarBody>,
    next_cursor: Option<String>,
}

/// The bar of a symbol and a session.
#[derive(Serialize, ToSchema)]
#[schema(as = PriceBar)]
struct BarBody {
    symbol: String,
    #[schema(format = Date)]
    date: String,
    open: Number,
    high: Number,
    low: Number,
    close: Number,
    volume: u64,
}

/// The values of `format`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "describes")]
enum BarFormat {
    Json,
    Csv,
    Parquet,
}

/// Which bars, and in which format.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes")]
struct BarParams {
    /// The symbol; several are separated by commas, at most 1,000.
    #[param(pattern = "^[A-Z0-9./-]{1,12}(,[A-Z0-9./-]{1,12})*$")]
    symbol: String,
    /// First date, `YYYY-MM-DD`; the first with a bar when absent.
    #[param(format = Date)]
    start: Option<String>,
    /// Last date, `YYYY-MM-DD`; the last with a bar when absent.
    #[param(format = Date)]
    end: Option<String>,
    /// As it was seen at the open of this day; as traded when absent.
    #[param(format = Date)]
    as_of: Option<String>,
    /// `csv` and `parquet` have all bars; when absent, the header `Accept` decides.
    #[param(inline)]
    format: Option<BarFormat>,
    /// Most bars of a JSON page; 1,000 when absent.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<i64>,
    /// The `next_cursor` of an earlier JSON page.
    cursor: Option<String>,
}

/// How bars are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    Parquet,
}

/// Which bars a request wants.
struct Selection {
    symbols: Vec<Symbol>,
    start: NaiveDate,
    end: NaiveDate,
    as_of: Option<NaiveDate>,
}

/// Stored bars.
///
/// Prices are as they were traded, ordered by symbol and date. With `as_of`, they are what models see at the open of that
/// day: the bars before it, in its shares, restated for the splits up to it and for no later one, and under the symbol that
/// a company has on that day.
#[utoipa::path(get, path = "/prices/bars", operation_id = "price_bars", tag = "prices",
    extensions(("x-heavy" = json!(true))),
    security(("token" = ["read"])),
    params(BarParams),
    responses(
        (status = 200, description = "The bars; none when none is stored.", content(
            (Bars = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.parquet"))),
        (status = 400, description = "`start` is after `end`.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn bars(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, Problem> {
    let formats = [("json", Format::Json), ("csv", Format::Csv), ("parquet", Format::Parquet)];
    let format = params.choice("format", &formats).unwrap_or_else(|| accepted(&headers));
    let limit = params.number("limit", 1, PAGE.1).unwrap_or(PAGE.0);
    let after = params.read("cursor", "value_error", "the next_cursor of an earlier answer", cursor);
    let selection = Selection::read(params)?;
    match format {
        Format::Json => {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            Ok(Json(page(&api, &selection, after.as_ref(), limit).await?).into_response())
        }
        Format::Csv => {
            Ok(file(api, selection, CsvFile::default(), "csv", "text/csv; charset=utf-8; header=present"))
        }
        Format::Parquet => {
            let written = ParquetFile::begin().map_err(|problem| Problem::internal(&problem))?;
            Ok(file(api, selection, written, "parquet", PARQUET))
        }
    }
}

/// The first format of the header `Accept` that there is.
fn accepted(headers: &HeaderMap) -> Format {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut named =
        values.flat_map(|value| value.split(',')).map(|part| part.split(';').next().unwrap_or(part).trim());
    let known = [("application/json", Format::Json), ("text/csv", Format::Csv), (PARQUET, Format::Parquet)];
    named
        .find_map(|named| known.iter().find(|(name, _)| named.eq_ignore_ascii_case(name)))
        .map_or(Format::Json, |(_, format)| *format)
}

/// The place after which a page begins: `SYMBOL_DATE`.
fn cursor(text: &str) -> Option<(Symbol, NaiveDate)> {
    let (symbol, date) = text.split_once('_')?;
    Some((symbol.parse().ok()?, parse_date(date)?))
}

impl Selection {
    fn read(mut params: Params) -> Result<Self, Problem> {
        let symbols =
            params.read("symbol", "string_pattern_mismatch", "symbols, separated by commas", |text| {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                let symbols: Option<Vec<Symbol>> = parts.map(|part| part.parse().ok()).collect();
                symbols.filter(|symbols| (1..=MAX_SYMBOLS).contains(&symbols.len()))
            });
        let (start, end, as_of) = (params.date("start"), params.date("end"), params.date("as_of"));
        let is_missing = params.text("symbol").is_none();
        params.finish()?;
        let Some(mut symbols) = symbols.filter(|_| !is_missing) else {
            let loc = vec!["query".into(), "symbol".into()];
            let problem = "name a symbol, such as symbol=AAPL, or several, separated by commas";
            return Err(Problem::validation(vec![ValidationError::value(
                loc,
                problem,
                serde_json::Value::Null,
            )]));
        };
        symbols.sort();
        symbols.dedup();
        if start.zip(end).is_some_and(|(start, end)| start > end) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "start must be <= end"));
        }
        let last = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or(NaiveDate::MAX);
        let (start, mut end) = (start.unwrap_or(FIRST), end.unwrap_or(last));
        // Of the day itself only the open is known.
        if let Some(before) = as_of.and_then(|as_of| as_of.pred_opt()) {
            end = end.min(before);
        }
        Ok(Self { symbols, start, end, as_of })
    }

    /// The bars of one of the symbols, oldest first.
    async fn bars_of(&self, api: &Api, symbol: &Symbol) -> storage::Result<Vec<BarRow>> {
        let pool = &api.context.pool;
        if self.start > self.end {
            return Ok(Vec::new());
        }
        let Some(as_of) = self.as_of else {
            let mut rows =
                market::bars_between(pool, std::slice::from_ref(symbol), self.start, self.end).await?;
            rows.sort_by_key(|row| row.date);
            return Ok(rows);
        };
        let renames = market::renames(pool, std::slice::from_ref(symbol), as_of).await?;
        let names: Vec<Symbol> = renames.connected(symbol).into_iter().collect();
        // Of a company with two symbols it matters since when each has bars.
        let from = if renames.is_empty() { self.start } else { FIRST };
        let rows = market::bars_between(pool, &names, from, self.end).await?;
        let actions = market::known_actions(pool, &names, as_of, i64::MAX).await?.until(as_of);
        let dates: BTreeSet<NaiveDate> =
            rows.iter().map(|row| row.date).filter(|date| *date >= self.start).collect();
        let table: PriceTable = rows.into_iter().map(|row| (row.symbol, row.date, row.bar)).collect();
        let view = AsOf::new(&table, &api.context.calendar, as_of);
        let view = view.with_actions(&actions, MarketRules::default());
        let seen = |date: NaiveDate| {
            let bar = view.bar(symbol, date).ok()?;
            Some(BarRow { symbol: symbol.clone(), date, bar })
        };
        Ok(dates.into_iter().filter_map(seen).collect())
    }
}

async fn page(
    api: &Api,
    selection: &Selection,
    after: Option<&(Symbol, NaiveDate)>,
    limit: usize,
) -> Result<Bars, Problem> {
    let mut found: Vec<BarRow> = Vec::new();
    let is_later =
        |row: &BarRow| after.is_none_or(|(symbol, date)| (&row.symbol, row.date) > (symbol, *date));
    let symbols = selection.symbols.iter();
    for symbol in symbols.filter(|symbol| after.is_none_or(|(after, _)| *symbol >= after)) {
        found.extend(selection.bars_of(api, symbol).await?.into_iter().filter(is_later));
        if found.len() > limit {
            break;
        }
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| more).map(|row| format!("{}_{}", row.symbol, row.date));
    let bars: Vec<BarBody> = found.iter().map(Into::into).collect();
    Ok(Bars { count: bars.len(), bars, next_cursor })
}

impl From<&BarRow> for BarBody {
    fn from(BarRow { symbol, date, bar }: &BarRow) -> Self {
        let [open, high, low, close] = prices(bar).map(Number);
        Self {
            symbol: symbol.to_string(),
            date: date.to_string(),
            open,
            high,
            low,
            close,
            volume: bar.volume(),
        }
    }
}

/// The response with a file that is made while it is sent. A failure ends it early.
fn file(
    api: Arc<Api>,
    selection: Selection,
    file: impl BarFile,
    extension: &str,
    media_type: &'static str,
) -> Response {
    let symbols = selection.symbols.clone().into_iter().map(Some).chain([None]);
    let parts = stream::try_unfold(
        (api, selection, file, symbols),
        async |(api, selection, mut file, mut symbols)| {
            let Some(next) = symbols.next() else { return Ok(None) };
            let written = async {
                match &next {
                    Some(symbol) => file.write(&selection.bars_of(&api, symbol).await?),
                    None => file.finish(),
                }
            };
            match written.await {
                Ok(bytes) => Ok(Some((Bytes::from(bytes), (api, selection, file, symbols)))),
                Err(problem) => {
                    tracing::error!("a file of bars was not finished: {problem:#}");
                    Err(std::io::Error::other("the rest of the bars cannot be read"))
                }
            }
        },
    );
    let name = format!("attachment; filename=\"bars.{extension}\"");
    let headers = [(header::CONTENT_TYPE, media_type.to_owned()), (header::CONTENT_DISPOSITION, name)];
    (headers, Body::from_stream(parts)).into_response()
}
