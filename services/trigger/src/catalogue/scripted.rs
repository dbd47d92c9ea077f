//! The catalogue of a `DEV` deployment, in which nothing is paid.

use std::net::IpAddr;

use domain::agent::Dialect;

use super::{Catalogue, Entry, EntryKind, config_hash};

impl Catalogue {
    /// Names of the models whose endpoints may cost money: language models, and agents on other machines.
    pub fn paid(&self) -> Vec<&str> {
        self.entries.iter().filter(|entry| entry.is_paid()).map(|entry| entry.signature.as_str()).collect()
    }

    /// This catalogue with the models of [`Catalogue::paid`] asking a scripted endpoint: chat completions at
    /// `endpoint`, agents at `agent` below it. They keep their limits and lose their keys.
    #[must_use]
    pub fn scripted(mut self, endpoint: &str) -> Self {
        for entry in self.entries.iter_mut().filter(|entry| entry.is_paid()) {
            if let EntryKind::Agent(agent) = &mut entry.kind {
                agent.url = match agent.dialect {
                    Dialect::ChatCompletions => endpoint.to_owned(),
                    Dialect::Agent => format!("{endpoint}/agent"),
                };
                agent.key_variable = None;
            }
            entry.config_hash = config_hash(entry.initial_cash, &entry.costs, &entry.kind);
        }
        self
    }
}

impl Entry {
    fn is_paid(&self) -> bool {
        match &self.kind {
            EntryKind::Recorded(_) | EntryKind::Policy(_) => false,
            EntryKind::Agent(agent) => match agent.dialect {
                Dialect::ChatCompletions => true,
                // A program on this machine is the user's own, and what is being tried.
                Dialect::Agent => !on_loopback(&agent.url),
            },
        }
    }
}

/// Whether the address is this machine's. What cannot be read is not.
fn on_loopback(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?', '#']).next();
    let host = authority.and_then(|authority| authority.rsplit('@').next()).unwrap_or_default();
    let host = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(host, _)| host),
    };
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_language_models_and_agents_elsewhere_are_pointed_at_the_script() {
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
            let asked = |entry: &Entry| match &entry.kind {
                EntryKind::Agent(agent) => Some((agent.url.clone(), agent.key_variable.clone())),
                EntryKind::Recorded(_) | EntryKind::Policy(_) => None,
            };
            catalogue.entries().iter().filter_map(asked).collect()
        };
        let script = |path: &str| (format!("http://127.0.0.1:8091/v1{path}"), None);
        let mine = ("http://localhost:8099".to_owned(), None);
        assert_eq!(urls(&scripted), [script(""), script(""), mine, script("/agent")]);
        let hashes = |catalogue: &Catalogue, index: usize| catalogue.entries()[index].config_hash.clone();
        assert_ne!(hashes(&plain, 0), hashes(&scripted, 0));
        assert_eq!(hashes(&plain, 4), hashes(&scripted, 4));
    }

    #[test]
    fn an_address_of_this_machine_is_known_by_its_host() {
        for url in ["http://127.0.0.1:1/a", "http://[::1]:8/a", "http://localhost", "https://u:p@127.9.9.9/x"]
        {
            assert!(on_loopback(url), "{url}");
        }
        for url in ["http://127.0.0.1.example.com/", "http://example.com/127.0.0.1", "http://u@10.0.0.1", "x"]
        {
            assert!(!on_loopback(url), "{url}");
        }
    }
}
