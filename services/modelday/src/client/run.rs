//! `modelday run` and `modelday retry`: a job from its request to its end.

use clap::Args;

use super::api::Api;
use super::board::{self, Leaderboard};
use super::connection::{Connection, Format};
use super::exit::Exit;
use super::job::{Accepted, JobStatus};
use super::output::{print, print_line, width};
use super::request::RequestArguments;
use super::summary::summary;
use super::watch::{Show, watch};

/// What to run, and how to watch it.
#[derive(Args)]
pub(crate) struct RunArguments {
    #[command(flatten)]
    request: RequestArguments,
    /// Print the job's id and leave it alone.
    #[arg(long)]
    detach: bool,
    /// A name for this request: asked for twice, it is run once.
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
    job: String,
    /// Watch the new job until it has ended.
    #[arg(long)]
    watch: bool,
    /// A name for this request: asked for twice, it is run once.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// Runs a job and shows who won.
pub(super) async fn run(arguments: &RunArguments) -> anyhow::Result<Exit> {
    let RunArguments { request, detach, idempotency_key, format, connection } = arguments;
    let api = Api::new(connection)?;
    let body = request.body();
    let answer = api.post(&["simulate", "trigger"], Some(&body), idempotency_key.as_deref()).await?;
    let Accepted { job_id: job } = answer.read()?;
    if *detach {
        print_line(if format.json { &answer.text } else { &job })?;
        return Ok(Exit::Done);
    }
    let exit = to_the_end(&api, &job, *format).await?;
    if request.sample && !format.json && exit != Exit::Interrupted {
        print(&next_steps(&api.shown(), &job))?;
    }
    Ok(exit)
}

/// Runs what failed once more.
pub(super) async fn retry(arguments: &RetryArguments) -> anyhow::Result<Exit> {
    let RetryArguments { job, watch, idempotency_key, format, connection } = arguments;
    let api = Api::new(connection)?;
    let answer = api.post(&["jobs", job, "retry"], None, idempotency_key.as_deref()).await?;
    let Accepted { job_id: retried } = answer.read()?;
    if *watch {
        return to_the_end(&api, &retried, *format).await;
    }
    print_line(if format.json { &answer.text } else { &retried })?;
    Ok(Exit::Done)
}

/// Watches a job that was accepted just now, and shows what came of it.
async fn to_the_end(api: &Api, job: &str, format: Format) -> anyhow::Result<Exit> {
    if !format.json {
        print_line(&format!("Job {job}"))?;
    }
    let Some((status, answer)) = watch(api, job, Show::of(format)).await? else {
        return Ok(Exit::Interrupted);
    };
    if format.json {
        print_line(&answer.text)?;
    } else {
        print(&summary(api, job, &status).await?)?;
        print(&standings(api, job, &status).await?)?;
    }
    Ok(Exit::of_job(&status.status))
}

/// The leaderboard of the job's portfolios, when there is one.
async fn standings(api: &Api, job: &str, status: &JobStatus) -> anyhow::Result<String> {
    if !matches!(status.status.as_str(), "completed" | "partial") {
        return Ok(String::new());
    }
    let board: Leaderboard = api.get(&["leaderboard"], &[("job_id", job)]).await?.read()?;
    if board.rows.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("\n{}", board::table(&board, width())))
}

/// Three things to try, with the address they go to.
fn next_steps(base_url: &str, job: &str) -> String {
    format!(
        "\nModelday answers at {base_url} until `make down`. Try:\n\
         \x20 curl {base_url}/simulate/status/{job}\n\
         \x20 curl '{base_url}/results?start_date=2025-10-01&end_date=2025-10-29&model=gpt-5'\n\
         \x20 curl -d '{{\"start_date\":\"2025-10-01\",\"end_date\":\"2025-10-29\",\"models\":[\"hold-qqq\",\"momentum-20\"]}}' \
         -H 'content-type: application/json' {base_url}/simulate/trigger\n"
    )
}
