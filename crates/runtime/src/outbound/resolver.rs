//! Resolves names to the addresses that may be called.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use domain::agent::AddressRules;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// How the addresses of a name are found.
pub(super) type Lookup = Arc<dyn Fn(&str) -> Found + Send + Sync>;

/// The resolver of the system.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        let name = name.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    })
}

/// Resolves a name, and leaves out what may not be called. A client connects only to what this returns, so an answer that
/// changes between a check and the call makes no difference.
pub(super) struct Resolver {
    pub(super) rules: Arc<AddressRules>,
    /// The host of the configured proxy, which may be inside.
    pub(super) proxy: Option<String>,
    pub(super) lookup: Lookup,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().trim_end_matches('.').to_ascii_lowercase();
        let is_proxy = self.proxy.as_ref() == Some(&host);
        let rules = if is_proxy { Arc::new(AddressRules::of_operator()) } else { self.rules.clone() };
        let found = (self.lookup)(&host);
        Box::pin(async move {
            let mut refusal = None;
            let mut allowed = Vec::new();
            for address in found.await? {
                match rules.check(host.clone(), address.ip()) {
                    Ok(()) => allowed.push(address),
                    Err(problem) => refusal = Some(problem),
                }
            }
            match refusal {
                Some(refusal) if allowed.is_empty() => Err(refusal.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}
