//! `GET /leaderboard`: portfolios compared with each other and with benchmarks.

mod benchmarks;
mod contest;
mod curves;
mod openapi;
mod query;
mod row;
mod trials;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use domain::performance::leaderboard::{Contestant, LeaderboardRow, Reference, portfolio_row, rank};
use domain::performance::significance::{Trials, comparisons};
use runtime::http::{Params, Problem};
use serde::Serialize;
use storage::status::{
    UsageFilter, UsageRow, WinnerKey, portfolio_usage, stale_day_bodies, total_return_holdings,
};
use utoipa::ToSchema;

use super::chains::{Chain, Chains};
use super::completed_day::completed_day;
use super::portfolio_errors::PortfolioErrors;
use super::state::Api;
use contest::Contest;
pub(super) use curves::{__path_curves, curves, thinned};
use openapi::PortfolioParams;
use query::LeaderboardQuery;
use row::{Caveats, RowDetail, StaleHolding};
use trials::{ComparisonDetail, ModelDetail};

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

/// Portfolios compared with each other and with benchmarks; best first.
///
/// Figures are fractions unless their name says percent. An undefined figure is null, and `reasons` says why.
#[utoipa::path(get, path = "/leaderboard", tag = "results", security(("token" = ["read"])),
    extensions(("x-heavy" = json!(true))),
    params(
        PortfolioParams,
        ("reinvest" = Option<bool>, Query, description = "Whether benchmarks buy shares of their dividends; otherwise they keep them as cash, as portfolios do."),
        ("price_only" = Option<bool>, Query, description = "Whether benchmarks, and alpha, beta and the information ratio with them, leave dividends out. Without it a benchmark that was paid any has these figures as `price_only`."),
        ("risk_free" = Option<f64>, Query, minimum = -0.01, maximum = 0.01, description = "What cash earns each session, as a fraction, e.g. `0.0001`; 0 when absent."),
    ),
    responses(
        (status = 200, description = "The leaderboard; empty when nothing was run.", body = Leaderboard),
        PortfolioErrors,
    ))]
pub(super) async fn leaderboard(
    State(api): State<Api>,
    params: Params,
) -> Result<Json<Leaderboard>, Problem> {
    let query = LeaderboardQuery::read(&api, params).await?;
    Ok(Json(standings(&api, query).await?))
}

async fn standings(api: &Api, query: LeaderboardQuery) -> Result<Leaderboard, Problem> {
    let Contest { chains, portfolios, benchmarks, range: (from, to), shown } =
        Contest::load(api, &query).await?;
    let by = Reference { benchmark: benchmarks.fund_curve(), daily_risk_free: query.daily_risk_free };
    let of_models = portfolios.iter().filter_map(|portfolio| portfolio_row(portfolio, from, to, &by));
    let mut rows: Vec<LeaderboardRow> = of_models.chain(benchmarks.rows(&by)).collect();
    rank(&mut rows);
    let models = Trials::of(&rows);
    let mut usage = usage(api, &query).await?;
    let mut stale = stale_holdings(api, &chains, to).await?;
    let days = chains.iter().flat_map(Chain::days).filter(|row| (from..=to).contains(&row.key.day.date));
    let mut total_return = total_return_holdings(&api.pool, days.map(|row| &row.key)).await?;
    let rows: Vec<RowDetail> = rows
        .iter()
        .zip(1..)
        .map(|(row, rank)| match &row.contestant {
            Contestant::Model { model, trial } => {
                let key = (model.clone(), *trial);
                let caveats = Caveats {
                    stale_from: chains.of(model, *trial).and_then(Chain::stale_from),
                    stale: stale.remove(&key).unwrap_or_default(),
                    total_return_symbols: total_return.remove(&key).unwrap_or_default(),
                };
                RowDetail::of(row, rank, usage.remove(&key), caveats)
            }
            Contestant::Benchmark(_) => RowDetail::of(row, rank, None, Caveats::default()),
        })
        .collect();
    let (first, last) = shown.unzip();
    Ok(Leaderboard {
        experiment: query.experiment,
        start_date: first.map(|date| date.to_string()),
        end_date: last.map(|date| date.to_string()),
        benchmark: benchmarks.fund_name(),
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
