//! Scripted endpoints, which replace paid ones in a `DEV` deployment.

use domain::agent::{Dialect, EndpointUrl};
use domain::job::{Model, ModelKind};

use super::config_hash::config_hash;

/// Whether the model's endpoint may cost money.
pub(super) fn is_paid(model: &Model) -> bool {
    match &model.kind {
        ModelKind::Recorded(_) | ModelKind::Policy(_) => false,
        ModelKind::Agent(agent) => match agent.dialect {
            Dialect::ChatCompletions | Dialect::Messages | Dialect::Responses => true,
            // An agent on this machine is the program that its user is testing.
            Dialect::Agent => !on_loopback(&agent.url),
            // We call nothing.
            Dialect::Mcp => false,
        },
    }
}

/// Replaces the model's endpoint by the scripted one, without an API key.
pub(super) fn use_script(model: &mut Model, endpoint: &str) {
    if let ModelKind::Agent(agent) = &mut model.kind {
        agent.url = match agent.dialect {
            Dialect::ChatCompletions | Dialect::Messages | Dialect::Responses => endpoint.to_owned(),
            Dialect::Agent | Dialect::Mcp => format!("{endpoint}/agent"),
        };
        agent.key_variable = None;
    }
    model.config_hash = config_hash(model.initial_cash, &model.costs, &model.kind);
}

/// Whether the URL's host is this machine. An unreadable URL is not.
fn on_loopback(url: &str) -> bool {
    url.parse::<EndpointUrl>().is_ok_and(|url| url.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::super::{Catalogue, Entry};
    use super::*;

    #[test]
    fn only_language_models_and_agents_on_other_machines_get_the_scripted_endpoint() {
        let text = r#"
            [[models]]
            signature = "paid"
            kind = "llm"
            base_url = "https://api.example.com/v1"
            api_key_env = "A_KEY"
            basemodel = "x"
            [[models]]
            signature = "home"
            kind = "llm"
            base_url = "http://127.0.0.1:11434/v1"
            basemodel = "x"
            [[models]]
            signature = "mine"
            kind = "http"
            url = "http://localhost:8099"
            [[models]]
            signature = "theirs"
            kind = "http"
            url = "https://agents.example.com/a"
            [[models]]
            signature = "cash"
            kind = "policy"
            policy = { policy = "cash" }"#;
        let plain = Catalogue::parse(text, |_| Err(String::new())).unwrap();

        let scripted = plain.clone().scripted("http://127.0.0.1:8091/v1");

        assert_eq!(plain.paid(), ["paid", "home", "theirs"]);
        let urls = |catalogue: &Catalogue| -> Vec<_> {
            let endpoint = |entry: &Entry| match &entry.model.kind {
                ModelKind::Agent(agent) => Some((agent.url.clone(), agent.key_variable.clone())),
                ModelKind::Recorded(_) | ModelKind::Policy(_) => None,
            };
            catalogue.entries().iter().filter_map(endpoint).collect()
        };
        let script = |path: &str| (format!("http://127.0.0.1:8091/v1{path}"), None);
        let mine = ("http://localhost:8099".to_owned(), None);
        assert_eq!(urls(&scripted), [script(""), script(""), mine, script("/agent")]);
        let hashes =
            |catalogue: &Catalogue, index: usize| catalogue.entries()[index].model.config_hash.clone();
        assert_ne!(hashes(&plain, 0), hashes(&scripted, 0));
        assert_eq!(hashes(&plain, 4), hashes(&scripted, 4));
    }

    #[test]
    fn a_url_of_this_machine_is_recognised_by_its_host() {
        for url in ["http://127.0.0.1:1/a", "http://[::1]:8/a", "http://localhost", "https://127.9.9.9/x"] {
            assert!(on_loopback(url), "{url}");
        }
        for url in ["http://127.0.0.1.example.com/", "http://example.com/127.0.0.1", "http://u@10.0.0.1", "x"]
        {
            assert!(!on_loopback(url), "{url}");
        }
    }
}
