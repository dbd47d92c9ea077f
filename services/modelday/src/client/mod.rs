//! The client for people: trigger a job, watch it, see who won.

pub(crate) mod api;
mod phase;
mod progress;
pub(crate) mod table;

use std::process::ExitCode;

use clap::Args;

use api::Api;

/// The six recorded models of the sample job.
const SAMPLE_MODELS: [&str; 6] =
    ["deepseek-chat-v3.1", "MiniMax-M2", "gpt-5", "claude-3.7-sonnet", "qwen3-max", "gemini-2.5-flash"];
/// First and last date of the sample job.
const SAMPLE_RANGE: (&str, &str) = ("2025-10-01", "2025-10-29");

/// What to run.
#[derive(Args)]
pub(crate) struct RunArguments {
    /// Where Modelday listens.
    #[arg(long, env = "MODELDAY_URL", default_value = "http://127.0.0.1:8080")]
    base_url: String,
    /// Run the sample job: six recorded models in October 2025.
    #[arg(long, conflicts_with_all = ["start", "end", "models"])]
    sample: bool,
    /// First date, YYYY-MM-DD; without it each model resumes after its last day.
    #[arg(long)]
    start: Option<String>,
    /// Last date, YYYY-MM-DD.
    #[arg(long, required_unless_present = "sample")]
    end: Option<String>,
    /// Models, separated by commas; without it all enabled ones.
    #[arg(long, value_delimiter = ',')]
    models: Vec<String>,
    /// Name of the experiment; a new one starts from cash.
    #[arg(long, default_value = "default")]
    experiment: String,
}

/// Runs the job; 0 when it completed, 1 when it did not, 2 when it could not be asked for.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]
pub(crate) async fn run(arguments: &RunArguments) -> ExitCode {
    match watch(arguments).await {
        Ok(Ended { text, completed }) => {
            print!("{text}");
            if completed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(problem) => {
            eprintln!("modelday: {}", runtime::process::told(&problem));
            ExitCode::from(2)
        }
    }
}

struct Ended {
    text: String,
    completed: bool,
}

async fn watch(arguments: &RunArguments) -> anyhow::Result<Ended> {
    let api = Api::new(&arguments.base_url)?;
    let request = request(arguments);
    let accepted = api.trigger(&request).await?;
    let status = progress::follow(&api, &accepted.job_id).await?;
    let mut text = table::summary(&status);
    if status.status == "completed" || status.status == "partial" {
        let start = request["start_date"].as_str().or(status.date_range.first().map(String::as_str));
        let end = request["end_date"].as_str();
        let board = api.leaderboard(&arguments.experiment, &status.models, start, end).await?;
        text.push_str(&table::leaderboard(&board));
    }
    text.push_str(&table::next_steps(&arguments.base_url, &accepted.job_id));
    Ok(Ended { text, completed: status.status == "completed" })
}

fn request(arguments: &RunArguments) -> serde_json::Value {
    if arguments.sample {
        let (start, end) = SAMPLE_RANGE;
        return serde_json::json!({
            "start_date": start,
            "end_date": end,
            "models": SAMPLE_MODELS,
            "experiment": arguments.experiment,
        });
    }
    serde_json::json!({
        "start_date": arguments.start,
        "end_date": arguments.end,
        "models": arguments.models,
        "experiment": arguments.experiment,
    })
}
