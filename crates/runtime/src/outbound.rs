//! Calls of others: HTTP clients that connect to no closed address, follow no redirect, and use no proxy but the
//! configured one.

mod resolver;
mod settings;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use domain::agent::endpoint::AddressRefusal;
use domain::agent::{AddressRules, EndpointUrl};
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, NoProxy, Proxy};

use resolver::{Lookup, Resolver};
pub use settings::{endpoint_rules, key_hosts, list, web_address};

/// What is called, and how.
#[derive(Clone)]
pub struct Outbound {
    rules: Arc<AddressRules>,
    proxy: Option<EndpointUrl>,
    lookup: Lookup,
    /// Whose requests say which trace they belong to, besides those of users' own agents.
    pub sends_trace_context: SendsTraceContext,
}

/// To whom the headers `traceparent` and `tracestate` are sent. They hold random numbers and what a caller has sent along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendsTraceContext {
    /// To the endpoints of language models.
    pub to_models: bool,
    /// To the providers of prices.
    pub to_providers: bool,
}

impl Default for SendsTraceContext {
    fn default() -> Self {
        Self { to_models: true, to_providers: true }
    }
}

impl Outbound {
    /// Calls of the addresses that `rules` allow, through a proxy if there is one.
    pub fn new(rules: AddressRules, proxy: Option<EndpointUrl>) -> Self {
        let lookup = resolver::system();
        Self { rules: Arc::new(rules), proxy, lookup, sends_trace_context: SendsTraceContext::default() }
    }

    /// Calls of a host that the operator's own settings name, the same way.
    #[must_use]
    pub fn of_operator(&self) -> Self {
        Self { rules: Arc::new(AddressRules::of_operator()), ..self.clone() }
    }

    /// The same with another lookup of names, for tests: it returns the addresses of a name.
    #[must_use]
    pub fn with_lookup(
        self,
        lookup: impl Fn(&str) -> Vec<std::net::SocketAddr> + Send + Sync + 'static,
    ) -> Self {
        let lookup: Lookup = Arc::new(move |name| {
            let found = lookup(name);
            Box::pin(async move { Ok(found) })
        });
        Self { lookup, ..self }
    }

    /// Begins a client. Makes ring the TLS implementation of the process unless one is installed.
    ///
    /// A redirect is not followed: it would send keys to the address that it names. Addresses that a URL itself names are
    /// not resolved, so the caller checks them.
    ///
    /// # Errors
    /// When the proxy cannot be used.
    pub fn client(&self) -> reqwest::Result<ClientBuilder> {
        // An error means that another implementation is installed, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let resolver = Resolver {
            rules: self.rules.clone(),
            proxy: self.proxy.as_ref().map(EndpointUrl::host),
            lookup: self.lookup.clone(),
        };
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .user_agent(concat!("modelday/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(resolver)
            // Of the environment.
            .no_proxy();
        let Some(proxy) = &self.proxy else { return Ok(client) };
        // What is inside is called directly.
        let direct = self.rules.entries().iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let direct = NoProxy::from_string(&format!("localhost,127.0.0.0/8,::1,{direct}"));
        Ok(client.proxy(Proxy::all(proxy.as_str())?.no_proxy(direct)))
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound")
            .field("rules", &self.rules)
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

/// Why a call did not connect, when it was the rules that forbade it.
pub fn address_refusal(error: &reqwest::Error) -> Option<&AddressRefusal> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(refusal) = error.downcast_ref() {
            return Some(refusal);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests;
