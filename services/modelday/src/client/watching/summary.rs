//! The end of a job in a few lines.

use std::fmt::Write as _;

use domain::job::warning::code;
use serde::Deserialize;

use crate::client::http::{Api, ApiError, JobStatus};

/// Failed days that are listed. The others are counted.
const MAX_LISTED: usize = 5;

#[derive(Deserialize)]
struct ModelDayPage {
    model_days: Vec<FailedDay>,
}

#[derive(Deserialize)]
struct FailedDay {
    date: String,
    model: String,
    error: Option<String>,
}

/// The counts, errors and warnings in `status`, with the first failed days.
pub(crate) async fn summary(api: &Api, job: &str, status: &JobStatus) -> Result<String, ApiError> {
    let failed = if status.progress.failed > 0 {
        let query = [("status", "failed".to_owned()), ("limit", MAX_LISTED.to_string())];
        let page: ModelDayPage = api.get(&["jobs", job, "model-days"], &query).await?.deserialize()?;
        page.model_days
    } else {
        Vec::new()
    };
    Ok(text(status, &failed))
}

fn text(status: &JobStatus, failed: &[FailedDay]) -> String {
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
    for FailedDay { date, model, error } in failed {
        let _ =
            writeln!(text, "  failed: {model} on {date}: {}", error.as_deref().unwrap_or("no reason known"));
    }
    if let Some(more) = progress.failed.checked_sub(failed.len() as u64).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more failed");
    }
    if let Some(FailedDay { date, model, .. }) = failed.first() {
        let _ = writeln!(text, "  each call of an agent's day: modelday try {model} --date {date}");
    }
    let mut codes = status.warning_codes.iter().flatten();
    for warning in status.warnings.iter().flatten() {
        let label = if codes.next().is_some_and(|code| is_information(code)) { "note" } else { "warning" };
        let _ = writeln!(text, "  {label}: {warning}");
    }
    if let Some(url) = &status.trace_url {
        let _ = writeln!(text, "  trace: {url}");
    }
    text
}

/// Whether a warning of this code says how things are, and nothing has to be looked after.
fn is_information(code: &str) -> bool {
    [code::ALREADY_COMPLETED, code::MARKET_CLOSED].contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failed_days_are_listed_and_the_others_are_counted() {
        let status = serde_json::json!({ "status": "partial", "error": null,
            "warnings": ["Skipped 2 model-days already completed", "Rate limit reached"],
            "warning_codes": ["ALREADY_COMPLETED", "RATE_LIMITED"],
            "progress": { "total_model_days": 9, "completed": 6, "failed": 3, "skipped": 0 },
            "total_duration_seconds": 1.25, "trace_url": "https://tempo.example/trace/ab12" });
        let days =
            serde_json::json!({ "model_days": [{ "date": "2025-10-01", "model": "a", "error": "no key" }] });
        let days: ModelDayPage = serde_json::from_value(days).unwrap();

        let text = text(&serde_json::from_value(status).unwrap(), &days.model_days);

        assert_eq!(
            text,
            "\npartial: 6 model-days executed, 3 failed, 0 skipped, in 1.2 s\n  failed: a on 2025-10-01: no key\n  \
             and 2 more failed\n  each call of an agent's day: modelday try a --date 2025-10-01\n  note: Skipped 2 model-days already \
             completed\n  warning: Rate limit reached\n  trace: https://tempo.example/trace/ab12\n"
        );
    }
}
