//! Which endpoints may be called, and what they get of ours: their keys.

use std::collections::BTreeMap;
use std::fmt;

use domain::agent::{Dialect, EndpointRefusal, EndpointRules, Failure, FailureClass, Secrets};
use domain::job::AgentModel;
use runtime::infrastructure::Infrastructure;
use runtime::outbound::{Outbound, endpoint_rules};
use runtime::settings::Settings;

/// Which endpoints may be called, with which keys. Holds the keys of `ENDPOINT_KEYS` and reads no other variable of the
/// environment, whatever a message names.
#[derive(Clone)]
pub struct EndpointAccess {
    rules: EndpointRules,
    /// By variable; those that are set.
    keys: BTreeMap<String, String>,
    pub(crate) outbound: Outbound,
}

/// What a call of an endpoint may carry.
#[derive(Clone, Default)]
pub(crate) struct CallAccess {
    /// The endpoint's key.
    pub(crate) key: Option<String>,
}

/// Why an endpoint is not called.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCalled {
    /// The rules forbid it.
    #[error("{}", .0.sentence(*.1))]
    Refused(EndpointRefusal, Dialect),
    /// The model names a variable that the executor does not have.
    #[error(
        "the executor's environment has no {0}, which this model's api_key_env names; set it and restart"
    )]
    Unset(String),
}

impl CallAccess {
    /// What must never be written down.
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::new(self.key.clone())
    }
}

impl NotCalled {
    /// The same as the failure of a call.
    pub(crate) fn failure(&self) -> Failure {
        let class = match self {
            Self::Refused(..) => FailureClass::NotAllowed,
            Self::Unset(_) => FailureClass::BadCredentials,
        };
        Failure::new(class, &self.to_string())
    }
}

impl EndpointAccess {
    /// Access by `rules`; `key` gives the keys of their variables.
    pub fn new(rules: EndpointRules, outbound: Outbound, key: impl Fn(&str) -> Option<String>) -> Self {
        let keys = rules.variables().into_iter().filter_map(|name| Some((name.to_owned(), key(name)?)));
        Self { keys: keys.collect(), rules, outbound }
    }

    /// Reads `ENDPOINT_KEYS` with the keys that it names, `ENDPOINT_ALLOW` and `OUTBOUND_PROXY`.
    pub fn from_settings(settings: &mut Settings, infrastructure: Option<&Infrastructure>) -> Self {
        let rules = endpoint_rules(settings, infrastructure);
        let outbound = Outbound::from_settings(settings, rules.addresses.clone());
        Self::new(rules, outbound, |variable| settings.variable(variable).map(str::to_owned))
    }

    /// What calls of this model's endpoint may carry.
    pub(crate) fn of(&self, agent: &AgentModel) -> Result<CallAccess, NotCalled> {
        let variable = agent.key_variable.as_deref();
        let checked = self.rules.check(&agent.url, variable);
        checked.map_err(|refusal| NotCalled::Refused(refusal, agent.dialect))?;
        let key = |variable: &str| {
            let key = self.keys.get(variable).cloned();
            key.ok_or_else(|| NotCalled::Unset(variable.to_owned()))
        };
        Ok(CallAccess { key: variable.map(key).transpose()? })
    }
}

impl fmt::Debug for EndpointAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointAccess").field("rules", &self.rules).finish_non_exhaustive()
    }
}
