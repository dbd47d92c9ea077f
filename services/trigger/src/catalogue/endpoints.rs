//! How a deployment calls the endpoints of models.

use domain::agent::{Dialect, EndpointRules};
use domain::job::{Model, ModelKind};

use super::entry::Entry;
use super::mistake::CatalogueMistake;
use super::scripted;

/// How a deployment calls the endpoints of models.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// `ENDPOINT_KEYS`, `ENDPOINT_ALLOW`: which endpoints may be called with which keys.
    pub rules: EndpointRules,
    /// Whether this is `DEV`, where no paid endpoint is called.
    pub is_dev: bool,
    /// `DEV_ENDPOINT_URL`: what is called in `DEV` instead.
    pub script: Option<String>,
}

impl Endpoints {
    /// The entry as this deployment runs it, and why it may not run it.
    pub(crate) fn admitted(&self, mut entry: Entry) -> (Entry, Option<CatalogueMistake>) {
        if self.is_dev && scripted::is_paid(&entry.model) {
            let Some(script) = &self.script else {
                let key = format!("models.{}", entry.model.signature);
                let fix = "set DEV_ENDPOINT_URL to the address of a scripted endpoint, and restart";
                let problem = "has an endpoint that may cost money, which is not called in DEV";
                return (entry, Some(CatalogueMistake::new(key, problem, fix)));
            };
            scripted::use_script(&mut entry.model, script);
        }
        let refusal = endpoint_refusal(&entry.model, &self.rules);
        (entry, refusal)
    }
}

/// Why the endpoint of a model may not be called, or may not get its key.
pub(crate) fn endpoint_refusal(model: &Model, rules: &EndpointRules) -> Option<CatalogueMistake> {
    let ModelKind::Agent(agent) = &model.kind else { return None };
    if agent.dialect == Dialect::Mcp {
        return None;
    }
    let refusal = rules.check(&agent.url, agent.key_variable.as_deref()).err()?;
    let key = format!("models.{}.{}", model.signature, refusal.field(agent.dialect));
    Some(CatalogueMistake::new(key, &refusal, &refusal.fix()))
}
