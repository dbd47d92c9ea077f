//! What the client prints at the end: summary, leaderboard, what to try next.

use std::fmt::Write as _;

use super::api::{JobStatus, Leaderboard, Model, Row};

/// How the job ended, in a few lines.
pub(super) fn summary(status: &JobStatus) -> String {
    let progress = &status.progress;
    let mut text = format!(
        "\n{}: {} model-days executed, {} failed, {} skipped",
        status.status, progress.completed, progress.failed, progress.skipped
    );
    if let Some(seconds) = status.total_duration_seconds {
        let _ = write!(text, ", in {seconds:.1} s");
    }
    text.push('\n');
    if let Some(error) = &status.error {
        let _ = writeln!(text, "  error: {error}");
    }
    for warning in status.warnings.iter().flatten() {
        let _ = writeln!(text, "  warning: {warning}");
    }
    text
}

/// The leaderboard as a table.
pub(crate) fn leaderboard(board: &Leaderboard) -> String {
    let several = |row: &Row| board.models.iter().any(|model| model.model == row.model && model.trials > 1);
    let name = |row: &Row| match row.trial {
        Some(trial) if several(row) => format!("{} #{trial}", row.model),
        Some(_) | None => row.model.clone(),
    };
    let width = board.rows.iter().map(|row| name(row).len()).max().unwrap_or_default().max("Model".len());
    let mut text = format!(
        "\n  {:<width$}  {:>9}  {:>12}  {:>7}  {:>9}  {:>6}  {:>5}\n",
        "Model", "Return", "Value", "Sharpe", "Drawdown", "Trades", "Days"
    );
    let _ = writeln!(text, "  {}", "-".repeat(width + 60));
    for row in &board.rows {
        let _ = writeln!(text, "  {}", line(row, &name(row), width));
    }
    let of_several = board.models.iter().filter(|model| model.trials > 1);
    for (place, model) in of_several.enumerate() {
        let gap = if place == 0 { "\n" } else { "" };
        let _ = writeln!(text, "{gap}  {}", trials(model));
    }
    text
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

fn line(row: &Row, name: &str, width: usize) -> String {
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    let count = |value: Option<u64>| value.map_or("-".to_owned(), |value| value.to_string());
    let note = if row.kind == "benchmark" { "  benchmark" } else { "" };
    format!(
        "{:<width$}  {:>9}  {:>12}  {:>7}  {:>9}  {:>6}  {:>5}{note}",
        name,
        percent(row.total_return, true),
        number(row.final_value),
        number(row.sharpe),
        percent(row.max_drawdown, false),
        count(row.trades),
        count(row.model_days),
    )
}

/// Three things to try, with the address they go to.
pub(super) fn next_steps(base_url: &str, job: &str) -> String {
    let base_url = base_url.trim_end_matches('/');
    format!(
        "\nModelday answers at {base_url} until `make down`. Try:\n\
         \x20 curl {base_url}/simulate/status/{job}\n\
         \x20 curl '{base_url}/results?start_date=2025-10-01&end_date=2025-10-29&model=gpt-5'\n\
         \x20 curl -d '{{\"start_date\":\"2025-10-01\",\"end_date\":\"2025-10-29\",\"models\":[\"hold-qqq\",\"momentum-20\"]}}' \
         -H 'content-type: application/json' {base_url}/simulate/trigger\n"
    )
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
        leaderboard(&serde_json::from_value(board).unwrap())
    }

    #[test]
    fn several_trials_have_a_line_with_their_interval() {
        let text =
            board(serde_json::json!([{ "model": "random", "trials": 2, "mean_return": 0.1, "std_dev": 0.01,
            "interval": { "low": 0.0102, "high": 0.1898, "level": 0.95 }, "reasons": {} }]));

        assert!(text.contains("  random #0 "), "{text}");
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
