//! How the figures of a report come about.

use super::format::{count, dollars, percent, ratio, signed_percent};

/// A figure of the summary: its name in the API, its heading, and its definition.
pub(super) struct Definition {
    pub(super) name: &'static str,
    pub(super) heading: &'static str,
    pub(super) unit: Unit,
    pub(super) text: &'static str,
}

/// How a figure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    SignedPercent,
    Percent,
    Dollars,
    Ratio,
    Count,
}

const fn figure(name: &'static str, heading: &'static str, unit: Unit, text: &'static str) -> Definition {
    Definition { name, heading, unit, text }
}

/// The figures in the order of their columns.
pub(super) const FIGURES: [Definition; 13] = [
    figure(
        "return",
        "Return",
        Unit::SignedPercent,
        "Value at the last close over the capital at the beginning, less one.",
    ),
    figure("final_value", "Value", Unit::Dollars, "Dollars at the last close."),
    figure(
        "sharpe",
        "Sharpe",
        Unit::Ratio,
        "Mean of daily returns above what cash earns, over their sample standard deviation, times the square root of 252.",
    ),
    figure("sortino", "Sortino", Unit::Ratio, "As Sharpe, over the deviation of losses only."),
    figure(
        "max_drawdown",
        "Drawdown",
        Unit::Percent,
        "The deepest fall of the value at the close below its highest so far, the capital at the beginning included.",
    ),
    figure(
        "volatility",
        "Volatility",
        Unit::Percent,
        "Sample standard deviation of daily returns, times the square root of 252.",
    ),
    figure(
        "calmar",
        "Calmar",
        Unit::Ratio,
        "Return of a year of 252 sessions over the deepest drawdown; mostly noise over a few weeks.",
    ),
    figure("win_rate", "Win rate", Unit::Percent, "Share of all days with a gain."),
    figure(
        "alpha",
        "Alpha",
        Unit::SignedPercent,
        "Return of a year that beta does not explain; mostly noise over a few weeks.",
    ),
    figure(
        "beta",
        "Beta",
        Unit::Ratio,
        "How far daily returns move with the benchmark's: covariance over the benchmark's variance.",
    ),
    figure(
        "turnover",
        "Turnover",
        Unit::Ratio,
        "Dollars bought and sold over the mean value; to buy or sell everything once is 1.",
    ),
    figure("trades", "Trades", Unit::Count, "Filled orders."),
    figure("model_days", "Days", Unit::Count, "Completed model-days."),
];

/// How the days were run, a paragraph each.
pub(super) const METHOD: [&str; 4] = [
    "Each model trades once a session. It sees the whole sessions before and the open of its own, and nothing later. Its \
     orders are filled at that open, with the fees and the slippage that it is configured with. Cash and shares are exact \
     decimals and never below zero.",
    "Daily returns are from close to close; that of a first day is from the capital that the portfolio began with. All \
     statistics are of these returns. Splits, dividends and other corporate actions go through portfolios and \
     benchmarks alike.",
    "Rolling figures, drawdowns and months are computed from the same days. A model that ran several trials has a \
     portfolio for each.",
    "A bundle is a whole job in one file. `modelday export --bundle JOB` saves it, and `modelday verify FILE` runs its days \
     again without servers and compares each. The hash is the SHA-256 of that file.",
];

impl Definition {
    /// The figure as it is written.
    pub(super) fn written(&self, value: f64) -> String {
        match self.unit {
            Unit::SignedPercent => signed_percent(value),
            Unit::Percent => percent(value),
            Unit::Dollars => dollars(value),
            Unit::Ratio => ratio(value),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            Unit::Count => count(value.max(0.0) as u64),
        }
    }
}
