//! The agents of the catalogue as executor reads them, which tries one by hand.

use chrono::NaiveDate;
use contract::encode_model;
use domain::agent::Dialect;
use domain::job::{Model, ModelKind};

use crate::current::Current;

/// Signatures and bodies of the agents that this deployment may run.
pub(crate) fn agents(current: &Current) -> Vec<(String, String)> {
    let models = current.models.iter().filter(|listed| listed.refusal.is_none());
    let models = models.map(|listed| &listed.entry.model);
    // A client over MCP is called nowhere.
    let is_called =
        |model: &&Model| matches!(&model.kind, ModelKind::Agent(agent) if agent.dialect != Dialect::Mcp);
    let agents = models.filter(is_called);
    // A job gives a model its start; here it only has to be a date.
    let body = |model: &Model| encode_model(&Model { start: NaiveDate::default(), ..model.clone() });
    agents.filter_map(|model| Some((model.signature.clone(), body(model).ok()?))).collect()
}
