//! `modelday jobs`: the jobs, newest first.

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use clap_complete::ArgValueCompleter;
use serde::Deserialize;

use super::list_options::ListOptions;
use crate::client::exit::Exit;
use crate::client::http::ModelDayCounts;
use crate::completion;
use crate::terminal::grid::{exact, number, words};
use crate::terminal::output::note;
use crate::terminal::table::{Table, cell, maybe, shown_as};

/// Which jobs to list.
#[derive(Args)]
pub(crate) struct JobsArguments {
    /// Only those in this state: pending, downloading_data, running, completed, partial, failed, cancelled.
    #[arg(long, add = ArgValueCompleter::new(completion::job_states), value_name = "STATE")]
    status: Option<String>,
    /// Only those that run this model.
    #[arg(long, add = ArgValueCompleter::new(completion::models))]
    model: Option<String>,
    /// At most this many jobs.
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// Continue where an earlier list ended.
    #[arg(long)]
    cursor: Option<String>,
    #[command(flatten)]
    list: ListOptions,
}

#[derive(Deserialize)]
struct JobPage {
    jobs: Vec<ListedJob>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct ListedJob {
    job_id: String,
    status: String,
    progress: ModelDayCounts,
    models: Vec<String>,
    created_at: DateTime<Utc>,
    #[serde(default)]
    experiment: Option<String>,
    #[serde(default)]
    priority: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

/// Lists jobs.
pub(super) async fn main(arguments: &JobsArguments) -> anyhow::Result<Exit> {
    let limit = Some(arguments.limit.to_string());
    let query = [
        ("status", &arguments.status),
        ("model", &arguments.model),
        ("limit", &limit),
        ("cursor", &arguments.cursor),
    ];
    let Some(JobPage { jobs, next_cursor }) = arguments.list.get(&["jobs"], &query).await? else {
        return Ok(Exit::Done);
    };
    if jobs.is_empty() {
        note("There are no such jobs; `modelday run` starts one.");
        return Ok(Exit::Done);
    }
    arguments.list.print(table(jobs, Utc::now()))?;
    if let Some(cursor) = next_cursor {
        note(&format!("\nThere are more: add --cursor {cursor}"));
    }
    Ok(Exit::Done)
}

fn table(jobs: Vec<ListedJob>, now: DateTime<Utc>) -> Table {
    let columns = [exact("Job"), exact("Status"), number("Days"), number("Age"), words("Models")];
    let more = [
        exact("Experiment"),
        exact("Priority"),
        exact("Created at"),
        number("Failed"),
        number("Skipped"),
        words("Error"),
    ];
    let mut table = Table::new(columns).with_more(more);
    for job in jobs {
        let progress = &job.progress;
        table.row([
            cell(job.job_id),
            // The longest state would leave too few columns for the models.
            shown_as(Some(job.status), |status| {
                if status == "downloading_data" { "downloading".to_owned() } else { status.clone() }
            }),
            cell(format!("{}/{}", progress.done(), progress.total_model_days)),
            shown_as(Some((now - job.created_at).num_seconds()), |seconds| age(TimeDelta::seconds(*seconds))),
            cell(job.models.join(", ")),
            maybe(job.experiment),
            maybe(job.priority),
            cell(job.created_at.to_rfc3339()),
            cell(progress.failed.to_string()),
            cell(progress.skipped.to_string()),
            maybe(job.error),
        ]);
    }
    table
}

/// The age in its largest unit.
fn age(passed: TimeDelta) -> String {
    let seconds = passed.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::table::TableOptions;

    #[test]
    fn a_page_of_jobs_fits_eighty_columns_and_ids_are_whole() {
        let job = serde_json::json!({
            "job_id": "019a36ee-67a0-7264-868b-8f456a03adaf", "status": "downloading_data",
            "progress": { "total_model_days": 126, "completed": 3, "failed": 1, "skipped": 0 },
            "models": ["deepseek-chat-v3.1", "MiniMax-M2"], "created_at": "2025-10-30T21:00:00Z"
        });
        let jobs = [serde_json::from_value(job).unwrap()];

        let table = table(jobs.into(), "2025-10-30T21:05:30Z".parse().unwrap());
        let text = table.text(&TableOptions::default(), 80).unwrap();

        let row = text.lines().last().unwrap();
        assert_eq!(row, "019a36ee-67a0-7264-868b-8f456a03adaf  downloading  4/126   5m  deepseek-chat-v3…");
    }

    #[test]
    fn an_age_has_one_unit() {
        let ages = [-5, 59, 60, 3_600, 172_799, 172_800].map(|seconds| age(TimeDelta::seconds(seconds)));

        assert_eq!(ages, ["0s", "59s", "1m", "1h", "47h", "2d"]);
    }
}
