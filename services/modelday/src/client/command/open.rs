//! `modelday open`: the page of a thing, or its trace.

use std::io::IsTerminal as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Deserialize;
use uuid::Uuid;

use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::terminal::output::print_line;

/// Pages that have a name.
const PAGES: [&str; 7] = ["jobs", "new", "leaderboard", "models", "sources", "dead-letters", "audit"];

/// What to open.
#[derive(Args)]
pub(crate) struct OpenArguments {
    /// A job, with MODEL and DATE after it one of its days; a model; or one of jobs, new, leaderboard, models, sources,
    /// dead-letters, audit. Without it, the board.
    #[arg(value_name = "THING")]
    thing: Option<String>,
    /// Of a job: the model whose day to open.
    #[arg(requires = "date")]
    model: Option<String>,
    /// Of a job: the day, YYYY-MM-DD.
    date: Option<String>,
    /// Of a model: the experiment of its portfolio.
    #[arg(long, default_value = "default")]
    experiment: String,
    /// Of a model or a day: the trial.
    #[arg(long)]
    trial: Option<u32>,
    /// Open the trace of the job, or of its day, where the server says where traces are shown.
    #[arg(long)]
    trace: bool,
    /// Print the address and open nothing.
    #[arg(long)]
    print: bool,
    #[command(flatten)]
    connection: Connection,
}

/// A trace as the API has it.
#[derive(Deserialize)]
struct Trace {
    trace_id: Option<String>,
    trace_url: Option<String>,
}

/// Prints the address of the page, and opens it in the browser when a person is at the terminal.
pub(super) async fn main(arguments: &OpenArguments) -> anyhow::Result<Exit> {
    let url = if arguments.trace { arguments.trace_url().await? } else { arguments.page_url()? };
    print_line(&url)?;
    if !arguments.print && std::io::stdout().is_terminal() {
        let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
        let mut command = Command::new(opener);
        // Without a browser the address is there to be copied.
        let _ = command.arg(&url).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
    Ok(Exit::Done)
}

impl OpenArguments {
    fn page_url(&self) -> anyhow::Result<String> {
        let path = self.path();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let mut url = Api::new(&self.connection)?.url(&path);
        if let Some(trial) = self.trial {
            url.query_pairs_mut().append_pair("trial", &trial.to_string());
        }
        Ok(url.into())
    }

    /// Where the trace of the job or of its day is shown.
    async fn trace_url(&self) -> anyhow::Result<String> {
        let job = self.thing.as_deref().filter(|thing| Uuid::try_parse(thing).is_ok());
        let job = job.context("--trace needs a job; `modelday jobs` lists them")?;
        let trial = self.trial.filter(|_| self.model.is_some()).map(|trial| trial.to_string());
        let query = [("model", &self.model), ("date", &self.date), ("trial", &trial)];
        let trace: Trace =
            Api::new(&self.connection)?.get(&["jobs", job, "trace"], &query).await?.deserialize()?;
        match trace {
            Trace { trace_url: Some(url), .. } => Ok(url),
            Trace { trace_id: Some(id), .. } => {
                bail!(
                    "the server does not say where traces are shown (TRACE_URL_TEMPLATE); the trace is {id}"
                )
            }
            Trace { trace_id: None, .. } => bail!("no trace is known of it"),
        }
    }

    /// The segments of the page's path.
    fn path(&self) -> Vec<String> {
        let Self { thing, model, date, experiment, .. } = self;
        let Some(thing) = thing else { return Vec::new() };
        let mut path = vec!["board".to_owned()];
        if PAGES.contains(&thing.as_str()) {
            path.push(thing.clone());
        } else if Uuid::try_parse(thing).is_ok() {
            path.extend(["jobs".to_owned(), thing.clone()]);
            path.extend([model, date].into_iter().flatten().cloned());
        } else {
            path.extend(["portfolios".to_owned(), experiment.clone(), thing.clone()]);
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        open: OpenArguments,
    }

    #[test]
    fn a_thing_has_the_page_that_the_board_has_for_it() {
        let path = |words: &[&str]| {
            let words = [&["open"], words].concat();
            Cli::try_parse_from(words).unwrap().open.path().join(" ")
        };
        let job = "019a36ee-67a0-7264-868b-8f456a03adaf";

        assert_eq!(path(&[]), "");
        assert_eq!(path(&["leaderboard"]), "board leaderboard");
        assert_eq!(path(&[job]), format!("board jobs {job}"));
        assert_eq!(path(&[job, "a/b", "2025-10-02"]), format!("board jobs {job} a/b 2025-10-02"));
        assert_eq!(path(&["gpt-5", "--experiment", "x"]), "board portfolios x gpt-5");
        assert!(Cli::try_parse_from(["open", job, "gpt-5"]).is_err(), "a day needs its date");
    }
}
