//! Models as they are configured: entries of `models.toml`, and bodies of the API.

mod agent;
mod config_hash;
mod endpoints;
mod entry;
mod members;
mod mistake;
mod scripted;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveDate;
use domain::agent::EndpointRules;
use domain::job::Model;
use domain::strategy::recorded_orders::RecordedOrders;
use runtime::settings::{TomlError, from_toml};
use serde::Deserialize;
use serde_json::Value;

pub(crate) use config_hash::{hash_in_universe, universe_hash};
pub use endpoints::Endpoints;
pub(crate) use endpoints::endpoint_refusal;
pub use entry::Entry;
pub use mistake::CatalogueMistake;

/// Models in their order.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Read one by one, so that a mistake in one does not hide mistakes in the others.
    #[serde(default)]
    models: Vec<toml::Value>,
}

impl Catalogue {
    /// Reads the file at `path`, and the files beside it that it names.
    ///
    /// # Errors
    /// All mistakes in these files.
    pub fn load(path: &Path) -> Result<Self, Vec<CatalogueMistake>> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            vec![CatalogueMistake::new(
                "MODELS_FILE",
                format!("cannot be read: {error}"),
                "create it (configs/models.toml of the repository is an example), or set MODELS_FILE",
            )]
        })?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        Self::parse(&text, |name| {
            std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string())
        })
    }

    /// The models of `text`; `read` gives the text of a file that it names.
    ///
    /// # Errors
    /// All mistakes.
    pub fn parse(
        text: &str,
        read: impl Fn(&str) -> Result<String, String>,
    ) -> Result<Self, Vec<CatalogueMistake>> {
        let file: File = from_toml(text).map_err(|TomlError { line, problem }| {
            vec![CatalogueMistake::new(line, problem, "write the file as TOML, with one [[models]] a model")]
        })?;
        let mut decisions: BTreeMap<String, RecordedOrders> = BTreeMap::new();
        let mut mistakes = Vec::new();
        let mut entries = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, model) in file.models.into_iter().enumerate() {
            let members = json(model);
            let key = match members["signature"].as_str() {
                Some(signature) => format!("models.{signature}"),
                None => format!("models[{index}]"),
            };
            if members["signature"].as_str().is_some_and(|name| !seen.insert(name.to_owned())) {
                let fix = "give each model its own signature";
                mistakes.push(CatalogueMistake::new(key.as_str(), "is there twice", fix));
            }
            match Entry::read(key, members, &mut decisions, &read) {
                Ok(entry) => entries.push(entry),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if mistakes.is_empty() { Ok(Self { entries }) } else { Err(mistakes) }
    }

    /// The models as a deployment runs them.
    ///
    /// # Errors
    /// A mistake for each model that it may not run.
    pub(crate) fn admitted(self, endpoints: &Endpoints) -> Result<Self, Vec<CatalogueMistake>> {
        let admitted = self.entries.into_iter().map(|entry| endpoints.admitted(entry));
        let (entries, mistakes): (Vec<_>, Vec<_>) = admitted.unzip();
        let mistakes: Vec<_> = mistakes.into_iter().flatten().collect();
        if mistakes.is_empty() { Ok(Self { entries }) } else { Err(mistakes) }
    }

    /// All models.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The model of that name as a job from `start` to `end` keeps it.
    pub fn snapshot(&self, signature: &str, start: NaiveDate, end: NaiveDate) -> Option<Model> {
        let entry = self.entries.iter().find(|entry| entry.model.signature == signature)?;
        Some(entry.snapshot(start, end))
    }

    /// All models whose endpoints may not be called, or may not get the key that the model names.
    pub fn endpoint_mistakes(&self, rules: &EndpointRules) -> Vec<CatalogueMistake> {
        let models = self.entries.iter().map(|entry| &entry.model);
        models.filter_map(|model| endpoint_refusal(model, rules)).collect()
    }

    /// Names of the models whose endpoints may cost money: language models, and agents on other machines.
    pub fn paid(&self) -> Vec<&str> {
        let models = self.entries.iter().map(|entry| &entry.model);
        models.filter(|model| scripted::is_paid(model)).map(|model| model.signature.as_str()).collect()
    }

    /// This catalogue with scripted endpoints for the models of [`Catalogue::paid`]: chat completions at `endpoint`, agents
    /// at `agent` below it. The models keep their limits and have no API keys.
    #[must_use]
    pub fn scripted(mut self, endpoint: &str) -> Self {
        let models = self.entries.iter_mut().map(|entry| &mut entry.model);
        models
            .filter(|model| scripted::is_paid(model))
            .for_each(|model| scripted::use_script(model, endpoint));
        self
    }
}

/// A value of TOML as one of JSON; dates as texts.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(list) => list.into_iter().map(json).collect(),
        toml::Value::Table(table) => table.into_iter().map(|(name, value)| (name, json(value))).collect(),
    }
}
