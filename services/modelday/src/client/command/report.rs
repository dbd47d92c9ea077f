//! `modelday report`: a tear sheet as one file.

use std::path::PathBuf;

use anyhow::Context as _;
use chrono::Utc;
use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::client::report::{Selection, fetch, html, markdown};
use crate::completion;
use crate::terminal::output::{note, print};

/// What to report, and where to.
#[derive(Args)]
pub(crate) struct ReportArguments {
    /// The portfolios of this job over its dates.
    #[arg(long, add = ArgValueCompleter::new(completion::jobs), conflicts_with = "experiment")]
    job: Option<String>,
    /// Name of the experiment; `default` without it.
    #[arg(long)]
    experiment: Option<String>,
    /// Only these models, separated by commas.
    #[arg(long, add = ArgValueCompleter::new(completion::models), value_delimiter = ',')]
    models: Vec<String>,
    /// First date, YYYY-MM-DD; without it, the first of the results.
    #[arg(long, value_name = "DATE")]
    start: Option<String>,
    /// Last date, YYYY-MM-DD; without it, the last of the results.
    #[arg(long, value_name = "DATE")]
    end: Option<String>,
    /// Format; without it the extension of the file's name decides, or else html.
    #[arg(long)]
    format: Option<ReportFormat>,
    /// Where to save it; `-` is standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// A page with charts that needs no other file.
    Html,
    /// Markdown, without charts.
    Md,
}

/// Saves the report.
pub(super) async fn main(arguments: &ReportArguments) -> anyhow::Result<Exit> {
    let ReportArguments { job, experiment, models, start, end, output, .. } = arguments;
    let named = output.as_ref().and_then(|file| file.extension()?.to_str());
    let by_name = match named {
        Some("md" | "markdown") => ReportFormat::Md,
        Some(_) | None => ReportFormat::Html,
    };
    let format = arguments.format.unwrap_or(by_name);
    let selection = Selection {
        job: job.clone(),
        experiment: experiment.clone(),
        models: models.clone(),
        start: start.clone(),
        end: end.clone(),
    };
    let report = fetch(&Api::new(&arguments.connection)?, &selection).await?;
    let made = format!(
        "Made on {} by modelday {}",
        Utc::now().format("%Y-%m-%d %H:%M UTC"),
        env!("CARGO_PKG_VERSION")
    );
    let (text, usual) = match format {
        ReportFormat::Html => (html(&report, &made), "report.html"),
        ReportFormat::Md => (markdown(&report, &made), "report.md"),
    };
    let file = output.clone().unwrap_or_else(|| PathBuf::from(usual));
    if file.as_os_str() == "-" {
        print(&text)?;
    } else {
        std::fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        note(&format!("Saved the report to {}", file.display()));
    }
    Ok(Exit::Done)
}
