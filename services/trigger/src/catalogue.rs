//! The models that jobs may name: `models.toml`, read once at start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveDate;
use domain::accounting::costs::{CostTerms, Costs};
use domain::agent::Dialect;
use domain::job::request::KnownModel;
use domain::job::{AgentModel, Model, ModelKind};
use domain::strategy::policy::Policy;
use domain::strategy::recorded_orders::{self, RecordedOrder, RecordedOrders};
use domain::values::date::parse_date;
use runtime::settings::{TomlError, from_toml};
use rust_decimal::Decimal;
use serde::Deserialize;

mod agent;
mod config_hash;
mod scripted;
#[cfg(test)]
mod tests;

use agent::FileAgent;
use config_hash::config_hash;

/// All configured models, in the file's order.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

/// One configured model.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its unique name.
    pub signature: String,
    /// Whether it runs when a request names no models.
    pub enabled: bool,
    /// Cash of a portfolio before its first day.
    pub initial_cash: Decimal,
    /// Separate portfolios.
    pub trials: u32,
    /// Fees and slippage.
    pub costs: Costs,
    /// Last date that its knowledge may reach; not part of the hash.
    pub training_cutoff: Option<NaiveDate>,
    /// Hash of everything that affects the outcome.
    pub config_hash: String,
    /// How it decides.
    pub kind: EntryKind,
}

/// How a configured model decides.
#[derive(Debug, Clone)]
pub enum EntryKind {
    /// Plays these orders.
    Recorded(BTreeMap<NaiveDate, Vec<RecordedOrder>>),
    /// A built-in baseline.
    Policy(Policy),
    /// Asks an endpoint.
    Agent(Box<AgentModel>),
}

impl EntryKind {
    /// The kind's name in the configuration and the API.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Recorded(_) => "recorded",
            Self::Policy(_) => "policy",
            Self::Agent(agent) => agent.kind(),
        }
    }
}

/// One thing that is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueMistake {
    /// Which key.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub fix: String,
}

impl CatalogueMistake {
    fn new(key: impl Into<String>, problem: impl ToString, fix: &str) -> Self {
        Self { key: key.into(), problem: problem.to_string(), fix: fix.to_owned() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Read one by one, so that a mistake in one does not hide those in the others.
    #[serde(default)]
    models: Vec<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileModel {
    signature: String,
    kind: FileKind,
    #[serde(default)]
    enabled: bool,
    initial_cash: Option<Decimal>,
    trials: Option<u32>,
    costs: Option<CostTerms>,
    training_cutoff: Option<toml::Value>,
    decisions: Option<String>,
    policy: Option<Policy>,
    #[serde(flatten)]
    agent: FileAgent,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileKind {
    Recorded,
    Policy,
    Llm,
    Http,
}

impl Catalogue {
    /// Reads `path`; decision files are found beside it.
    ///
    /// # Errors
    /// Everything that is wrong with the file and the files it names.
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

    /// The models of `text`; `read` gives the text of a decision file.
    ///
    /// # Errors
    /// Everything that is wrong.
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
            match entry(model, &mut decisions, &read) {
                Ok(entry) => entries.push(entry),
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if mistakes.is_empty() { Ok(Self { entries }) } else { Err(mistakes) }
    }

    /// All models.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The models as requests may name them.
    pub fn known(&self) -> Vec<KnownModel> {
        self.entries
            .iter()
            .map(|entry| KnownModel { signature: entry.signature.clone(), enabled: entry.enabled })
            .collect()
    }

    /// A snapshot of the model of that name for a job from `start` to `end`.
    pub fn snapshot(&self, signature: &str, start: NaiveDate, end: NaiveDate) -> Option<Model> {
        let entry = self.entries.iter().find(|entry| entry.signature == signature)?;
        let kind = match &entry.kind {
            EntryKind::Recorded(orders) if start <= end => ModelKind::Recorded(
                orders.range(start..=end).flat_map(|(_, orders)| orders).cloned().collect(),
            ),
            EntryKind::Recorded(_) => ModelKind::Recorded(Vec::new()),
            EntryKind::Policy(policy) => ModelKind::Policy(policy.clone()),
            EntryKind::Agent(agent) => ModelKind::Agent(agent.clone()),
        };
        Some(Model {
            signature: entry.signature.clone(),
            config_hash: entry.config_hash.clone(),
            initial_cash: entry.initial_cash,
            trials: entry.trials,
            start,
            only: None,
            costs: entry.costs,
            training_cutoff: entry.training_cutoff,
            kind,
        })
    }
}

fn entry(
    model: FileModel,
    decisions: &mut BTreeMap<String, RecordedOrders>,
    read: &impl Fn(&str) -> Result<String, String>,
) -> Result<Entry, CatalogueMistake> {
    let key = |name: &str| format!("models.{}.{name}", model.signature);
    let valid = |c: char| c.is_ascii_alphanumeric() || "._-/:@+".contains(c);
    if model.signature.is_empty() || model.signature.len() > 100 || !model.signature.chars().all(valid) {
        let fix = "write 1 to 100 of letters, digits and . _ - / : @ +";
        return Err(CatalogueMistake::new(
            key("signature"),
            format!("{:?} is not a name", model.signature),
            fix,
        ));
    }
    let initial_cash = model.initial_cash.unwrap_or(Decimal::from(10_000));
    if initial_cash <= Decimal::ZERO {
        return Err(CatalogueMistake::new(
            key("initial_cash"),
            "is not above zero",
            "write an amount in dollars",
        ));
    }
    let trials = model.trials.unwrap_or(1);
    if !(1..=1000).contains(&trials) {
        return Err(CatalogueMistake::new(
            key("trials"),
            format!("{trials} is not 1 to 1000"),
            "write 1 or more",
        ));
    }
    let costs = Costs::try_from(model.costs.unwrap_or_default())
        .map_err(|problem| CatalogueMistake::new(key("costs"), problem, "correct the terms"))?;
    let training_cutoff = model.training_cutoff.as_ref().map(|value| {
        let fix = "write the last day of the model's training data, such as 2024-10-31";
        let problem = || CatalogueMistake::new(key("training_cutoff"), format!("{value} is not a date"), fix);
        date(value).ok_or_else(problem)
    });
    let training_cutoff = training_cutoff.transpose()?;
    let kind = match (&model.kind, &model.decisions, &model.policy) {
        (FileKind::Llm, None, None) => {
            EntryKind::Agent(Box::new(agent::agent(Dialect::ChatCompletions, &model.agent, &key, read)?))
        }
        (FileKind::Http, None, None) => {
            EntryKind::Agent(Box::new(agent::agent(Dialect::Agent, &model.agent, &key, read)?))
        }
        (FileKind::Llm | FileKind::Http, _, _) => {
            let fix = "remove decisions and policy, or change the kind";
            return Err(CatalogueMistake::new(key("kind"), "is an agent, which decides for itself", fix));
        }
        (FileKind::Policy, None, Some(policy)) => EntryKind::Policy(policy.clone()),
        (FileKind::Policy, _, _) => {
            return Err(CatalogueMistake::new(
                key("policy"),
                "is what a policy has, and all it has",
                "add policy = { policy = \"...\" }",
            ));
        }
        (FileKind::Recorded, Some(name), None) => {
            if !decisions.contains_key(name) {
                let fix = "name a CSV file model,date,sequence,action,symbol,quantity beside the models file";
                let text =
                    read(name).map_err(|problem| CatalogueMistake::new(key("decisions"), problem, fix))?;
                let orders = recorded_orders::parse(&text)
                    .map_err(|problem| CatalogueMistake::new(key("decisions"), problem, fix))?;
                decisions.insert(name.clone(), orders);
            }
            let orders = decisions.get(name).and_then(|orders| orders.get(&model.signature)).cloned();
            EntryKind::Recorded(orders.unwrap_or_default())
        }
        (FileKind::Recorded, _, _) => {
            return Err(CatalogueMistake::new(
                key("decisions"),
                "is what a recorded model has",
                "name the CSV file of its orders",
            ));
        }
    };
    let config_hash = config_hash(initial_cash, &costs, &kind);
    Ok(Entry {
        signature: model.signature.clone(),
        enabled: model.enabled,
        initial_cash,
        trials,
        costs,
        training_cutoff,
        config_hash,
        kind,
    })
}

/// A date as TOML has it, or as text; nothing with a time.
fn date(value: &toml::Value) -> Option<NaiveDate> {
    let text = match value {
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::String(text) => text.clone(),
        _ => return None,
    };
    parse_date(&text)
}
