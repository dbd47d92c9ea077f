//! `modelday import`: what was run with another project.

mod hkuds_report;
mod hkuds_results;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use domain::market::calendar::Calendar;
use serde::Deserialize;
use serde_json::json;

use crate::client::exit::Exit;
use crate::client::hkuds::{Folder, Recording, agent_of, compare, csv_of_merged, turns};
use crate::client::http::{AcceptedJob, Api, ApiError, Connection};
use crate::client::watching::{Show, watch};
use crate::terminal::output::{note, print, print_json, width};
use hkuds_report::{Agent, LeftOut, Report};

/// What to import from.
#[derive(Subcommand)]
pub(crate) enum ImportCommand {
    /// Run what agents of HKUDS/AI-Trader ordered, on their prices, and compare each day with what they had.
    Hkuds(HkudsArguments),
}

/// Which folder, and under which names.
#[derive(Args)]
pub(crate) struct HkudsArguments {
    /// A folder of that project: the whole clone, its `data`, its `agent_data`, or that of one agent.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// What the names of the models begin with, so that they are not those of your own.
    #[arg(long, default_value = "hkuds-")]
    prefix: String,
    /// Name of the experiment in which they run.
    #[arg(long, default_value = "hkuds")]
    experiment: String,
    /// Replace stored prices that differ from those of the folder, and run completed days again.
    #[arg(long)]
    replace: bool,
    /// Say what the folder has; store and run nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON for scripts instead of tables.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Deserialize)]
struct ImportedPrices {
    inserted: u64,
    unchanged: u64,
    replaced: u64,
}

/// Imports the folder and reports how many days come out equal.
pub(super) async fn hkuds(arguments: &HkudsArguments) -> anyhow::Result<Exit> {
    let HkudsArguments { folder, prefix, experiment, .. } = arguments;
    let found = Folder::scan(folder)?;
    let mut report = Report::new(folder);
    let recordings = read_all(&found, prefix, &mut report)?;
    ensure!(
        !recordings.is_empty() || !report.left_out.is_empty(),
        "{} has no position.jsonl: name a folder of HKUDS/AI-Trader with the data of its agents",
        folder.display()
    );
    report.price_files = found.prices.len() + found.merged.len();
    let api = Api::new(&arguments.connection)?;
    let mut jobs = BTreeMap::new();
    if !arguments.dry_run {
        import_prices(&api, &found, arguments.replace, &mut report).await?;
        for (model, recording) in &recordings {
            store_model(&api, model, recording).await?;
        }
        for (range, models) in by_range(&recordings) {
            let Some(job) = run(&api, range, &models, arguments).await? else {
                return Ok(Exit::Interrupted);
            };
            jobs.extend(models.into_iter().map(|model| (model, job.clone())));
        }
        send_conversations(&api, &found, &recordings, arguments, &mut report).await?;
    }
    let calendar = Calendar::nyse();
    for (model, recording) in &recordings {
        let mut compared = Vec::new();
        if let Some(job) = jobs.get(&**model) {
            let mut results = hkuds_results::fetch(&api, model, experiment, recording).await?;
            results.add_not_run(&api, job, model).await?;
            let first = compare(recording, &results.days, &results.not_run, &calendar);
            results.add_refused(&api, model, experiment, &first).await?;
            compared = compare(recording, &results.days, &results.not_run, &calendar);
        }
        report.agents.push(Agent::new(model, recording, compared));
    }
    if arguments.json {
        print_json(&serde_json::to_string_pretty(&report)?)?;
    } else {
        print(&report.text(width()))?;
    }
    Ok(if report.is_all_equal() || arguments.dry_run { Exit::Done } else { Exit::Partial })
}

/// Every agent that Modelday can run, by the name of its model.
fn read_all(
    found: &Folder,
    prefix: &str,
    report: &mut Report,
) -> anyhow::Result<BTreeMap<String, Recording>> {
    let mut recordings = BTreeMap::new();
    for path in &found.positions {
        let agent = agent_of(path);
        let text = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let text = String::from_utf8_lossy(&text);
        let model = format!("{prefix}{agent}");
        match Recording::read(&text, found.configured_cash(&agent)) {
            Ok(_) if recordings.contains_key(&model) => {
                let reason = format!("is there twice, the second time as {}", path.display());
                report.left_out.push(LeftOut { agent, reason });
            }
            Ok(recording) => {
                recordings.insert(model, recording);
            }
            Err(reason) => report.left_out.push(LeftOut { agent, reason }),
        }
    }
    Ok(recordings)
}

/// Stores the prices of the folder. A file that is refused is reported, and the job uses what is stored or downloads.
async fn import_prices(api: &Api, found: &Folder, replace: bool, report: &mut Report) -> anyhow::Result<()> {
    let mut with_file = BTreeSet::new();
    for path in &found.prices {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let content = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let symbol = name.rsplit_once('_').map_or(&*name, |(_, symbol)| symbol).trim_end_matches(".json");
        with_file.insert(symbol.to_owned());
        import_file(api, &name, content, replace, report).await?;
    }
    for path in &found.merged {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let (csv, symbols, hidden) = csv_of_merged(&text, &with_file);
        if hidden > 0 {
            report.notes.push(format!(
                "{}: {hidden} bars have only an open, as the project hides the last day; they are not bars",
                path.display()
            ));
        }
        if !symbols.is_empty() {
            with_file.extend(symbols);
            import_file(api, "merged.csv", csv.into_bytes(), replace, report).await?;
        }
    }
    Ok(())
}

async fn import_file(
    api: &Api,
    name: &str,
    content: Vec<u8>,
    replace: bool,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut query = vec![("file_name", name)];
    if replace {
        query.push(("replace", "true"));
    }
    match api.post_file(&["prices", "import"], &query, content).await {
        Ok(body) => {
            let ImportedPrices { inserted, unchanged, replaced } = body.deserialize()?;
            report.bars.add(inserted, unchanged, replaced);
        }
        Err(ApiError::Problem(problem)) if matches!(problem.status, 400 | 409 | 422) => {
            let text = problem.to_string();
            let first = text.lines().take(2).map(str::trim).collect::<Vec<_>>().join(" ");
            report.notes.push(format!("{name} was not imported: {first}"));
        }
        Err(problem) => return Err(problem.into()),
    }
    Ok(())
}

/// Adds the agent as a recorded model, or gives that model the orders of the folder.
async fn store_model(api: &Api, model: &str, recording: &Recording) -> anyhow::Result<()> {
    let entry = json!({
        "kind": "recorded",
        "initial_cash": recording.initial_cash,
        "decisions_csv": recording.decisions(model),
    });
    let stored = api.put(&["models", model], &entry).await;
    stored.map(|_| ()).with_context(|| format!("storing the model {model}"))
}

/// Sends what the agents said, so that their days say why they ordered something. What is refused is reported.
async fn send_conversations(
    api: &Api,
    found: &Folder,
    recordings: &BTreeMap<String, Recording>,
    arguments: &HkudsArguments,
    report: &mut Report,
) -> anyhow::Result<()> {
    let HkudsArguments { prefix, experiment, .. } = arguments;
    for log in &found.logs {
        let model = format!("{prefix}{}", log.agent);
        if !recordings.contains_key(&model) {
            continue;
        }
        let text = std::fs::read(&log.path).with_context(|| format!("reading {}", log.path.display()))?;
        let turns = turns(&String::from_utf8_lossy(&text));
        if turns.is_empty() {
            continue;
        }
        let date = log.date.to_string();
        match api.put(&["conversations", experiment, &model, &date], &json!({ "turns": turns })).await {
            Ok(_) => report.conversations += 1,
            Err(ApiError::Problem(problem)) if matches!(problem.status, 413 | 422) => {
                report.notes.push(format!("what {} said on {date} was not imported: {problem}", log.agent));
            }
            Err(problem) => return Err(problem.into()),
        }
    }
    Ok(())
}

/// The models by first and last date, so that each runs over its own dates.
fn by_range(recordings: &BTreeMap<String, Recording>) -> BTreeMap<(NaiveDate, NaiveDate), Vec<&str>> {
    let mut groups = BTreeMap::<_, Vec<&str>>::new();
    for (model, recording) in recordings {
        groups.entry(recording.range().unwrap_or_default()).or_default().push(model);
    }
    groups
}

/// Runs the models and waits for them; the job, or `None` after Ctrl-C.
async fn run(
    api: &Api,
    (start, end): (NaiveDate, NaiveDate),
    models: &[&str],
    arguments: &HkudsArguments,
) -> anyhow::Result<Option<String>> {
    let body = json!({
        "start_date": start, "end_date": end, "models": models, "experiment": arguments.experiment,
        "reprocess_stale": true, "replace_existing": arguments.replace,
    });
    let accepted = api.post(&["simulate", "trigger"], Some(&body), None).await?;
    let AcceptedJob { job_id } = accepted.deserialize()?;
    let show = if arguments.json { Show::Nothing } else { Show::Progress };
    if !arguments.json {
        note(&format!("Job {job_id}"));
    }
    Ok(watch(api, &job_id, show).await?.map(|_| job_id))
}
