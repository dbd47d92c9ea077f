//! `modelday models put`.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use serde::Deserialize;
use trigger::catalogue::Catalogue;

use crate::client::command::format::Format;
use crate::client::exit::Exit;
use crate::client::http::{Api, Connection};
use crate::terminal::output::print_line;

/// Which models to store.
#[derive(Args)]
pub(crate) struct PutArguments {
    /// The file of models, in TOML.
    file: PathBuf,
    #[command(flatten)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Deserialize)]
struct StoredModel {
    signature: String,
    version: u32,
    config_hash: String,
    #[serde(default)]
    why: Option<String>,
}

/// Stores each model of the file. A file with a mistake is not sent.
pub(super) async fn main(arguments: &PutArguments) -> anyhow::Result<Exit> {
    let api = Api::new(&arguments.connection)?;
    let catalogue = match Catalogue::load(&arguments.file) {
        Ok(catalogue) => catalogue,
        Err(mistakes) => {
            let lines: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            bail!("{}:\n  {}", arguments.file.display(), lines.join("\n  "));
        }
    };
    if catalogue.entries().is_empty() {
        bail!("{} has no [[models]]", arguments.file.display());
    }
    for entry in catalogue.entries() {
        let body = api.put(&["models", &entry.model.signature], &entry.members).await?;
        if let Some(stored) = arguments.format.unless_json::<StoredModel>(&body)? {
            let StoredModel { signature, version, config_hash, why } = stored;
            let why = why.map(|why| format!("; not ready: {why}")).unwrap_or_default();
            print_line(&format!("{signature}: version {version}, configuration {config_hash}{why}"))?;
        }
    }
    Ok(Exit::Done)
}
