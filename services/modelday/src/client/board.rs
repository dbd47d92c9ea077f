//! The leaderboard as the client reads and shows it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use super::grid::{Grid, number, words};

/// The leaderboard.
#[derive(Deserialize)]
pub(crate) struct Leaderboard {
    pub(crate) rows: Vec<Row>,
    #[serde(default)]
    pub(crate) models: Vec<Model>,
}

/// A model over its trials; fractions.
#[derive(Deserialize)]
pub(crate) struct Model {
    pub(crate) model: String,
    pub(crate) trials: u64,
    pub(crate) mean_return: Option<f64>,
    pub(crate) interval: Option<Interval>,
    #[serde(default)]
    pub(crate) reasons: BTreeMap<String, String>,
}

/// Where a mean lies, with the confidence `level`.
#[derive(Deserialize)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) level: f64,
}

/// One row of it.
#[derive(Deserialize)]
pub(crate) struct Row {
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
}

/// The leaderboard as a table in `width` columns.
pub(crate) fn table(board: &Leaderboard, width: usize) -> String {
    let mut grid = Grid::new([
        words("Model"),
        number("Return"),
        number("Value"),
        number("Sharpe"),
        number("Drawdown"),
        number("Trades"),
        number("Days"),
    ]);
    for row in &board.rows {
        grid.row([
            name(board, row),
            percent(row.total_return, true),
            amount(row.final_value),
            amount(row.sharpe),
            percent(row.max_drawdown, false),
            count(row.trades),
            count(row.model_days),
        ]);
    }
    let mut text = grid.text(width);
    let of_several = board.models.iter().filter(|model| model.trials > 1);
    for (place, model) in of_several.enumerate() {
        let gap = if place == 0 { "\n" } else { "" };
        let _ = writeln!(text, "{gap}{}", trials(model));
    }
    text
}

/// The model of a row, with its trial when there are several; or the benchmark.
fn name(board: &Leaderboard, row: &Row) -> String {
    if row.kind == "benchmark" {
        return format!("{} (benchmark)", row.model);
    }
    let several = board.models.iter().any(|model| model.model == row.model && model.trials > 1);
    match row.trial {
        Some(trial) if several => format!("{} #{trial}", row.model),
        Some(_) | None => row.model.clone(),
    }
}

/// A model over its trials, with where the mean lies.
fn trials(model: &Model) -> String {
    let Model { model: name, trials, .. } = model;
    let mean = percent(model.mean_return, true);
    let place = match &model.interval {
        Some(interval) => format!(
            "{:.0} % confidence {} to {}",
            interval.level * 100.0,
            percent(Some(interval.low), true),
            percent(Some(interval.high), true)
        ),
        None => model.reasons.get("interval").cloned().unwrap_or_else(|| "no interval".to_owned()),
    };
    format!("{name}: mean of {trials} trials {mean}, {place}")
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
    fn without_an_interval_the_reason_is_told_and_one_trial_needs_no_line() {
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
