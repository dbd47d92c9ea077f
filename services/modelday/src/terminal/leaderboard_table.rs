//! The leaderboard as a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::grid::{Grid, number, words};

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
}

/// The leaderboard as a table in `width` columns, with a line for each model of several trials.
pub(crate) fn table(leaderboard: &Leaderboard, width: usize) -> String {
    let mut grid = Grid::new([
        words("Model"),
        number("Return"),
        number("Value"),
        number("Sharpe"),
        number("Drawdown"),
        number("Trades"),
        number("Days"),
    ]);
    for row in &leaderboard.rows {
        grid.row([
            name(leaderboard, row),
            percent(row.total_return, true),
            amount(row.final_value),
            amount(row.sharpe),
            percent(row.max_drawdown, false),
            count(row.trades),
            count(row.model_days),
        ]);
    }
    let mut text = grid.text(width);
    let of_several = leaderboard.models.iter().filter(|model| model.trials > 1);
    for (place, model) in of_several.enumerate() {
        let gap = if place == 0 { "\n" } else { "" };
        let _ = writeln!(text, "{gap}{}", trials(model));
    }
    text
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
fn trials(model: &ModelTrials) -> String {
    let ModelTrials { model: name, trials, .. } = model;
    let mean = percent(model.mean_return, true);
    let interval = match &model.interval {
        Some(interval) => format!(
            "{:.0} % confidence {} to {}",
            interval.level * 100.0,
            percent(Some(interval.low), true),
            percent(Some(interval.high), true)
        ),
        None => model.reasons.get("interval").cloned().unwrap_or_else(|| "no interval".to_owned()),
    };
    format!("{name}: mean of {trials} trials {mean}, {interval}")
}

fn percent(value: Option<f64>, sign: bool) -> String {
    match value {
        Some(value) if sign => format!("{:+.2} %", value * 100.0),
        Some(value) => format!("{:.2} %", value * 100.0),
        None => "-".to_owned(),
    }
}

fn amount(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.2}"))
}

fn count(value: Option<u64>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
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
