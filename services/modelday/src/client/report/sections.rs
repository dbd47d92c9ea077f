//! What a report says, whatever its format: charts, months, trades and costs.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::Value;

use super::chart::{Chart, Line, style_of, style_of_benchmark};
use super::fetch::{Benchmark, Report, Row, Trade};
use super::figures::Series;
use super::heat_map::Monthly;

/// Sessions of a rolling window by the sessions of the range from which on it is taken: a quarter, a month, two weeks.
const WINDOWS: [(usize, usize); 3] = [(189, 63), (42, 21), (15, 10)];

/// What a portfolio traded and what that cost.
pub(super) struct Activity {
    pub(super) name: String,
    pub(super) buys: usize,
    pub(super) sells: usize,
    pub(super) dollars: f64,
    pub(super) fees: f64,
    /// The symbols of which most dollars were traded.
    pub(super) symbols: Vec<String>,
    pub(super) agent: Option<AgentCost>,
}

/// What an agent used.
pub(super) struct AgentCost {
    pub(super) calls: u64,
    pub(super) tokens: u64,
    /// Dollars; unknown when a call has no price.
    pub(super) dollars: Option<f64>,
}

impl Report {
    /// What the report is about.
    pub(super) fn title(&self) -> String {
        let names: Vec<String> =
            self.rows.iter().filter(|row| row.is_portfolio()).map(|row| self.name(row)).collect();
        match names.as_slice() {
            [name] => name.clone(),
            [a, b] => format!("{a} and {b}"),
            _ => format!("{} portfolios", names.len()),
        }
    }

    /// Every date of any portfolio.
    pub(super) fn dates(&self) -> Vec<NaiveDate> {
        let mut dates: Vec<NaiveDate> =
            self.series.values().flat_map(|series| series.dates.iter().copied()).collect();
        dates.sort_unstable();
        dates.dedup();
        dates
    }

    /// Gain and drawdown over time.
    pub(super) fn value_charts<'a>(&self, dates: &'a [NaiveDate]) -> [Chart<'a>; 2] {
        let mut growth = self.benchmark_lines(dates);
        // The last drawn is on top.
        growth.extend(self.lines(dates, |series| series.growth().into_iter().map(Some).collect()));
        let drawdown = self.lines(dates, |series| series.drawdown().into_iter().map(Some).collect());
        [
            Chart { title: "Gain since the beginning", dates, lines: growth, label: signed_percent_short },
            Chart { title: "Drawdown", dates, lines: drawdown, label: percent_short },
        ]
    }

    /// Sessions of the rolling window; `None` when the range is too short for one.
    pub(super) fn window(&self) -> Option<usize> {
        let days = self.dates().len();
        WINDOWS.into_iter().find(|(least, _)| days >= *least).map(|(_, window)| window)
    }

    /// Rolling Sharpe ratio and volatility over `window` sessions.
    pub(super) fn rolling_charts<'a>(&self, dates: &'a [NaiveDate], window: usize) -> [Chart<'a>; 2] {
        let rolling = |pick: fn(f64, Option<f64>) -> Option<f64>| {
            self.lines(dates, |series| {
                let mut values = vec![None; series.dates.len()];
                for (place, volatility, sharpe) in series.rolling(window, self.risk_free) {
                    values[place] = pick(volatility, sharpe);
                }
                values
            })
        };
        let (sharpe, volatility) = (rolling(|_, sharpe| sharpe), rolling(|volatility, _| Some(volatility)));
        [
            Chart { title: "Rolling Sharpe ratio", dates, lines: sharpe, label: ratio_short },
            Chart { title: "Rolling volatility", dates, lines: volatility, label: percent_short },
        ]
    }

    /// Returns by month.
    pub(super) fn months(&self) -> Vec<Monthly> {
        let rows = self.series.iter().filter_map(|(place, series)| Some((self.rows.get(*place)?, series)));
        rows.map(|(row, series)| (self.name(row), series.monthly())).collect()
    }

    /// The trades of a portfolio, in order.
    pub(super) fn trades_of<'a>(&'a self, row: &Row) -> impl Iterator<Item = &'a Trade> + use<'a> {
        let (model, trial) = (row.model(), row.trial().unwrap_or_default());
        self.trades.iter().filter(move |trade| trade.model == model && trade.trial == trial)
    }

    /// What each portfolio traded and what that cost.
    pub(super) fn activities(&self) -> Vec<Activity> {
        self.rows.iter().filter(|row| row.is_portfolio()).map(|row| self.activity(row)).collect()
    }

    fn activity(&self, row: &Row) -> Activity {
        let (mut buys, mut sells, mut dollars, mut fees) = (0, 0, 0.0, 0.0);
        let mut by_symbol = BTreeMap::<&str, f64>::new();
        for trade in self.trades_of(row) {
            if trade.action_type == "buy" {
                buys += 1;
            } else {
                sells += 1;
            }
            let amount = trade.dollars();
            dollars += amount;
            fees += trade.fee;
            *by_symbol.entry(&trade.symbol).or_default() += amount;
        }
        let mut symbols: Vec<(&str, f64)> = by_symbol.into_iter().collect();
        symbols.sort_by(|a, b| b.1.total_cmp(&a.1));
        let usage = row.read::<Value>("usage").filter(Value::is_object);
        let agent = usage.map(|usage| AgentCost {
            calls: usage["calls"].as_u64().unwrap_or_default(),
            tokens: ["prompt_tokens", "completion_tokens"]
                .iter()
                .filter_map(|tokens| usage[*tokens].as_u64())
                .sum(),
            dollars: usage["cost"].as_f64(),
        });
        let symbols = symbols.into_iter().take(5).map(|(symbol, _)| symbol.to_owned()).collect();
        Activity { name: self.name(row), buys, sells, dollars, fees, symbols, agent }
    }

    fn benchmark_lines(&self, dates: &[NaiveDate]) -> Vec<Line> {
        let line = |(place, benchmark): (usize, &Benchmark)| Line {
            name: benchmark.name.clone(),
            style: style_of_benchmark(place),
            values: dates.iter().map(|date| benchmark.values.get(date).copied()).collect(),
        };
        self.benchmarks.iter().enumerate().map(line).collect()
    }

    /// Lines over all dates, of which a portfolio may lack some.
    fn lines(&self, dates: &[NaiveDate], values: impl Fn(&Series) -> Vec<Option<f64>>) -> Vec<Line> {
        let line = |(place, series): (&usize, &Series)| {
            let mut aligned = vec![None; dates.len()];
            for (date, value) in series.dates.iter().zip(values(series)) {
                if let Ok(at) = dates.binary_search(date) {
                    aligned[at] = value;
                }
            }
            Some(Line {
                name: self.name(self.rows.get(*place)?),
                style: style_of(self.place(*place)),
                values: aligned,
            })
        };
        self.series.iter().filter_map(line).collect()
    }

    /// The place of a row among the portfolios, by which it has its colour.
    pub(super) fn place(&self, row: usize) -> usize {
        self.rows.iter().take(row).filter(|row| row.is_portfolio()).count()
    }
}

impl Trade {
    /// Dollars that changed hands, without the fee.
    pub(super) fn dollars(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let quantity = self.quantity as f64;
        quantity * self.price
    }
}

fn signed_percent_short(fraction: f64) -> String {
    let text = percent_short(fraction);
    if fraction > 1e-9 { format!("+{text}") } else { text }
}

/// A ratio with as many places as a label needs.
fn ratio_short(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{}", rounded + 0.0).replace('-', "\u{2212}")
}

/// In percent with as many places as a label needs.
fn percent_short(fraction: f64) -> String {
    let percent = (fraction * 1e4).round() / 100.0;
    // Zero may come with a sign.
    format!("{} %", percent + 0.0).replace('-', "\u{2212}")
}
