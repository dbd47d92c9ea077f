//! `modelday models`: the models that jobs may name.

use serde::Deserialize;

use super::super::list_options::ListOptions;
use crate::client::exit::Exit;
use crate::terminal::grid::{exact, number, words};
use crate::terminal::output::note;
use crate::terminal::table::{Table, cell, maybe};

#[derive(Deserialize)]
struct Models {
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    signature: String,
    kind: String,
    enabled: bool,
    initial_cash: f64,
    trials: u64,
    config_hash: String,
    training_cutoff: Option<String>,
    ready: bool,
    why: Option<String>,
    origin: String,
    version: u64,
}

/// Lists the models, and why some cannot run.
pub(super) async fn main(options: &ListOptions) -> anyhow::Result<Exit> {
    let Some(Models { models }) = options.get(&["models"], &()).await? else { return Ok(Exit::Done) };
    let columns =
        [words("Model"), exact("Kind"), exact("Enabled"), number("Cash"), number("Trials"), words("Ready")];
    let more = [exact("Origin"), number("Version"), exact("Training cutoff"), exact("Config hash")];
    let mut table = Table::new(columns).with_more(more);
    for model in models {
        let ready = match model.ready {
            true => "yes".to_owned(),
            false => format!("no: {}", model.why.unwrap_or_default()),
        };
        table.row([
            cell(model.signature),
            cell(model.kind),
            cell(if model.enabled { "yes" } else { "no" }),
            cell(format!("{:.2}", model.initial_cash)),
            cell(model.trials.to_string()),
            cell(ready),
            cell(model.origin),
            cell(model.version.to_string()),
            maybe(model.training_cutoff),
            cell(model.config_hash),
        ]);
    }
    options.print(table)?;
    if !options.is_csv() {
        note("\nThose that are enabled run when a job names none.");
    }
    Ok(Exit::Done)
}
