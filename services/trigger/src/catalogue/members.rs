//! The members of an entry, and how they are read as a model.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::accounting::costs::{CostTerms, Costs};
use domain::agent::Dialect;
use domain::job::bounds::{MAX_SIGNATURE, MAX_TRIALS};
use domain::job::{Model, ModelKind};
use domain::strategy::policy::Policy;
use domain::strategy::recorded_orders::{self, RecordedOrder, RecordedOrders};
use domain::values::date::parse_date;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use super::agent::{AgentMembers, agent, client};
use super::config_hash::config_hash;
use super::mistake::CatalogueMistake;

/// One `[[models]]` of the file, or a body of the API.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Members {
    pub(super) signature: String,
    kind: KindName,
    #[serde(default)]
    pub(super) enabled: bool,
    initial_cash: Option<Decimal>,
    trials: Option<u32>,
    costs: Option<CostTerms>,
    training_cutoff: Option<Value>,
    /// The file of the orders.
    decisions: Option<String>,
    /// Its text, in place of the file.
    decisions_csv: Option<String>,
    policy: Option<Policy>,
    #[serde(flatten)]
    agent: AgentMembers,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindName {
    Recorded,
    Policy,
    Llm,
    Http,
    Mcp,
}

impl Members {
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
            value.as_str().and_then(parse_date).ok_or_else(problem)
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
    members: &Members,
    decisions: &mut BTreeMap<String, RecordedOrders>,
    key: &impl Fn(&str) -> String,
    read: &impl Fn(&str) -> Result<String, String>,
) -> Result<ModelKind, CatalogueMistake> {
    let has_decisions = members.decisions.is_some() || members.decisions_csv.is_some();
    Ok(match (&members.kind, has_decisions, &members.policy) {
        (KindName::Llm, false, None) => {
            let dialect = members.agent.dialect.unwrap_or_default().into();
            ModelKind::Agent(Box::new(agent(dialect, &members.agent, key, read)?))
        }
        (KindName::Http | KindName::Mcp, _, _) if members.agent.dialect.is_some() => {
            let fix = "remove the dialect, or write kind = \"llm\"";
            return Err(CatalogueMistake::new(key("dialect"), "is that of a language model", fix));
        }
        (KindName::Http, false, None) => {
            ModelKind::Agent(Box::new(agent(Dialect::Agent, &members.agent, key, read)?))
        }
        (KindName::Mcp, false, None) => ModelKind::Agent(Box::new(client(&members.agent, key, read)?)),
        (KindName::Llm | KindName::Http | KindName::Mcp, _, _) => {
            let fix = "remove decisions and policy, or change the kind";
            return Err(CatalogueMistake::new(key("kind"), "is an agent, which decides for itself", fix));
        }
        (KindName::Policy, false, Some(policy)) => ModelKind::Policy(policy.clone()),
        (KindName::Policy, _, _) => {
            return Err(CatalogueMistake::new(
                key("policy"),
                "is what a policy has, and all it has",
                "add policy = { policy = \"...\" }",
            ));
        }
        (KindName::Recorded, true, None) => ModelKind::Recorded(orders(members, decisions, key, read)?),
        (KindName::Recorded, _, _) => {
            return Err(CatalogueMistake::new(
                key("decisions"),
                "is what a recorded model has",
                "name the CSV file of its orders, or write its text as decisions_csv",
            ));
        }
    })
}

/// All recorded orders of the model, by day and sequence.
fn orders(
    members: &Members,
    decisions: &mut BTreeMap<String, RecordedOrders>,
    key: &impl Fn(&str) -> String,
    read: &impl Fn(&str) -> Result<String, String>,
) -> Result<Vec<RecordedOrder>, CatalogueMistake> {
    let of_model = |all: &RecordedOrders| -> Vec<RecordedOrder> {
        all.get(&members.signature).into_iter().flat_map(BTreeMap::values).flatten().cloned().collect()
    };
    if let Some(text) = &members.decisions_csv {
        let fix = "write the lines of a CSV file model,date,sequence,action,symbol,quantity";
        let all = recorded_orders::parse(text);
        return all
            .map(|all| of_model(&all))
            .map_err(|problem| CatalogueMistake::new(key("decisions_csv"), problem, fix));
    }
    let name = members.decisions.as_deref().unwrap_or_default();
    if !decisions.contains_key(name) {
        let fix = "name a CSV file model,date,sequence,action,symbol,quantity beside the models file";
        let mistake = |problem: String| CatalogueMistake::new(key("decisions"), problem, fix);
        let text = read(name).map_err(mistake)?;
        let all = recorded_orders::parse(&text).map_err(|problem| mistake(problem.to_string()))?;
        decisions.insert(name.to_owned(), all);
    }
    Ok(decisions.get(name).map(of_model).unwrap_or_default())
}
