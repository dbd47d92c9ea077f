//! `GET /prices/coverage`: which bars are stored, which are missing, and which are known not to exist.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::NaiveDate;
use domain::ingest::coverage::report::{Gap, SymbolReport};
use domain::ingest::coverage::{Coverage, Scope};
use domain::job::request::ValidationError;
use domain::market::instruments::{Symbol, Universe};
use runtime::http::{Params, Problem, ProblemBody};
use serde::Serialize;
use storage::{StoredUniverse, market};
use utoipa::ToSchema;

use super::state::Api;

/// How many gaps are listed per symbol.
const MAX_GAPS: usize = 100;

/// Which bars there are.
#[derive(Serialize, ToSchema)]
pub(crate) struct PriceCoverage {
    /// The range that the counts are about; null when nothing is stored and none was requested.
    start_date: Option<String>,
    end_date: Option<String>,
    /// Sessions in the range.
    sessions: usize,
    /// Over all symbols, not only those of this page.
    totals: Totals,
    symbols: Vec<SymbolCoverage>,
    next_cursor: Option<String>,
}

#[derive(Serialize, ToSchema, Default)]
#[schema(as = CoverageTotals)]
struct Totals {
    symbols: usize,
    bars: usize,
    missing_sessions: usize,
    known_absent: usize,
}

/// One symbol's bars in the range.
#[derive(Serialize, ToSchema)]
struct SymbolCoverage {
    symbol: String,
    /// Whether it belongs to the universe or is its benchmark; null when no universe is stored.
    in_universe: Option<bool>,
    first_bar: Option<String>,
    last_bar: Option<String>,
    bars: usize,
    /// Sessions of which nothing is known; a job that needs them downloads them.
    missing_sessions: usize,
    /// The first 100 stretches of them.
    missing: Vec<MissingSessions>,
    /// Sessions without a bar according to the provider; they are not downloaded again.
    known_absent: usize,
}

/// Sessions that follow each other.
#[derive(Serialize, ToSchema)]
struct MissingSessions {
    from: String,
    to: String,
    sessions: usize,
}

/// Which bars are stored, which are missing, and which are known not to exist.
///
/// Of every symbol of the default universe, and of all others that something is known of; or of those of `universe`.
#[utoipa::path(get, path = "/prices/coverage", operation_id = "price_coverage", tag = "prices",
    extensions(("x-heavy" = json!(true))),
    security(("token" = ["read"])),
    params(
        ("symbol" = Option<String>, Query, pattern = "^[A-Z0-9./-]{1,12}$", description = "Only this symbol."),
        ("universe" = Option<String>, Query, description = "Only the symbols of this universe, and its benchmark."),
        ("start_date" = Option<String>, Query, format = Date,
            description = "First date; that of the oldest stored bar when absent."),
        ("end_date" = Option<String>, Query, format = Date,
            description = "Last date; that of the newest stored bar when absent."),
        ("limit" = Option<i64>, Query, minimum = 1, maximum = 1_000, description = "Most symbols; 200 when absent."),
        ("cursor" = Option<String>, Query, pattern = "^[A-Z0-9.-]{1,12}$",
            description = "The `next_cursor` of an earlier answer."),
    ),
    responses(
        (status = 200, description = "A page of symbols.", body = PriceCoverage),
        (status = 400, description = "`start_date` is after `end_date`.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn coverage(
    State(api): State<Arc<Api>>,
    mut params: Params,
) -> Result<Json<PriceCoverage>, Problem> {
    let symbol = symbol(&mut params, "symbol");
    let named = params.filter("universe");
    let after = self::symbol(&mut params, "cursor");
    let (start, end) = (params.date("start_date"), params.date("end_date"));
    let limit = params.number("limit", 1, 1_000).unwrap_or(200);
    params.finish()?;
    if start.zip(end).is_some_and(|(start, end)| start > end) {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "start_date must be <= end_date"));
    }
    let range = range(&api, start, end).await?;
    let sessions = range.map(|(first, last)| api.context.calendar.sessions(first, last)).unwrap_or_default();
    let universe = universe(&api, named.as_deref()).await?;
    let symbols = match (symbol, &universe) {
        (Some(symbol), _) => vec![symbol],
        (None, Some(universe)) if named.is_some() => {
            members(universe).collect::<BTreeSet<_>>().into_iter().collect()
        }
        (None, universe) => all_symbols(&api, universe.as_ref()).await?,
    };
    let reports = reports(&api, range, &sessions, symbols).await?;
    let mut totals = Totals { symbols: reports.len(), ..Totals::default() };
    for report in &reports {
        totals.bars += report.bars;
        totals.missing_sessions += report.missing_sessions;
        totals.known_absent += report.known_absent;
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut rest = reports.iter().filter(|report| after.as_ref().is_none_or(|after| report.symbol > *after));
    let page: Vec<&SymbolReport> = rest.by_ref().take(limit).collect();
    let next_cursor = rest.next().and_then(|_| page.last()).map(|report| report.symbol.as_str().to_owned());
    Ok(Json(PriceCoverage {
        start_date: range.map(|(first, _)| first.to_string()),
        end_date: range.map(|(_, last)| last.to_string()),
        sessions: sessions.len(),
        totals,
        symbols: page.into_iter().map(|report| shown(report, universe.as_ref())).collect(),
        next_cursor,
    }))
}

fn symbol(params: &mut Params, name: &str) -> Option<Symbol> {
    params.read(name, "string_pattern_mismatch", "1 to 12 of A-Z, 0-9, '.', '-'", |text| text.parse().ok())
}

/// The requested range; an open end is that of the stored bars.
async fn range(
    api: &Api,
    start: Option<NaiveDate>,
    end: Option<NaiveDate>,
) -> Result<Option<(NaiveDate, NaiveDate)>, Problem> {
    if let (Some(start), Some(end)) = (start, end) {
        return Ok(Some((start, end)));
    }
    let stored = market::stored_range(&api.context.pool).await?;
    let first = start.or(stored.map(|(first, _)| first)).or(end);
    let last = end.or(stored.map(|(_, last)| last)).or(start);
    // The requested end may lie outside the range of the stored bars.
    Ok(first.zip(last).map(|(first, last)| match start {
        Some(start) => (start, last.max(start)),
        None => (first.min(last), last),
    }))
}

/// The universe of that name, or the default one; `None` when trigger has not stored any yet.
async fn universe(api: &Api, name: Option<&str>) -> Result<Option<Universe>, Problem> {
    let mut stored = storage::universes(&api.context.pool).await?;
    let is_it = |one: &StoredUniverse| name.map_or(one.is_default, |name| one.universe.name == name);
    if let Some(place) = stored.iter().position(is_it) {
        return Ok(Some(stored.swap_remove(place).universe));
    }
    let Some(name) = name else { return Ok(None) };
    let known: Vec<String> = stored.into_iter().map(|stored| stored.universe.name).collect();
    let problem = format!("Unknown universe: {name}. Known universes: {}", known.join(", "));
    let loc = vec!["query".into(), "universe".into()];
    Err(Problem::validation(vec![ValidationError::value(loc, problem, name.into())]))
}

fn members(universe: &Universe) -> impl Iterator<Item = Symbol> {
    universe.symbols.iter().chain(&universe.benchmark).cloned()
}

async fn all_symbols(api: &Api, universe: Option<&Universe>) -> Result<Vec<Symbol>, Problem> {
    let mut symbols: BTreeSet<Symbol> = market::known_symbols(&api.context.pool).await?.into_iter().collect();
    symbols.extend(universe.into_iter().flat_map(members));
    Ok(symbols.into_iter().collect())
}

async fn reports(
    api: &Api,
    range: Option<(NaiveDate, NaiveDate)>,
    sessions: &[NaiveDate],
    symbols: Vec<Symbol>,
) -> Result<Vec<SymbolReport>, Problem> {
    let (first, last) = range.unwrap_or_default();
    let bars = market::dates_with_bars(&api.context.pool, &symbols, first, last).await?;
    let spans = market::spans(&api.context.pool, &symbols).await?;
    let universe = Universe { name: String::new(), symbols, benchmark: None };
    let now = storage::now(&api.context.pool).await?;
    let scope = Scope::new(sessions.iter().copied(), &universe, &[]);
    let bars = bars.iter().flat_map(|(symbol, dates)| dates.iter().map(move |date| (symbol, *date)));
    Ok(Coverage::assess(scope, bars, &spans, now).report())
}

fn shown(report: &SymbolReport, universe: Option<&Universe>) -> SymbolCoverage {
    let gap = |gap: &Gap| MissingSessions {
        from: gap.from.to_string(),
        to: gap.to.to_string(),
        sessions: gap.sessions,
    };
    SymbolCoverage {
        symbol: report.symbol.as_str().to_owned(),
        in_universe: universe.map(|universe| universe.tradable(&report.symbol)),
        first_bar: report.between.map(|(first, _)| first.to_string()),
        last_bar: report.between.map(|(_, last)| last.to_string()),
        bars: report.bars,
        missing_sessions: report.missing_sessions,
        missing: report.missing.iter().take(MAX_GAPS).map(gap).collect(),
        known_absent: report.known_absent,
    }
}
