//! `modelday run` and `modelday retry`: a job from its request to its end.

use clap::Args;
use clap_complete::ArgValueCompleter;

use super::format::Format;
use super::request::RequestArguments;
use super::spelling::with_models_meant;
use crate::client::exit::Exit;
use crate::client::http::{AcceptedJob, Api, Connection, JobStatus};
use crate::client::watching::{Show, summary, watch};
use crate::completion;
use crate::terminal::leaderboard_table::{Leaderboard, table};
use crate::terminal::output::{note, print, print_json, print_line, width};

/// What to run, and whether to watch it.
#[derive(Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    request: RequestArguments,
    /// Print the job's id and do not watch it.
    #[arg(long)]
    detach: bool,
    /// A name for this request: sent twice, it is run once.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// What to retry, and whether to watch it.
#[derive(Args)]
pub(crate) struct RetryArguments {
    /// The job whose failed model-days are run again.
    #[arg(add = ArgValueCompleter::new(completion::jobs))]
    job: String,
    /// Watch the new job until it has ended.
    #[arg(long)]
    watch: bool,
    /// A name for this request: sent twice, it is run once.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Runs a job and shows its leaderboard.
pub(super) async fn run(arguments: &RunArguments) -> anyhow::Result<Exit> {
    let RunArguments { request, detach, idempotency_key, format, connection } = arguments;
    let api = Api::new(connection)?;
    let request_body = request.body();
    let sent = api.post(&["simulate", "trigger"], Some(&request_body), idempotency_key.as_deref()).await;
    let body = match sent {
        Ok(body) => body,
        Err(error) => return Err(with_models_meant(&api, error, request.models()).await),
    };
    let AcceptedJob { job_id: job } = body.deserialize()?;
    if *detach {
        format.id_or_json(&job, &body)?;
        return Ok(Exit::Done);
    }
    let exit = watch_accepted(&api, &job, *format).await?;
    if request.sample && !format.json && exit != Exit::Interrupted {
        print(&next_steps(&api.display_url(), &job))?;
    }
    Ok(exit)
}

/// Runs the failed model-days of a job as a new job.
pub(super) async fn retry(arguments: &RetryArguments) -> anyhow::Result<Exit> {
    let RetryArguments { job, watch, idempotency_key, format, connection } = arguments;
    let api = Api::new(connection)?;
    let body = api.post(&["jobs", job, "retry"], None, idempotency_key.as_deref()).await?;
    let AcceptedJob { job_id: retry } = body.deserialize()?;
    if *watch {
        return watch_accepted(&api, &retry, *format).await;
    }
    format.id_or_json(&retry, &body)?;
    Ok(Exit::Done)
}

/// Watches an accepted job until it has ended, then shows its results.
async fn watch_accepted(api: &Api, job: &str, format: Format) -> anyhow::Result<Exit> {
    if !format.json {
        print_line(&format!("Job {job}"))?;
    }
    let show = if format.json { Show::Nothing } else { Show::Progress };
    let Some((status, body)) = watch(api, job, show).await? else {
        return Ok(Exit::Interrupted);
    };
    if format.json {
        print_json(&body.text)?;
    } else {
        print(&summary(api, job, &status).await?)?;
        print(&standings(api, job, &status).await?)?;
        note(&format!("\nBoard: {}", api.url(&["board", "jobs", job])));
    }
    Ok(Exit::of_job(&status.status))
}

/// The leaderboard of the job's portfolios; empty when the job has no results.
async fn standings(api: &Api, job: &str, status: &JobStatus) -> anyhow::Result<String> {
    if !matches!(status.status.as_str(), "completed" | "partial") {
        return Ok(String::new());
    }
    let leaderboard: Leaderboard = api.get(&["leaderboard"], &[("job_id", job)]).await?.deserialize()?;
    if leaderboard.rows.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("\n{}", table(&leaderboard, width())))
}

/// Three commands to try after the sample job.
fn next_steps(base_url: &str, job: &str) -> String {
    format!(
        "\nModelday answers at {base_url} until `make down`, and shows its board there in a browser. Try:\n\
         \x20 curl {base_url}/simulate/status/{job}\n\
         \x20 curl '{base_url}/results?start_date=2025-10-01&end_date=2025-10-29&model=gpt-5'\n\
         \x20 curl -d '{{\"start_date\":\"2025-10-01\",\"end_date\":\"2025-10-29\",\"models\":[\"hold-qqq\",\"momentum-20\"]}}' \
         -H 'content-type: application/json' {base_url}/simulate/trigger\n"
    )
}
