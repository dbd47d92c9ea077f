//! An entry of the catalogue: the model, and the members that it was read from.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::agent::prompt::Prompt;
use domain::job::{Model, ModelKind};
use domain::strategy::recorded_orders::{RecordedOrders, to_csv};
use serde::Deserialize as _;
use serde_json::Value;

use super::members::Members;
use super::mistake::CatalogueMistake;

/// A configured model.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Whether it runs when a request names no models.
    pub enabled: bool,
    /// The model with all its recorded orders. A job sets its start and takes the orders of its dates.
    pub model: Model,
    /// The members that it was read from, an object; with the texts of the files that they name, so that it can be read
    /// again without them.
    pub members: Value,
}

impl Entry {
    /// The model of these members. `key` names it in mistakes; `read` gives the text of a file, and files of decisions that
    /// were read once are in `decisions`.
    ///
    /// # Errors
    /// The first mistake.
    pub(super) fn read(
        key: String,
        members: Value,
        decisions: &mut BTreeMap<String, RecordedOrders>,
        read: &impl Fn(&str) -> Result<String, String>,
    ) -> Result<Self, CatalogueMistake> {
        let parsed = Members::deserialize(&members).map_err(|error| {
            CatalogueMistake::new(key, error, "correct the entry; docs/configuration.md lists the keys")
        })?;
        let enabled = parsed.enabled;
        let model = parsed.into_model(decisions, read)?;
        let members = with_texts(members, &model);
        Ok(Self { enabled, model, members })
    }

    /// The model of members that name no files, as they are stored and as the API gets them.
    ///
    /// # Errors
    /// The first mistake.
    pub fn of_members(signature: &str, members: Value) -> Result<Self, CatalogueMistake> {
        let no_files = |_: &str| {
            let problem = "is a file, which only the models file may name; send its text as prompt_text or decisions_csv";
            Err(problem.to_owned())
        };
        Self::read(format!("models.{signature}"), members, &mut BTreeMap::new(), &no_files)
    }

    /// The model as a job from `start` to `end` keeps it, with the recorded orders of these dates only.
    pub(crate) fn snapshot(&self, start: NaiveDate, end: NaiveDate) -> Model {
        let mut model = Model { start, ..self.model.clone() };
        if let ModelKind::Recorded(orders) = &mut model.kind {
            orders.retain(|order| (start..=end).contains(&order.date));
        }
        model
    }
}

/// The members with the texts of the files that they name: of a decisions file, only the orders of this model.
fn with_texts(mut members: Value, model: &Model) -> Value {
    match &model.kind {
        ModelKind::Recorded(orders) => members["decisions_csv"] = to_csv(&model.signature, orders).into(),
        ModelKind::Agent(agent) if agent.settings.prompt != Prompt::default() => {
            members["prompt_text"] = String::from(agent.settings.prompt.template.clone()).into();
        }
        ModelKind::Agent(_) | ModelKind::Policy(_) => {}
    }
    members
}
