//! The leaderboard as a table.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::grid::{exact, number, words};
use super::table::{Cell, Table, TableOptions, cell, maybe, shown_as};

/// The leaderboard as the API describes it.
#[derive(Deserialize)]
pub(crate) struct Leaderboard {
    pub(crate) rows: Vec<LeaderboardRow>,
    #[serde(default)]
    pub(crate) models: Vec<ModelTrials>,
}

/// A model over its trials. Returns are fractions.
#[derive(Deserialize)]
pub(crate) struct ModelTrials {
    pub(crate) model: String,
    pub(crate) trials: u64,
    pub(crate) mean_return: Option<f64>,
    pub(crate) interval: Option<ConfidenceInterval>,
    #[serde(default)]
    pub(crate) reasons: BTreeMap<String, String>,
}

/// The interval in which the mean lies with confidence `level`.
#[derive(Deserialize)]
pub(crate) struct ConfidenceInterval {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) level: f64,
}

/// A portfolio or a benchmark. Returns and drawdowns are fractions.
#[derive(Deserialize)]
pub(crate) struct LeaderboardRow {
    pub(crate) kind: String,
    pub(crate) model: String,
    pub(crate) trial: Option<u64>,
    #[serde(rename = "return")]
    pub(crate) total_return: Option<f64>,
    pub(crate) final_value: Option<f64>,
    pub(crate) sharpe: Option<f64>,
    pub(crate) max_drawdown: Option<f64>,
    pub(crate) trades: Option<u64>,
    pub(crate) model_days: Option<u64>,
    /// Whether an agent called a tool at all; `None` for other models, and when it is unknown.
    #[serde(default)]
    pub(crate) acted: Option<bool>,
    #[serde(default)]
    pub(crate) volatility: Option<f64>,
    #[serde(default)]
    pub(crate) sortino: Option<f64>,
    #[serde(default)]
    pub(crate) calmar: Option<f64>,
    #[serde(default)]
    pub(crate) win_rate: Option<f64>,
    #[serde(default)]
    pub(crate) turnover: Option<f64>,
    #[serde(default)]
    pub(crate) alpha: Option<f64>,
    #[serde(default)]
    pub(crate) beta: Option<f64>,
    #[serde(default)]
    pub(crate) usage: Option<Usage>,
}

/// What an agent used.
#[derive(Deserialize)]
pub(crate) struct Usage {
    /// Dollars; unknown when a call has no price.
    cost: Option<f64>,
}

/// The leaderboard as a table in `width` columns, with a line for each model of several trials.
pub(crate) fn table(leaderboard: &Leaderboard, width: usize) -> String {
    let table = rows(leaderboard).text(&TableOptions::default(), width).unwrap_or_default();
    table + &trials(leaderboard)
}

/// A row for each portfolio and benchmark.
pub(crate) fn rows(leaderboard: &Leaderboard) -> Table {
    let columns = [
        words("Model"),
        number("Return"),
        number("Value"),
        number("Sharpe"),
        number("Drawdown"),
        number("Trades"),
        number("Days"),
    ];
    let more = [
        number("Trial"),
        exact("Kind"),
        number("Volatility"),
        number("Sortino"),
        number("Calmar"),
        number("Win rate"),
        number("Turnover"),
        number("Alpha"),
        number("Beta"),
        number("Cost"),
    ];
    let mut table = Table::new(columns).with_more(more);
    for row in &leaderboard.rows {
        let usage = row.usage.as_ref();
        table.row([
            shown_as(Some(row.model.clone()), |_| name(leaderboard, row)),
            percent(row.total_return, true),
            ratio(row.final_value),
            ratio(row.sharpe),
            percent(row.max_drawdown, false),
            maybe(row.trades),
            maybe(row.model_days),
            maybe(row.trial),
            cell(row.kind.clone()),
            percent(row.volatility, false),
            ratio(row.sortino),
            ratio(row.calmar),
            percent(row.win_rate, false),
            ratio(row.turnover),
            percent(row.alpha, true),
            ratio(row.beta),
            shown_as(usage.and_then(|usage| usage.cost), |cost| format!("{cost:.4}")),
        ]);
    }
    table
}

/// A line for each model of several trials, after an empty one.
pub(crate) fn trials(leaderboard: &Leaderboard) -> String {
    let lines = leaderboard.models.iter().filter(|model| model.trials > 1).map(of_trials);
    lines.enumerate().map(|(place, line)| format!("{}{line}\n", if place == 0 { "\n" } else { "" })).collect()
}

/// The name of a row: a benchmark, or a model with its trial when it has several.
fn name(leaderboard: &Leaderboard, row: &LeaderboardRow) -> String {
    if row.kind == "benchmark" {
        return format!("{} (benchmark)", row.model);
    }
    let several = leaderboard.models.iter().any(|model| model.model == row.model && model.trials > 1);
    let name = match row.trial {
        Some(trial) if several => format!("{} #{trial}", row.model),
        Some(_) | None => row.model.clone(),
    };
    // Its return is that of its cash, which is no result of the model.
    if row.acted == Some(false) { format!("{name} (never acted)") } else { name }
}

/// The mean return of a model's trials with its confidence interval.
fn of_trials(model: &ModelTrials) -> String {
    let ModelTrials { model: name, trials, .. } = model;
    let mean = signed(model.mean_return);
    let interval = match &model.interval {
        Some(interval) => format!(
            "{:.0} % confidence {} to {}",
            interval.level * 100.0,
            signed(Some(interval.low)),
            signed(Some(interval.high))
        ),
        None => model.reasons.get("interval").cloned().unwrap_or_else(|| "no interval".to_owned()),
    };
    format!("{name}: mean of {trials} trials {mean}, {interval}")
}

/// A fraction that is shown in percent.
fn percent(value: Option<f64>, sign: bool) -> Cell {
    shown_as(value, |value| if sign { signed(Some(*value)) } else { format!("{:.2} %", value * 100.0) })
}

fn signed(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{:+.2} %", value * 100.0))
}

fn ratio(value: Option<f64>) -> Cell {
    shown_as(value, |value| format!("{value:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(models: serde_json::Value) -> String {
        let row = |trial: u64| {
            serde_json::json!({ "kind": "model", "model": "random", "trial": trial, "return": 0.1,
                "final_value": 11000, "sharpe": null, "max_drawdown": -0.02, "trades": 4, "model_days": 3 })
        };
        let board = serde_json::json!({ "rows": [row(0), row(1)], "models": models });
        table(&serde_json::from_value(board).unwrap(), 80)
    }

    #[test]
    fn several_trials_have_a_line_with_their_interval() {
        let text =
            board(serde_json::json!([{ "model": "random", "trials": 2, "mean_return": 0.1, "std_dev": 0.01,
            "interval": { "low": 0.0102, "high": 0.1898, "level": 0.95 }, "reasons": {} }]));

        assert!(text.contains("\nrandom #0 "), "{text}");
        assert!(
            text.contains("random: mean of 2 trials +10.00 %, 95 % confidence +1.02 % to +18.98 %"),
            "{text}"
        );
    }

    #[test]
    fn only_an_agent_that_never_called_a_tool_is_marked() {
        let row = |model: &str, acted: serde_json::Value| {
            serde_json::json!({ "kind": "model", "model": model, "trial": 0, "return": 0.0, "final_value": 10000,
                "sharpe": null, "max_drawdown": 0.0, "trades": 0, "model_days": 3, "acted": acted })
        };
        let rows =
            [row("mute", false.into()), row("patient", true.into()), row("cash", serde_json::Value::Null)];

        let text = table(&serde_json::from_value(serde_json::json!({ "rows": rows })).unwrap(), 80);

        assert!(text.contains("\nmute (never acted) "), "{text}");
        assert_eq!(text.matches("never acted").count(), 1, "{text}");
    }

    #[test]
    fn a_missing_interval_has_its_reason_and_a_single_trial_has_no_line() {
        let same = serde_json::json!({ "interval": "all trials have the same return" });
        let text =
            board(serde_json::json!([{ "model": "random", "trials": 2, "mean_return": 0.1, "interval": null,
            "reasons": same }]));
        let single = board(
            serde_json::json!([{ "model": "random", "trials": 1, "mean_return": 0.1, "interval": null }]),
        );

        assert!(text.contains("mean of 2 trials +10.00 %, all trials have the same return"), "{text}");
        assert!(!single.contains("mean of") && !single.contains('#'), "{single}");
    }
}
