//! `GET /leaderboard`: portfolios compared with each other and with benchmarks.

mod benchmarks;
mod row;
mod trials;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use domain::events::job_view::JobRequest;
use domain::job::request::DEFAULT_EXPERIMENT;
use domain::market::instruments::Universe;
use domain::performance::benchmark::Dividends;
use domain::performance::leaderboard::{
    Contestant, Extent, LeaderboardRow, PortfolioDays, Reference, extent, portfolio_row, rank,
};
use domain::performance::significance::{Trials, comparisons};
use domain::values::ids::JobId;
use runtime::http::{Params, Problem, ProblemBody};
use rust_decimal::Decimal;
use serde::Serialize;
use storage::status::{
    Span, UsageFilter, UsageRow, WinnerKey, portfolio_usage, stale_day_bodies, total_return_holdings,
    training_cutoffs,
};

use benchmarks::Benchmarks;
use row::{RowDetail, StaleHolding};
use trials::{ComparisonDetail, ModelDetail};
use utoipa::ToSchema;

use super::chains::{Chain, Chains};
use super::completed_day::completed_day;
use super::format::bad_request;
use super::known_job::KnownJob;
use super::state::Api;

/// Starting value of a benchmark when those of the portfolios differ.
const STARTING_VALUE: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);

/// The leaderboard; the dates are those of the days shown, null without any.
#[derive(Serialize, ToSchema)]
pub(super) struct Leaderboard {
    experiment: String,
    start_date: Option<String>,
    end_date: Option<String>,
    /// The benchmark of alpha, beta and the information ratio: the universe's index fund. Null when its prices are
    /// unknown.
    benchmark: Option<String>,
    /// What cash earns each session, as a fraction.
    risk_free: f64,
    count: usize,
    rows: Vec<RowDetail>,
    /// Each model over its trials, by name.
    models: Vec<ModelDetail>,
    /// Pairs of models of which at least one has several trials.
    comparisons: Vec<ComparisonDetail>,
}

struct LeaderboardQuery {
    experiment: String,
    models: Option<Vec<String>>,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    daily_risk_free: f64,
    /// What becomes of the dividends of benchmarks.
    dividends: Dividends,
}

/// Portfolios compared with each other and with benchmarks; best first.
///
/// Figures are fractions unless their name says percent. An undefined figure is null, and `reasons` says why.
#[utoipa::path(get, path = "/leaderboard", tag = "results", security(("token" = ["read"])),
    extensions(("x-heavy" = json!(true))),
    params(
        ("start_date" = Option<String>, Query, format = Date, description = "First date, `YYYY-MM-DD`; the first with a result when absent."),
        ("end_date" = Option<String>, Query, format = Date, description = "Last date, `YYYY-MM-DD`; the last with a result when absent."),
        ("models" = Option<String>, Query, description = "Only these models; names between commas."),
        ("experiment" = Option<String>, Query, description = "Of this experiment; `default` when absent."),
        ("job_id" = Option<String>, Query, description = "The portfolios of this job over its dates, including days that other jobs ran."),
        ("reinvest" = Option<bool>, Query, description = "Whether benchmarks buy shares of their dividends; otherwise they keep them as cash, as portfolios do."),
        ("price_only" = Option<bool>, Query, description = "Whether benchmarks, and alpha, beta and the information ratio with them, leave dividends out. Without it a benchmark that was paid any has these figures as `price_only`."),
        ("risk_free" = Option<f64>, Query, minimum = -0.01, maximum = 0.01, description = "What cash earns each session, as a fraction, e.g. `0.0001`; 0 when absent."),
    ),
    responses(
        (status = 200, description = "The leaderboard; empty when nothing was run.", body = Leaderboard),
        (status = 400, description = "The dates are invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 404, description = "No such job was accepted.", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 422, description = "A parameter is invalid.", body = ProblemBody,
            content_type = "application/problem+json"),
    ))]
pub(super) async fn leaderboard(
    State(api): State<Api>,
    mut params: Params,
) -> Result<Json<Leaderboard>, Problem> {
    let (from, to) = (params.date("start_date"), params.date("end_date"));
    let (models, experiment) = (params.list("models"), params.filter("experiment"));
    let job = params.filter("job_id");
    let rate =
        params.read("risk_free", "float_parsing", "a number from -0.01 to 0.01, as 0.0001", daily_rate);
    let daily_risk_free = rate.unwrap_or_default();
    let flag = [("true", true), ("false", false)];
    let is_reinvested = params.choice("reinvest", &flag).unwrap_or_default();
    let is_price_only = params.choice("price_only", &flag).unwrap_or_default();
    params.finish()?;
    let dividends = match (is_price_only, is_reinvested) {
        (true, true) => return Err(bad_request("reinvest and price_only exclude each other")),
        (true, false) => Dividends::Ignored,
        (false, true) => Dividends::Reinvested,
        (false, false) => Dividends::Cash,
    };
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(bad_request("start_date must be <= end_date"));
    }
    let job = match job {
        Some(id) => Some(KnownJob::load(&api, &id).await?.requested),
        None => None,
    };
    let query = match &job {
        Some(job) => LeaderboardQuery {
            experiment: job.experiment.clone(),
            models: models.or_else(|| Some(job.models.iter().map(|model| model.signature.clone()).collect())),
            from: from.or(Some(job.start)),
            to: to.or(Some(job.end)),
            daily_risk_free,
            dividends,
        },
        None => LeaderboardQuery {
            experiment: experiment.unwrap_or_else(|| DEFAULT_EXPERIMENT.to_owned()),
            models,
            from,
            to,
            daily_risk_free,
            dividends,
        },
    };
    Ok(Json(standings(&api, query, job).await?))
}

fn daily_rate(text: &str) -> Option<f64> {
    let number = serde_json::from_str(text).ok().filter(|_| text.trim() == text);
    number.filter(|rate| (-0.01..=0.01).contains(rate))
}

async fn standings(
    api: &Api,
    query: LeaderboardQuery,
    job: Option<JobRequest>,
) -> Result<Leaderboard, Problem> {
    let (from, to) = (query.from.unwrap_or(NaiveDate::MIN), query.to.unwrap_or(NaiveDate::MAX));
    let dates = Span { from: query.from, to: query.to };
    let chains = Chains::load(&api.pool, &query.experiment, query.models.as_deref(), None, dates).await?;
    let cutoffs = training_cutoffs(&api.pool, &chains.models()).await?;
    let portfolios: Vec<PortfolioDays> = chains.iter().map(|chain| chain.portfolio(&cutoffs)).collect();
    let extents: Vec<Extent> =
        portfolios.iter().filter_map(|portfolio| extent(portfolio, from, to)).collect();
    let first = extents.iter().map(|extent| extent.first).min();
    let last = extents.iter().map(|extent| extent.last).max();
    let mut curves = Benchmarks::default();
    if let Some((first, last)) = first.zip(last) {
        let universe = match job {
            Some(job) => Some(job.universe),
            None => latest_universe(api, &chains, first, last).await?,
        };
        if let Some(universe) = universe {
            let amount = common_start(&extents);
            curves = Benchmarks::load(api, &universe, amount, (first, last), query.dividends).await?;
        }
    }
    let benchmark = curves.fund_curve();
    let by = Reference { benchmark, daily_risk_free: query.daily_risk_free };
    let of_models = portfolios.iter().filter_map(|portfolio| portfolio_row(portfolio, from, to, &by));
    let mut rows: Vec<LeaderboardRow> = of_models.chain(curves.rows(&by)).collect();
    rank(&mut rows);
    let models = Trials::of(&rows);
    let mut usage = usage(api, &query).await?;
    let mut stale = stale_holdings(api, &chains, to).await?;
    let shown = chains.iter().flat_map(Chain::days).filter(|row| (from..=to).contains(&row.key.day.date));
    let mut total_return = total_return_holdings(&api.pool, shown.map(|row| &row.key)).await?;
    let rows: Vec<RowDetail> = rows
        .iter()
        .zip(1..)
        .map(|(row, rank)| {
            let (used, stale, total_return) = match &row.contestant {
                Contestant::Model { model, trial } => {
                    let key = (model.clone(), *trial);
                    let total_return = total_return.remove(&key).unwrap_or_default();
                    (usage.remove(&key), stale.remove(&key).unwrap_or_default(), total_return)
                }
                Contestant::Benchmark(_) => (None, Vec::new(), Vec::new()),
            };
            RowDetail::of(row, rank, used, stale, total_return)
        })
        .collect();
    Ok(Leaderboard {
        experiment: query.experiment,
        start_date: first.map(|date| date.to_string()),
        end_date: last.map(|date| date.to_string()),
        benchmark: curves.fund_name(),
        risk_free: query.daily_risk_free,
        count: rows.len(),
        rows,
        models: models.iter().map(Into::into).collect(),
        comparisons: comparisons(&models).into_iter().map(Into::into).collect(),
    })
}

/// What each portfolio holds at its last day up to `to` without a bar of that day.
async fn stale_holdings(
    api: &Api,
    chains: &Chains,
    to: NaiveDate,
) -> Result<BTreeMap<(String, u32), Vec<StaleHolding>>, Problem> {
    let last = |chain: &Chain| chain.days().iter().rev().find(|row| row.key.day.date <= to).cloned();
    let keys: Vec<WinnerKey> = chains.iter().filter_map(last).map(|row| row.key).collect();
    let mut stale = BTreeMap::new();
    for (key, body) in stale_day_bodies(&api.pool, &keys).await? {
        stale.insert((key.model, key.trial), StaleHolding::of(&completed_day(&body)?));
    }
    Ok(stale)
}

/// What each portfolio's agent used over the requested dates.
async fn usage(api: &Api, query: &LeaderboardQuery) -> Result<BTreeMap<(String, u32), UsageRow>, Problem> {
    let filter = UsageFilter {
        experiment: &query.experiment,
        models: query.models.as_deref(),
        from: query.from,
        to: query.to,
    };
    let rows = portfolio_usage(&api.pool, &filter).await?;
    Ok(rows.into_iter().map(|(model, trial, row)| ((model, trial), row)).collect())
}

/// The universe of the latest job among the days shown.
async fn latest_universe(
    api: &Api,
    chains: &Chains,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Option<Universe>, Problem> {
    let shown = chains.iter().flat_map(Chain::days).filter(|row| (first..=last).contains(&row.key.day.date));
    let Some(job) = shown.map(|row| row.job).max() else { return Ok(None) };
    let JobId(id) = job;
    Ok(Some(KnownJob::load(api, &id.to_string()).await?.requested.universe))
}

/// The starting value of all portfolios, so that the benchmarks' final values can be compared with theirs.
fn common_start(extents: &[Extent]) -> Decimal {
    match extents.split_first() {
        Some((first, rest)) if rest.iter().all(|row| row.starting_value == first.starting_value) => {
            first.starting_value
        }
        _ => STARTING_VALUE,
    }
}
