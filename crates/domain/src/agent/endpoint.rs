//! Which endpoints may be called, and which keys they get: a key belongs to a host, and inside addresses are closed
//! unless the operator opens them.
//!
//! Pure: names are resolved by the caller, which judges each resolved address with [`AddressRules::check`].

mod address;
mod endpoint_url;
mod key_host;
mod refusal;

use std::collections::BTreeSet;

pub use address::{AddressEntry, AddressEntryError, AddressRefusal, AddressRules};
pub use endpoint_url::{EndpointUrl, EndpointUrlError};
pub use key_host::{KeyHost, KeyHostError};
pub use refusal::EndpointRefusal;

/// Keys of common providers with the hosts that they belong to.
const COMMON: [(&str, &str); 22] = [
    ("ANTHROPIC_API_KEY", "api.anthropic.com"),
    ("CEREBRAS_API_KEY", "api.cerebras.ai"),
    ("DASHSCOPE_API_KEY", "dashscope.aliyuncs.com"),
    ("DASHSCOPE_API_KEY", "dashscope-intl.aliyuncs.com"),
    ("DEEPSEEK_API_KEY", "api.deepseek.com"),
    ("FIREWORKS_API_KEY", "api.fireworks.ai"),
    ("GEMINI_API_KEY", "generativelanguage.googleapis.com"),
    ("GOOGLE_API_KEY", "generativelanguage.googleapis.com"),
    ("GROQ_API_KEY", "api.groq.com"),
    ("HF_TOKEN", "router.huggingface.co"),
    ("MINIMAX_API_KEY", "api.minimax.io"),
    ("MISTRAL_API_KEY", "api.mistral.ai"),
    ("MOONSHOT_API_KEY", "api.moonshot.ai"),
    ("MOONSHOT_API_KEY", "api.moonshot.cn"),
    ("NVIDIA_API_KEY", "integrate.api.nvidia.com"),
    ("OPENAI_API_KEY", "api.openai.com"),
    ("OPENROUTER_API_KEY", "openrouter.ai"),
    ("PERPLEXITY_API_KEY", "api.perplexity.ai"),
    ("TOGETHER_API_KEY", "api.together.ai"),
    ("TOGETHER_API_KEY", "api.together.xyz"),
    ("XAI_API_KEY", "api.x.ai"),
    ("ZAI_API_KEY", "api.z.ai"),
];

/// Which endpoints may be called, and which keys they get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRules {
    /// Which addresses they may have.
    pub addresses: AddressRules,
    keys: Vec<KeyHost>,
}

impl EndpointRules {
    /// Rules with these hosts of keys in addition to those of common providers.
    pub fn new(addresses: AddressRules, keys: Vec<KeyHost>) -> Self {
        let common = COMMON.iter().map(|(variable, host)| KeyHost::common(variable, host));
        Self { addresses, keys: common.chain(keys).collect() }
    }

    /// The hosts of all keys.
    pub fn keys(&self) -> &[KeyHost] {
        &self.keys
    }

    /// The variables that hold keys, each once.
    pub fn variables(&self) -> BTreeSet<&str> {
        self.keys.iter().map(KeyHost::variable).collect()
    }

    /// The address of an endpoint that may be called with the key of `variable`. What a name resolves to is not known
    /// here; the caller judges it when it connects.
    ///
    /// # Errors
    /// Why the endpoint may not be called, or may not get the key.
    pub fn check(&self, url: &str, variable: Option<&str>) -> Result<EndpointUrl, EndpointRefusal> {
        let url: EndpointUrl = url.parse()?;
        self.check_address(&url)?;
        if let Some(variable) = variable {
            self.check_key(&url, variable)?;
        }
        Ok(url)
    }

    /// # Errors
    /// When the URL itself names an address that is closed.
    pub fn check_address(&self, url: &EndpointUrl) -> Result<(), EndpointRefusal> {
        match url.literal_address() {
            Some(address) => Ok(self.addresses.check(url.host(), address)?),
            None => Ok(()),
        }
    }

    fn check_key(&self, url: &EndpointUrl, variable: &str) -> Result<(), EndpointRefusal> {
        let of_variable: Vec<&KeyHost> = self.keys.iter().filter(|key| key.variable() == variable).collect();
        if of_variable.is_empty() {
            return Err(EndpointRefusal::UnknownKey { variable: variable.to_owned(), host: url.authority() });
        }
        if !of_variable.iter().any(|key| key.is_for(url)) {
            let hosts: Vec<String> = of_variable.iter().map(|key| key.authority()).collect();
            return Err(EndpointRefusal::KeyElsewhere {
                variable: variable.to_owned(),
                hosts: hosts.join(" and "),
                host: url.authority(),
            });
        }
        if !url.is_https() && !url.is_loopback() {
            return Err(EndpointRefusal::KeyInClear { variable: variable.to_owned() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
