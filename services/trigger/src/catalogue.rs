//! The models that jobs may name: `models.toml`, read once at start.

mod agent;
mod config_hash;
mod file_model;
mod mistake;
mod scripted;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveDate;
use domain::agent::EndpointRules;
use domain::job::request::KnownModel;
use domain::job::{Model, ModelKind};
use domain::strategy::recorded_orders::RecordedOrders;
use runtime::settings::{TomlError, from_toml};
use serde::Deserialize;

use file_model::FileModel;

pub use mistake::CatalogueMistake;

/// All configured models, in the file's order.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

/// A configured model.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whether it runs when a request names no models.
    pub enabled: bool,
    /// The model with all its recorded orders. A job sets its start and takes the orders of its dates.
    pub model: Model,
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
            let key = match model.get("signature").and_then(toml::Value::as_str) {
                Some(signature) => format!("models.{signature}"),
                None => format!("models[{index}]"),
            };
            let model = match FileModel::deserialize(model) {
                Ok(model) => model,
                Err(error) => {
                    let fix = "correct the entry; docs/configuration.md lists the keys";
                    mistakes.push(CatalogueMistake::new(key, error.message(), fix));
                    continue;
                }
            };
            if !seen.insert(model.signature.clone()) {
                let fix = "give each model its own signature";
                mistakes.push(CatalogueMistake::new(key, "is there twice", fix));
            }
            let enabled = model.enabled;
            match model.into_model(&mut decisions, &read) {
                Ok(model) => entries.push(Entry { enabled, model }),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if mistakes.is_empty() { Ok(Self { entries }) } else { Err(mistakes) }
    }

    /// All models.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The models that a request may name.
    pub fn known(&self) -> Vec<KnownModel> {
        self.entries
            .iter()
            .map(|entry| KnownModel { signature: entry.model.signature.clone(), enabled: entry.enabled })
            .collect()
    }

    /// The model of that name as a job from `start` to `end` keeps it, with the recorded orders of these dates only.
    pub fn snapshot(&self, signature: &str, start: NaiveDate, end: NaiveDate) -> Option<Model> {
        let entry = self.entries.iter().find(|entry| entry.model.signature == signature)?;
        let mut model = Model { start, ..entry.model.clone() };
        if let ModelKind::Recorded(orders) = &mut model.kind {
            orders.retain(|order| (start..=end).contains(&order.date));
        }
        Some(model)
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

/// Why the endpoint of a model may not be called, or may not get its key.
pub(crate) fn endpoint_refusal(model: &Model, rules: &EndpointRules) -> Option<CatalogueMistake> {
    let ModelKind::Agent(agent) = &model.kind else { return None };
    let refusal = rules.check(&agent.url, agent.key_variable.as_deref()).err()?;
    let key = format!("models.{}.{}", model.signature, refusal.field(agent.dialect));
    Some(CatalogueMistake::new(key, &refusal, &refusal.fix()))
}
