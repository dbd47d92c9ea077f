//! Who may call the API: tokens with scopes, and their rate limit; under which names; through which proxies.

mod hosts;
mod proxies;
mod scope;
mod store;
mod token;

pub use hosts::{AllowedHosts, InvalidHost};
pub use proxies::{InvalidProxy, TrustedProxies};
pub use scope::{Scope, UnknownScope};
pub use store::TokenStore;
pub use token::{ANONYMOUS, Expiry, Found, InvalidExpiry, InvalidToken, Token, Tokens, generate, is_name};

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use crate::http::{HeavyRequests, Streams};
use crate::settings::Settings;

/// Access control of a process's API.
#[derive(Debug, Clone)]
pub struct Access {
    /// `API_TOKENS` and `API_TOKENS_FILE`. Without any, every client that reaches the address has all scopes.
    pub tokens: TokenStore,
    /// `API_REQUESTS_PER_MINUTE`: limit of each token.
    pub requests_per_minute: NonZeroU32,
    /// `REQUEST_TIMEOUT_SECONDS`: time until a response begins; its body may take longer.
    pub request_timeout: Duration,
    /// `ALLOWED_HOSTS`.
    pub hosts: AllowedHosts,
    /// `TRUSTED_PROXIES`.
    pub proxies: TrustedProxies,
    /// `MAX_STREAMS_PER_TOKEN`: event streams of each token, or of each address without tokens.
    pub streams: Streams,
    /// `STRICT_REQUESTS`: whether routes of the original API refuse parameters that mean nothing.
    pub is_strict: bool,
    /// `HEAVY_REQUESTS_AT_ONCE`: requests that take much work.
    pub(crate) heavy: HeavyRequests,
}

impl Access {
    /// Reads the settings.
    pub fn from_settings(settings: &mut Settings) -> Self {
        let tokens = TokenStore::from_settings(settings);
        let six_thousand = NonZeroU32::MIN.saturating_add(5_999);
        let requests_per_minute =
            settings.parsed("API_REQUESTS_PER_MINUTE", six_thousand, "write a whole number from 1");
        let thirty = NonZeroU32::MIN.saturating_add(29);
        let seconds = settings.parsed("REQUEST_TIMEOUT_SECONDS", thirty, "write a whole number from 1");
        let request_timeout = Duration::from_secs(seconds.get().into());
        let names = "write host names, such as modelday.example, separated by commas";
        let hosts = settings.parsed("ALLOWED_HOSTS", AllowedHosts::default(), names);
        let networks = "write addresses or networks, such as 10.0.0.0/8, separated by commas";
        let proxies = settings.parsed("TRUSTED_PROXIES", TrustedProxies::default(), networks);
        let hundred = NonZeroUsize::MIN.saturating_add(99);
        let number = "write a whole number from 1";
        let streams = Streams::new(settings.parsed("MAX_STREAMS_PER_TOKEN", hundred, number));
        let eight = NonZeroUsize::MIN.saturating_add(7);
        let heavy = HeavyRequests::new(settings.parsed("HEAVY_REQUESTS_AT_ONCE", eight, number));
        let is_strict = settings.flag("STRICT_REQUESTS", false);
        Self { tokens, requests_per_minute, request_timeout, hosts, proxies, streams, is_strict, heavy }
    }
}
