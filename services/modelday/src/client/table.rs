//! What the client prints at the end: summary, leaderboard, what to try next.

use std::fmt::Write as _;

use super::api::{JobStatus, Leaderboard, Row};

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
    let width = board.rows.iter().map(|row| row.model.len()).max().unwrap_or_default().max("Model".len());
    let mut text = format!(
        "\n  {:<width$}  {:>9}  {:>12}  {:>7}  {:>9}  {:>6}  {:>5}\n",
        "Model", "Return", "Value", "Sharpe", "Drawdown", "Trades", "Days"
    );
    let _ = writeln!(text, "  {}", "-".repeat(width + 60));
    for row in &board.rows {
        let _ = writeln!(text, "  {}", line(row, width));
    }
    text
}

fn line(row: &Row, width: usize) -> String {
    let percent = |value: Option<f64>, sign: bool| match value {
        Some(value) if sign => format!("{:+.2} %", value * 100.0),
        Some(value) => format!("{:.2} %", value * 100.0),
        None => "-".to_owned(),
    };
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    let count = |value: Option<u64>| value.map_or("-".to_owned(), |value| value.to_string());
    let note = if row.kind == "benchmark" { "  benchmark" } else { "" };
    format!(
        "{:<width$}  {:>9}  {:>12}  {:>7}  {:>9}  {:>6}  {:>5}{note}",
        row.model,
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
