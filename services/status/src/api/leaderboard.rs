//! `GET /leaderboard`: portfolios side by side and beside benchmarks.

mod row;
mod trials;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use domain::benchmark::{Closes, buy_and_hold, equal_weight};
use domain::fold::Requested;
use domain::ids::JobId;
use domain::leaderboard::{Contestant, PortfolioDays, Row, benchmark_row, portfolio_row, rank};
use domain::market::{Symbol, Universe};
use domain::request::DEFAULT_EXPERIMENT;
use domain::trials::{Trials, comparisons};
use runtime::http::{Problem, ProblemBody};
use rust_decimal::Decimal;
use serde::Serialize;
use storage::market;
use storage::status::{UsageFilter, portfolio_usage, training_cutoffs};

use row::RowDetail;
use trials::{ComparisonDetail, ModelDetail};
use utoipa::ToSchema;

use super::query::Params;
use super::stale::{Chains, portfolio};
use super::usage::UsageDetail;
use super::view::KnownJob;
use super::{Api, bad_request};

/// What a benchmark starts with when the portfolios differ in it.
const STARTING_VALUE: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);

/// The leaderboard; the dates are those of the days shown, null without any.
#[derive(Serialize, ToSchema)]
pub(crate) struct Leaderboard {
    experiment: String,
    start_date: Option<String>,
    end_date: Option<String>,
    count: usize,
    rows: Vec<RowDetail>,
    /// Each model over its trials, by name.
    models: Vec<ModelDetail>,
    /// Pairs of models of which at least one has several trials.
    comparisons: Vec<ComparisonDetail>,
}

/// What was asked for.
struct Request {
    experiment: String,
    models: Option<Vec<String>>,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

/// The portfolios side by side, and beside benchmarks; best first.
///
/// Fractions unless a name says percent. What is undefined is null, with its reason in `reasons`.
#[utoipa::path(get, path = "/leaderboard", tag = "results", security(("token" = ["read"])),
    params(
        ("start_date" = Option<String>, Query, format = Date, description = "First date, `YYYY-MM-DD`; the first there is when absent."),
        ("end_date" = Option<String>, Query, format = Date, description = "Last date, `YYYY-MM-DD`; the last there is when absent."),
        ("models" = Option<String>, Query, description = "Only these models; names between commas."),
        ("experiment" = Option<String>, Query, description = "Of this experiment; `default` when absent."),
        ("job_id" = Option<String>, Query, description = "The portfolios of this job over its dates, whoever ran them."),
    ),
    responses(
        (status = 200, description = "The leaderboard; empty when nothing was run.", body = Leaderboard),
        (status = 400, description = "The dates are wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 404, description = "Nobody accepted such a job.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is wrong.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn leaderboard(
    State(api): State<Api>,
    mut params: Params,
) -> Result<Json<Leaderboard>, Problem> {
    let (from, to) = (params.date("start_date"), params.date("end_date"));
    let (models, experiment) = (params.list("models"), params.filter("experiment"));
    let job = params.filter("job_id");
    params.finish()?;
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(bad_request("start_date must be <= end_date"));
    }
    let job = match job {
        Some(id) => Some(KnownJob::load(&api, &id).await?.requested),
        None => None,
    };
    let request = match &job {
        Some(job) => Request {
            experiment: job.experiment.clone(),
            models: models.or_else(|| Some(job.models.iter().map(|model| model.signature.clone()).collect())),
            from: from.or(Some(job.start)),
            to: to.or(Some(job.end)),
        },
        None => Request {
            experiment: experiment.unwrap_or_else(|| DEFAULT_EXPERIMENT.to_owned()),
            models,
            from,
            to,
        },
    };
    Ok(Json(standings(&api, request, job).await?))
}

async fn standings(api: &Api, request: Request, job: Option<Requested>) -> Result<Leaderboard, Problem> {
    let (from, to) = (request.from.unwrap_or(NaiveDate::MIN), request.to.unwrap_or(NaiveDate::MAX));
    let chains = Chains::load(&api.pool, &request.experiment, request.models.as_deref(), request.to).await?;
    let cutoffs = training_cutoffs(&api.pool, &chains.models()).await?;
    let portfolios: Vec<PortfolioDays> =
        chains.iter().filter_map(|chain| portfolio(chain, &cutoffs)).collect();
    let mut rows: Vec<Row> =
        portfolios.iter().filter_map(|portfolio| portfolio_row(portfolio, from, to)).collect();
    let first = rows.iter().map(|row| row.dates.0).min();
    let last = rows.iter().map(|row| row.dates.1).max();
    if let Some((first, last)) = first.zip(last) {
        let universe = match job {
            Some(job) => Some(job.universe),
            None => latest_universe(api, &chains, first, last).await?,
        };
        if let Some(universe) = universe {
            let amount = common_start(&rows);
            rows.extend(benchmarks(api, &universe, amount, first, last).await?);
        }
    }
    rank(&mut rows);
    let models = Trials::of(&rows);
    let mut usage = usage(api, &request).await?;
    let rows: Vec<RowDetail> = rows
        .iter()
        .zip(1..)
        .map(|(row, rank)| {
            let used = match &row.contestant {
                Contestant::Model { model, trial } => usage.remove(&(model.clone(), *trial)),
                Contestant::Benchmark(_) => None,
            };
            RowDetail::of(row, rank, used)
        })
        .collect();
    Ok(Leaderboard {
        experiment: request.experiment,
        start_date: first.map(|date| date.to_string()),
        end_date: last.map(|date| date.to_string()),
        count: rows.len(),
        rows,
        models: models.iter().map(Into::into).collect(),
        comparisons: comparisons(&models).into_iter().map(Into::into).collect(),
    })
}

/// What each portfolio's agent used over the dates asked for.
async fn usage(api: &Api, request: &Request) -> Result<BTreeMap<(String, u32), UsageDetail>, Problem> {
    let filter = UsageFilter {
        experiment: &request.experiment,
        models: request.models.as_deref(),
        from: request.from,
        to: request.to,
    };
    let rows = portfolio_usage(&api.pool, &filter).await?;
    Ok(rows.into_iter().map(|(model, trial, row)| ((model, trial), row.into())).collect())
}

/// The universe of the latest job that completed a day shown.
async fn latest_universe(
    api: &Api,
    chains: &Chains,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Option<Universe>, Problem> {
    let shown = chains.iter().flatten().filter(|row| (first..=last).contains(&row.key.day.date));
    let Some(job) = shown.map(|row| row.job).max() else { return Ok(None) };
    let JobId(id) = job;
    Ok(Some(KnownJob::load(api, &id.to_string()).await?.requested.universe))
}

/// The value that all portfolios start from, so that final values compare too.
fn common_start(rows: &[Row]) -> Decimal {
    match rows.split_first() {
        Some((first, rest)) if rest.iter().all(|row| row.starting_value == first.starting_value) => {
            first.starting_value
        }
        _ => STARTING_VALUE,
    }
}

/// Rows of the universe's index fund and of the universe in equal parts; of those whose prices are known.
async fn benchmarks(
    api: &Api,
    universe: &Universe,
    amount: Decimal,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<Row>, Problem> {
    let sessions = api.reading.calendar.sessions(first, last);
    let wanted: Vec<Symbol> = universe.symbols.iter().chain(&universe.benchmark).cloned().collect();
    let mut closes: BTreeMap<Symbol, Closes> = BTreeMap::new();
    for (symbol, date, close) in market::closes(&api.pool, &wanted, first, last).await? {
        closes.entry(symbol).or_default().insert(date, close);
    }
    let fund = universe.benchmark.as_ref().and_then(|symbol| {
        let curve = buy_and_hold(amount, closes.get(symbol)?, &sessions)?;
        benchmark_row(symbol.as_str(), &curve)
    });
    closes.retain(|symbol, _| universe.symbols.contains(symbol));
    let equal =
        equal_weight(amount, &closes, &sessions).and_then(|curve| benchmark_row("equal weight", &curve));
    Ok(fund.into_iter().chain(equal).collect())
}
