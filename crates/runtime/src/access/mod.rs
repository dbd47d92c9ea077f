//! Who may call the API: tokens with scopes, and how often each may call.

mod scope;
mod token;

pub use scope::{NotAScope, Scope};
pub use token::{NotAToken, Token, Tokens, fresh};

use std::num::NonZeroU32;
use std::time::Duration;

use crate::settings::Settings;

/// What protects the API of a process.
#[derive(Debug, Clone)]
pub struct Access {
    /// `API_TOKENS`; without any, whoever reaches the address may do everything.
    pub tokens: Tokens,
    /// `API_REQUESTS_PER_MINUTE`: of each token.
    pub requests_per_minute: NonZeroU32,
    /// `REQUEST_TIMEOUT_SECONDS`: until an answer begins; what is streamed may take longer.
    pub request_timeout: Duration,
    /// Whether only this machine reaches the address, so that browsers are the only strangers.
    pub loopback_only: bool,
}

impl Access {
    /// Reads the settings; `loopback_only` is whether the address is.
    pub fn from_settings(settings: &mut Settings, loopback_only: bool) -> Self {
        let tokens = settings.parsed(
            "API_TOKENS",
            Tokens::default(),
            "make entries with `modelday token NAME --scope read`, and separate them by spaces",
        );
        let six_thousand = NonZeroU32::MIN.saturating_add(5_999);
        let requests_per_minute =
            settings.parsed("API_REQUESTS_PER_MINUTE", six_thousand, "write a whole number from 1");
        let thirty = NonZeroU32::MIN.saturating_add(29);
        let seconds = settings.parsed("REQUEST_TIMEOUT_SECONDS", thirty, "write a whole number from 1");
        let request_timeout = Duration::from_secs(seconds.get().into());
        Self { tokens, requests_per_minute, request_timeout, loopback_only }
    }
}
