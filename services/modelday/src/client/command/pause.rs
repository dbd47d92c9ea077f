//! `modelday pause`, `resume` and `drain`: a model, a source of prices or a queue.

use std::ffi::OsStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use serde::Deserialize;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::choice::name;
use super::format::Format;
use crate::client::exit::Exit;
use crate::client::http::{Api, Connection, ResponseBody, RetryDeadline};
use crate::completion;
use crate::terminal::output::{note, print_line};

/// All processes know of a pause after so long.
const SPREAD: Duration = Duration::from_millis(1_500);
/// Time between two looks at what still runs.
const PERIOD: Duration = Duration::from_millis(300);

/// What can be paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// A model: it runs no further day.
    Model,
    /// A source of prices: it is not called.
    Source,
    /// `executor` (turns of lanes) or `downloader` (preparations of prices): it begins nothing new.
    Queue,
}

/// What to pause.
#[derive(Args)]
pub(crate) struct PauseArguments {
    /// What it is.
    kind: Kind,
    /// Its name.
    #[arg(add = ArgValueCompleter::new(names))]
    name: String,
    /// Why, for those who read that it is paused.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

/// What to resume.
#[derive(Args)]
pub(crate) struct ResumeArguments {
    /// What it is.
    kind: Kind,
    /// Its name.
    #[arg(add = ArgValueCompleter::new(names))]
    name: String,
    #[command(flatten)]
    connection: Connection,
}

/// A pause, as the API shows it.
#[derive(Deserialize)]
struct Pause {
    kind: String,
    name: String,
    message: String,
    in_hand: u64,
    jobs_in_hand: Vec<String>,
    waiting_lanes: u64,
    waiting_jobs: u64,
}

#[derive(Deserialize)]
struct Pauses {
    pauses: Vec<Pause>,
}

/// Pauses it. What is in hand is finished.
pub(super) async fn pause(arguments: &PauseArguments) -> anyhow::Result<Exit> {
    let PauseArguments { kind, name: named, format, connection, .. } = arguments;
    let api = Api::new(connection)?;
    if let Some(pause) = format.unless_json::<Pause>(&put(&api, arguments).await?)? {
        print_line(&format!("{}.", pause.message))?;
        note(&format!("Resume it with `modelday resume {} {named}`.", name(*kind)));
    }
    Ok(Exit::Done)
}

/// Resumes it. What waited for it goes on.
pub(super) async fn resume(arguments: &ResumeArguments) -> anyhow::Result<Exit> {
    let ResumeArguments { kind, name: named, connection } = arguments;
    let (kind, api) = (name(*kind), Api::new(connection)?);
    // What it was before is only said; without the answer it is resumed all the same.
    let known = api.get(&["pauses"], &()).await.ok().and_then(|body| body.deserialize::<Pauses>().ok());
    api.delete(&["pauses", &kind, named]).await?;
    let was_paused =
        known.map(|Pauses { pauses }| pauses.into_iter().find(|one| one.kind == kind && one.name == *named));
    print_line(&resumed(&kind, named, was_paused.as_ref().map(Option::as_ref)))?;
    Ok(Exit::Done)
}

/// What a resumption did. `was_paused` is the pause that it ended, `None` when that is not known.
fn resumed(kind: &str, name: &str, was_paused: Option<Option<&Pause>>) -> String {
    match was_paused {
        Some(Some(pause)) => format!("{kind} {name} is resumed. Waited for it: {}.", pause.waiting()),
        Some(None) => format!("{kind} {name} was not paused."),
        None => format!("{kind} {name} is resumed."),
    }
}

/// Pauses it and waits until nothing of it runs any more; it stays paused.
pub(super) async fn drain(arguments: &PauseArguments) -> anyhow::Result<Exit> {
    let PauseArguments { kind, name: named, format, connection, .. } = arguments;
    let api = Api::new(connection)?;
    put(&api, arguments).await?;
    let (kind, begun) = (name(*kind), Instant::now());
    let mut deadline = RetryDeadline::new();
    let mut noted = String::new();
    loop {
        match api.get(&["pauses"], &()).await {
            Ok(body) => {
                deadline.reset();
                let Pauses { pauses } = body.deserialize()?;
                let Some(pause) = pauses.iter().find(|one| one.kind == kind && one.name == *named) else {
                    print_line(&format!("{kind} {named} was resumed meanwhile."))?;
                    return Ok(Exit::Failed);
                };
                // A process that does not know of the pause yet may begin something.
                if pause.in_hand == 0 && begun.elapsed() >= SPREAD {
                    if format.unless_json::<Pauses>(&body)?.is_some() {
                        print_line(&pause.drained())?;
                    }
                    return Ok(Exit::Done);
                }
                let waits = pause.waits();
                if pause.in_hand > 0 && waits != noted {
                    note(&waits);
                    noted = waits;
                }
            }
            Err(error) => {
                deadline.allow_retry(error)?;
            }
        }
        sleep(PERIOD).await;
    }
}

async fn put(api: &Api, arguments: &PauseArguments) -> anyhow::Result<ResponseBody> {
    let PauseArguments { kind, name: named, reason, .. } = arguments;
    Ok(api.put(&["pauses", &name(*kind), named], &json!({ "reason": reason })).await?)
}

impl Pause {
    fn waits(&self) -> String {
        let (unit, of) = match self.kind.as_str() {
            "source" => ("call", "of"),
            "queue" if self.name == "downloader" => ("preparation", "in"),
            _ => ("turn", "of"),
        };
        let jobs = match self.jobs_in_hand.as_slice() {
            [] => String::new(),
            [job] => format!(", in job {job}"),
            jobs => format!(", in jobs {}", jobs.join(", ")),
        };
        format!("waiting for {} {of} {} {}{jobs}", counted(self.in_hand, unit), self.kind, self.name)
    }

    fn drained(&self) -> String {
        let Self { kind, name, .. } = self;
        format!("Nothing of {kind} {name} runs any more. Waiting for it: {}.", self.waiting())
    }

    fn waiting(&self) -> String {
        let (lanes, jobs) = (counted(self.waiting_lanes, "lane"), counted(self.waiting_jobs, "job"));
        format!("{lanes}, {jobs}")
    }
}

fn counted(count: u64, unit: &str) -> String {
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// The names that can be meant: of models, or of what follows from no call.
fn names(typed: &OsStr) -> Vec<CompletionCandidate> {
    let mut names = completion::models(typed);
    let typed = typed.to_string_lossy();
    let fixed = ["executor", "downloader", "alpha_vantage", "tiingo", "massive"];
    names.extend(fixed.into_iter().filter(|name| name.starts_with(&*typed)).map(CompletionCandidate::new));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_says_what_it_waits_for() {
        let pause = |kind: &str, name: &str, in_hand, jobs: &[&str]| Pause {
            kind: kind.to_owned(),
            name: name.to_owned(),
            message: String::new(),
            in_hand,
            jobs_in_hand: jobs.iter().map(|job| (*job).to_owned()).collect(),
            waiting_lanes: 0,
            waiting_jobs: 0,
        };

        let said = [
            pause("model", "gpt-5", 1, &["a"]).waits(),
            pause("source", "tiingo", 3, &[]).waits(),
            pause("queue", "downloader", 2, &["a", "b"]).waits(),
        ];

        assert_eq!(
            said,
            [
                "waiting for 1 turn of model gpt-5, in job a",
                "waiting for 3 calls of source tiingo",
                "waiting for 2 preparations in queue downloader, in jobs a, b",
            ]
        );
    }
}
