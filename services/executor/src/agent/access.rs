//! Which endpoints may be called, and what they get of ours: their keys, and signatures by which they know us.

use std::collections::BTreeMap;
use std::fmt;

use domain::agent::endpoint::KeyHost;
use domain::agent::{Dialect, EndpointRefusal, EndpointRules, Failure, FailureClass, Secrets};
use domain::job::AgentModel;
use runtime::infrastructure::Infrastructure;
use runtime::outbound::{Outbound, endpoint_rules, key_hosts, list};
use runtime::reloaded::Changes;
use runtime::settings::Settings;

use super::signature::{SigningSecret, SigningSecretError};

/// What a variable holds, and for which hosts.
#[derive(Default, PartialEq, Eq)]
struct Held<'a> {
    keys: Vec<(&'a KeyHost, &'a str)>,
    secrets: Vec<(&'a KeyHost, &'a SigningSecret)>,
}

/// Which endpoints may be called, with which keys. Holds the keys of `ENDPOINT_KEYS` and reads no other variable of the
/// environment, whatever a message names.
#[derive(Clone)]
pub struct EndpointAccess {
    rules: EndpointRules,
    /// By variable; those that are set.
    keys: BTreeMap<String, String>,
    /// The secrets that we share with agents, with their hosts.
    signers: Vec<(KeyHost, SigningSecret)>,
    pub(crate) outbound: Outbound,
}

/// What a call of an endpoint may carry.
#[derive(Clone, Default)]
pub(crate) struct CallAccess {
    /// The endpoint's key.
    pub(crate) key: Option<String>,
    /// The secrets that it is signed with.
    pub(crate) signers: Vec<SigningSecret>,
}

/// Why an endpoint is not called.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCalled {
    /// The rules forbid it.
    #[error("{}", .0.sentence(*.1))]
    Refused(EndpointRefusal, Dialect),
    /// The model names a variable that the executor does not have.
    #[error(
        "the executor has no {0}, which this model's api_key_env names; write it to KEYS_FILE and run `modelday reload`, \
         or set it and restart"
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
        Self { keys: keys.collect(), signers: Vec::new(), rules, outbound }
    }

    /// Reads `ENDPOINT_KEYS` and `AGENT_SECRETS` with the variables that they name, `ENDPOINT_ALLOW`, `OUTBOUND_PROXY`.
    pub fn from_settings(settings: &mut Settings, infrastructure: Option<&Infrastructure>) -> Self {
        let rules = endpoint_rules(settings, infrastructure);
        let outbound = Outbound::from_settings(settings, rules.addresses.clone());
        Self::with_keys(settings, rules, outbound)
    }

    /// The same addresses with the keys and secrets that `settings` have.
    pub(crate) fn renewed(&self, settings: &mut Settings) -> Self {
        let rules = EndpointRules::new(self.rules.addresses.clone(), key_hosts(settings));
        Self::with_keys(settings, rules, self.outbound.clone())
    }

    fn with_keys(settings: &mut Settings, rules: EndpointRules, outbound: Outbound) -> Self {
        let signers = signers(settings);
        let keys = |variable: &str| settings.variable(variable).map(str::to_owned);
        Self { signers, ..Self::new(rules, outbound, keys) }
    }

    /// What is other than it was in `former`, by the names of variables; of a changed one, the value or the hosts.
    pub(crate) fn changes_since(&self, former: &Self) -> Changes {
        let (ours, theirs) = (self.by_variable(), former.by_variable());
        let mut changes = Changes::default();
        for (variable, held) in &ours {
            match theirs.get(variable) {
                None => changes.added.push((*variable).to_owned()),
                Some(known) if known == held => changes.unchanged += 1,
                Some(_) => changes.changed.push((*variable).to_owned()),
            }
        }
        let gone = theirs.keys().filter(|variable| !ours.contains_key(*variable));
        changes.removed = gone.map(|variable| (*variable).to_owned()).collect();
        changes
    }

    /// The keys and secrets of each variable that is set, with their hosts.
    fn by_variable(&self) -> BTreeMap<&str, Held<'_>> {
        let mut held: BTreeMap<&str, Held<'_>> = BTreeMap::new();
        for host in self.rules.keys() {
            if let Some(key) = self.keys.get(host.variable()) {
                held.entry(host.variable()).or_default().keys.push((host, key.as_str()));
            }
        }
        for (host, secret) in &self.signers {
            held.entry(host.variable()).or_default().secrets.push((host, secret));
        }
        held
    }

    /// The variables that may hold keys, and whether each is set.
    pub(crate) fn key_variables(&self) -> Vec<(String, bool)> {
        let variables = self.rules.variables().into_iter();
        variables.map(|variable| (variable.to_owned(), self.keys.contains_key(variable))).collect()
    }

    /// What calls of this model's endpoint may carry.
    pub(crate) fn of(&self, agent: &AgentModel) -> Result<CallAccess, NotCalled> {
        let variable = agent.key_variable.as_deref();
        let checked = self.rules.check(&agent.url, variable);
        let url = checked.map_err(|refusal| NotCalled::Refused(refusal, agent.dialect))?;
        let key = |variable: &str| {
            let key = self.keys.get(variable).cloned();
            key.ok_or_else(|| NotCalled::Unset(variable.to_owned()))
        };
        let signers = self.signers.iter().filter(|(host, _)| host.is_for(&url));
        Ok(CallAccess {
            key: variable.map(key).transpose()?,
            signers: signers.map(|(_, secret)| secret.clone()).collect(),
        })
    }
}

/// The secrets of `AGENT_SECRETS`, with the agents' hosts.
fn signers(settings: &mut Settings) -> Vec<(KeyHost, SigningSecret)> {
    const KEY: &str = "AGENT_SECRETS";
    let fix = "write VARIABLE@host:port entries separated by spaces, with the variable that holds the secret and never \
               the secret itself, e.g. MY_AGENT_SECRET@127.0.0.1:8099";
    let hosts: Vec<KeyHost> = list(settings, KEY, fix).unwrap_or_default();
    let mut signers = Vec::new();
    for host in hosts {
        let variable = host.variable().to_owned();
        match settings.variable(&variable).map(str::parse) {
            Some(Ok(secret)) => signers.push((host, secret)),
            Some(Err(problem)) => {
                let problem: SigningSecretError = problem;
                let fix = format!("set {variable} to whsec_ and the base64 of 32 random bytes");
                settings.invalid(KEY, format!("names {variable}, which {problem}"), &fix);
            }
            None => {
                let problem = format!("names {variable}, which is not set");
                settings.invalid(KEY, problem, "set the variable, or remove the entry");
            }
        }
    }
    signers
}

impl fmt::Debug for EndpointAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointAccess").field("rules", &self.rules).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn read(environment: &[(&str, &str)]) -> (EndpointAccess, Result<(), String>) {
        let environment =
            environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut settings = Settings::new(environment, None);
        let access = EndpointAccess::from_settings(&mut settings, None);
        (access, settings.finish(Some(())).map_err(|problem| problem.to_string()))
    }

    #[test]
    fn a_secret_belongs_to_a_host_and_a_wrong_one_is_named_by_its_variable() {
        let (access, _) = read(&[("AGENT_SECRETS", "S@127.0.0.1:8099"), ("S", SECRET)]);
        let (_, wrong) = read(&[("AGENT_SECRETS", "A@host B@host"), ("A", "whsec_hush")]);

        let is_for = |url: &str| access.signers.iter().any(|(host, _)| host.is_for(&url.parse().unwrap()));
        assert!(is_for("http://127.0.0.1:8099/") && !is_for("http://127.0.0.1:8098/"));
        let wrong = wrong.unwrap_err();
        assert!(wrong.contains("names A, which is not whsec_ and the base64 of 24 bytes or more"), "{wrong}");
        assert!(
            wrong.contains("names B, which is not set; set the variable, or remove the entry"),
            "{wrong}"
        );
        assert!(!wrong.contains("hush") && !format!("{access:?}").contains("whsec_"), "{wrong}");
    }

    #[test]
    fn what_has_changed_is_known_by_the_names_of_variables() {
        let hosts = ("ENDPOINT_KEYS", "A@a.example B@b.example C@c.example D@d.example");
        let (former, _) = read(&[
            hosts,
            ("A", "1"),
            ("B", "2"),
            ("C", "3"),
            ("AGENT_SECRETS", "S@s.example"),
            ("S", SECRET),
        ]);
        let other = ("ENDPOINT_KEYS", "A@a.example B@b.example C@elsewhere.example D@d.example");
        let (renewed, _) = read(&[other, ("A", "1"), ("B", "22"), ("C", "3"), ("D", "4")]);

        let changes = renewed.changes_since(&former);

        assert_eq!(changes.added, ["D"]);
        assert_eq!(changes.changed, ["B", "C"]);
        assert_eq!((changes.removed, changes.unchanged), (vec!["S".to_owned()], 1));
    }

    #[test]
    fn keys_that_are_read_again_open_no_address() {
        let (former, _) = read(&[("ENDPOINT_ALLOW", "10.0.0.1")]);
        let environment = [("ENDPOINT_ALLOW", "0.0.0.0/0"), ("ENDPOINT_KEYS", "A@10.0.0.1"), ("A", "k")];
        let environment = environment.map(|(key, value)| (key.to_owned(), value.to_owned())).into();

        let renewed = former.renewed(&mut Settings::new(environment, None));

        assert_eq!(renewed.rules.addresses, former.rules.addresses);
        assert_eq!(renewed.keys.keys().collect::<Vec<_>>(), ["A"]);
    }

    #[test]
    fn only_keys_that_belong_to_a_host_are_read() {
        let (access, _) = read(&[
            ("ENDPOINT_KEYS", "MINE@a.example"),
            ("MINE", "k"),
            ("OTHER", "o"),
            ("GROQ_API_KEY", "g"),
        ]);

        assert_eq!(access.keys.keys().collect::<Vec<_>>(), ["GROQ_API_KEY", "MINE"]);
    }
}
