//! The portfolios of a leaderboard over its dates, with the benchmarks beside them.

use chrono::NaiveDate;
use domain::market::instruments::Universe;
use domain::performance::leaderboard::{Extent, PortfolioDays, extent};
use domain::values::ids::JobId;
use runtime::http::Problem;
use rust_decimal::Decimal;
use storage::status::{Span, training_cutoffs};

use super::benchmarks::Benchmarks;
use super::query::LeaderboardQuery;
use crate::api::chains::{Chain, Chains};
use crate::api::known_job::KnownJob;
use crate::api::state::Api;

/// Starting value of a benchmark when those of the portfolios differ.
const STARTING_VALUE: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);

/// The portfolios and benchmarks of a leaderboard.
pub(super) struct Contest {
    pub(super) chains: Chains,
    pub(super) portfolios: Vec<PortfolioDays>,
    pub(super) benchmarks: Benchmarks,
    /// The requested range.
    pub(super) range: (NaiveDate, NaiveDate),
    /// First and last day of a portfolio within the range; `None` without any.
    pub(super) shown: Option<(NaiveDate, NaiveDate)>,
}

impl Contest {
    pub(super) async fn load(api: &Api, query: &LeaderboardQuery) -> Result<Self, Problem> {
        let (from, to) = (query.from.unwrap_or(NaiveDate::MIN), query.to.unwrap_or(NaiveDate::MAX));
        let dates = Span { from: query.from, to: query.to };
        let chains = Chains::load(&api.pool, &query.experiment, query.models.as_deref(), None, dates).await?;
        let cutoffs = training_cutoffs(&api.pool, &chains.models()).await?;
        let portfolios: Vec<PortfolioDays> = chains.iter().map(|chain| chain.portfolio(&cutoffs)).collect();
        let extents: Vec<Extent> =
            portfolios.iter().filter_map(|portfolio| extent(portfolio, from, to)).collect();
        let first = extents.iter().map(|extent| extent.first).min();
        let last = extents.iter().map(|extent| extent.last).max();
        let shown = first.zip(last);
        let mut benchmarks = Benchmarks::default();
        if let Some((first, last)) = shown {
            let universe = match &query.job {
                Some(job) => Some(job.universe.clone()),
                None => latest_universe(api, &chains, first, last).await?,
            };
            if let Some(universe) = universe {
                let amount = common_start(&extents);
                benchmarks = Benchmarks::load(api, &universe, amount, (first, last), query.dividends).await?;
            }
        }
        Ok(Self { chains, portfolios, benchmarks, range: (from, to), shown })
    }
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
