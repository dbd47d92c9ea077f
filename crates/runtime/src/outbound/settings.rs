//! The settings of outbound calls.

use std::fmt::Display;
use std::str::FromStr;

use domain::agent::endpoint::{EndpointUrlError, KeyHost};
use domain::agent::{AddressRules, EndpointRefusal, EndpointRules};

use super::{Outbound, SendsTraceContext};
use crate::infrastructure::Infrastructure;
use crate::settings::Settings;

const PLAIN: &str = "write http://host:port or https://host, without user and password";

impl Outbound {
    /// Reads `OUTBOUND_PROXY`, `TRACE_CONTEXT_TO_MODELS` and `TRACE_CONTEXT_TO_PROVIDERS`.
    pub fn from_settings(settings: &mut Settings, rules: AddressRules) -> Self {
        let proxy = web_address(settings, "OUTBOUND_PROXY", PLAIN);
        let sends_trace_context = SendsTraceContext {
            to_models: settings.flag("TRACE_CONTEXT_TO_MODELS", true),
            to_providers: settings.flag("TRACE_CONTEXT_TO_PROVIDERS", true),
        };
        Self { sends_trace_context, ..Self::new(rules, proxy.and_then(|proxy| proxy.parse().ok())) }
    }
}

/// Reads which endpoints may be called with which keys: `ENDPOINT_ALLOW` and `ENDPOINT_KEYS`.
pub fn endpoint_rules(settings: &mut Settings, infrastructure: Option<&Infrastructure>) -> EndpointRules {
    let fix = "write networks such as 10.0.0.0/8, addresses, and names of hosts, separated by spaces";
    let allowed = list(settings, "ENDPOINT_ALLOW", fix);
    // An API that only this machine reaches may call it; one that others reach must not be their way into it.
    let is_local = infrastructure.is_none_or(|shared| shared.address.listen.ip().is_loopback());
    let addresses = match allowed {
        Some(allowed) => AddressRules::new(allowed),
        None if is_local => AddressRules::with_loopback(),
        None => AddressRules::default(),
    };
    EndpointRules::new(addresses, key_hosts(settings))
}

/// Reads which host each key belongs to, beside those of common providers: `ENDPOINT_KEYS`.
pub fn key_hosts(settings: &mut Settings) -> Vec<KeyHost> {
    let fix = "write VARIABLE@host entries separated by spaces, with the variable that holds the key and never the key \
               itself, e.g. MY_KEY@llm.example.com";
    list(settings, "ENDPOINT_KEYS", fix).unwrap_or_default()
}

/// The entries of a setting, separated by spaces or commas; `None` when it is absent. Those that are none are noted as
/// mistakes.
pub fn list<T>(settings: &mut Settings, key: &str, fix: &str) -> Option<Vec<T>>
where
    T: FromStr,
    T::Err: Display,
{
    let text = settings.text(key)?;
    let entries = text.split(|c: char| c.is_whitespace() || c == ',').filter(|entry| !entry.is_empty());
    let mut read = Vec::new();
    for entry in entries {
        match entry.parse::<T>() {
            Ok(entry) => read.push(entry),
            Err(error) => settings.invalid(key, error.to_string(), fix),
        }
    }
    Some(read)
}

/// A setting that is a web address which the operator chose. An invalid one is noted as a mistake and not repeated, as
/// people put keys into addresses.
pub fn web_address(settings: &mut Settings, key: &str, fix: &str) -> Option<String> {
    let text = settings.text(key)?;
    let rules = EndpointRules::new(AddressRules::of_operator(), Vec::new());
    match rules.check(&text, None) {
        Ok(_) => return Some(text),
        Err(EndpointRefusal::Url(problem @ EndpointUrlError::NotWeb)) => {
            settings.invalid(key, problem.to_string(), fix);
        }
        Err(EndpointRefusal::Url(problem @ EndpointUrlError::Credentials)) => {
            settings.invalid(key, problem.to_string(), "write it without them");
        }
        Err(problem) => settings.invalid(key, problem.to_string(), &problem.fix()),
    }
    None
}
