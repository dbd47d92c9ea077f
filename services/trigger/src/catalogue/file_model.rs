//! One entry of `models.toml`, and how it is read.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::accounting::costs::{CostTerms, Costs};
use domain::agent::Dialect;
use domain::job::bounds::{MAX_SIGNATURE, MAX_TRIALS};
use domain::job::{Model, ModelKind};
use domain::strategy::policy::Policy;
use domain::strategy::recorded_orders::{self, RecordedOrders};
use domain::values::date::parse_date;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::agent::{FileAgent, agent};
use super::config_hash::config_hash;
use super::mistake::CatalogueMistake;

/// One `[[models]]` of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileModel {
    pub(super) signature: String,
    kind: FileKind,
    #[serde(default)]
    pub(super) enabled: bool,
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

impl FileModel {
    /// The model with all its recorded orders; `read` gives the text of a file beside the models file.
    pub(super) fn into_model(
        self,
        decisions: &mut BTreeMap<String, RecordedOrders>,
        read: &impl Fn(&str) -> Result<String, String>,
    ) -> Result<Model, CatalogueMistake> {
        let key = |name: &str| format!("models.{}.{name}", self.signature);
        let valid = |c: char| c.is_ascii_alphanumeric() || "._-/:@+".contains(c);
        if self.signature.is_empty()
            || self.signature.len() > MAX_SIGNATURE
            || !self.signature.chars().all(valid)
        {
            let fix = "write 1 to 100 of letters, digits and . _ - / : @ +";
            return Err(CatalogueMistake::new(
                key("signature"),
                format!("{:?} is not a name", self.signature),
                fix,
            ));
        }
        let initial_cash = self.initial_cash.unwrap_or(Decimal::from(10_000));
        if initial_cash <= Decimal::ZERO {
            return Err(CatalogueMistake::new(
                key("initial_cash"),
                "is not above zero",
                "write an amount in dollars",
            ));
        }
        let trials = self.trials.unwrap_or(1);
        if !(1..=MAX_TRIALS).contains(&trials) {
            return Err(CatalogueMistake::new(
                key("trials"),
                format!("{trials} is not 1 to {MAX_TRIALS}"),
                "write 1 or more",
            ));
        }
        let costs = Costs::try_from(self.costs.unwrap_or_default())
            .map_err(|problem| CatalogueMistake::new(key("costs"), problem, "correct the terms"))?;
        let training_cutoff = self.training_cutoff.as_ref().map(|value| {
            let fix = "write the last day of the model's training data, such as 2024-10-31";
            let problem =
                || CatalogueMistake::new(key("training_cutoff"), format!("{value} is not a date"), fix);
            date(value).ok_or_else(problem)
        });
        let training_cutoff = training_cutoff.transpose()?;
        let kind = kind_of(&self, decisions, &key, read)?;
        let config_hash = config_hash(initial_cash, &costs, &kind);
        Ok(Model {
            signature: self.signature,
            start: NaiveDate::MIN,
            requested_dates: None,
            initial_cash,
            trials,
            costs,
            training_cutoff,
            config_hash,
            kind,
        })
    }
}

/// How the model decides. Decision files are read once, into `decisions`.
fn kind_of(
    model: &FileModel,
    decisions: &mut BTreeMap<String, RecordedOrders>,
    key: &impl Fn(&str) -> String,
    read: &impl Fn(&str) -> Result<String, String>,
) -> Result<ModelKind, CatalogueMistake> {
    Ok(match (&model.kind, &model.decisions, &model.policy) {
        (FileKind::Llm, None, None) => {
            let dialect = model.agent.dialect.unwrap_or_default().into();
            ModelKind::Agent(Box::new(agent(dialect, &model.agent, key, read)?))
        }
        (FileKind::Http, _, _) if model.agent.dialect.is_some() => {
            let fix = "remove the dialect, or write kind = \"llm\"";
            return Err(CatalogueMistake::new(key("dialect"), "is that of a language model", fix));
        }
        (FileKind::Http, None, None) => {
            ModelKind::Agent(Box::new(agent(Dialect::Agent, &model.agent, key, read)?))
        }
        (FileKind::Llm | FileKind::Http, _, _) => {
            let fix = "remove decisions and policy, or change the kind";
            return Err(CatalogueMistake::new(key("kind"), "is an agent, which decides for itself", fix));
        }
        (FileKind::Policy, None, Some(policy)) => ModelKind::Policy(policy.clone()),
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
            ModelKind::Recorded(orders.unwrap_or_default().into_values().flatten().collect())
        }
        (FileKind::Recorded, _, _) => {
            return Err(CatalogueMistake::new(
                key("decisions"),
                "is what a recorded model has",
                "name the CSV file of its orders",
            ));
        }
    })
}

/// A date, as a date of TOML or as text; without a time.
fn date(value: &toml::Value) -> Option<NaiveDate> {
    let text = match value {
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::String(text) => text.clone(),
        _ => return None,
    };
    parse_date(&text)
}
