//! The benchmarks of a leaderboard: holders, which go through corporate actions as portfolios do.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::market::corporate_action::ActionKind;
use domain::market::instruments::{Symbol, Universe};
use domain::market::known_actions::KnownActions;
use domain::performance::benchmark::{BenchmarkMarket, Closes, Curve, Dividends};
use domain::performance::leaderboard::{LeaderboardRow, Reference, benchmark_row};
use runtime::http::Problem;
use rust_decimal::Decimal;
use storage::market;

use crate::api::state::Api;

/// The version of prices that no import has reached: everything that is known now.
const LATEST: i64 = i64::MAX;

/// The benchmarks whose prices are known.
#[derive(Default)]
pub(super) struct Benchmarks {
    /// The universe's index fund.
    fund: Option<Benchmark>,
    /// The universe in equal parts.
    equal: Option<Benchmark>,
}

struct Benchmark {
    name: String,
    curve: Curve,
    /// The curve without dividends, where there were any.
    price_only: Option<Curve>,
}

impl Benchmarks {
    /// The benchmarks of a universe over a range of dates, each with `amount` at its beginning.
    pub(super) async fn load(
        api: &Api,
        universe: &Universe,
        amount: Decimal,
        (first, last): (NaiveDate, NaiveDate),
        dividends: Dividends,
    ) -> Result<Self, Problem> {
        let sessions = api.settings.calendar.sessions(first, last);
        let mut symbols: Vec<Symbol> = universe.symbols.iter().chain(&universe.benchmark).cloned().collect();
        let renames = market::renames(&api.pool, &symbols, last).await?;
        let opening = sessions.first().copied().unwrap_or(first);
        let at_first = |symbol: &Symbol| renames.earlier(symbol, last, opening);
        symbols.extend(symbols.iter().map(at_first).collect::<Vec<_>>());
        symbols.extend(market::received_symbols(&api.pool, &symbols, first, last).await?);
        let mut closes: BTreeMap<Symbol, Closes> = BTreeMap::new();
        for (symbol, date, close) in market::closes(&api.pool, &symbols, first, last).await? {
            closes.entry(symbol).or_default().insert(date, close);
        }
        let actions = market::known_actions(&api.pool, &symbols, last, LATEST).await?;
        let market = BenchmarkMarket { closes: &closes, actions: &actions, sessions: &sessions, dividends };
        // A company is bought under the symbol of the first session, unless its prices are listed under the newest one.
        let bought = |symbol: &Symbol| {
            let then = at_first(symbol);
            let has_price = closes.get(&then).is_some_and(|closes| closes.contains_key(&opening));
            if has_price { then } else { symbol.clone() }
        };
        let fund = universe.benchmark.as_ref();
        let fund = fund.and_then(|symbol| {
            Benchmark::of(&market, symbol.as_str(), |market| market.buy_and_hold(amount, &bought(symbol)))
        });
        // In the order of their names, whatever that of the universe is.
        let members: BTreeSet<Symbol> = universe.symbols.iter().map(bought).collect();
        let equal = Benchmark::of(&market, "equal weight", |market| market.equal_weight(amount, &members));
        Ok(Self { fund, equal })
    }

    /// The curve of the index fund.
    pub(super) fn fund_curve(&self) -> Option<&Curve> {
        self.fund.as_ref().map(|fund| &fund.curve)
    }

    /// The symbol of the index fund.
    pub(super) fn fund_name(&self) -> Option<String> {
        self.fund.as_ref().map(|fund| fund.name.clone())
    }

    /// The name and the curve of each benchmark.
    pub(super) fn curves(&self) -> impl Iterator<Item = (&str, &Curve)> {
        self.fund.iter().chain(&self.equal).map(|it| (it.name.as_str(), &it.curve))
    }

    /// The rows of the benchmarks.
    pub(super) fn rows(&self, by: &Reference<'_>) -> impl Iterator<Item = LeaderboardRow> {
        let row = |it: &Benchmark| benchmark_row(&it.name, &it.curve, it.price_only.as_ref(), by);
        self.fund.iter().chain(&self.equal).filter_map(row)
    }
}

impl Benchmark {
    fn of(
        market: &BenchmarkMarket<'_>,
        name: &str,
        curve: impl Fn(&BenchmarkMarket<'_>) -> Option<Curve>,
    ) -> Option<Self> {
        let without = BenchmarkMarket { dividends: Dividends::Ignored, ..*market };
        let price_only = if has_dividends(market.actions) { curve(&without) } else { None };
        Some(Self { name: name.to_owned(), curve: curve(market)?, price_only })
    }
}

fn has_dividends(actions: &KnownActions) -> bool {
    actions.all().iter().any(|(_, known)| known.action.kind() == ActionKind::Dividend)
}
