//! A source of prices as it is configured.

use std::time::Duration;

use domain::agent::{AddressRules, EndpointUrl};
use domain::ingest::call_quota::Window;
use runtime::outbound::Outbound;
use runtime::settings::Settings;
use serde::Deserialize;

use crate::provider::alpha_vantage::{self, History};
use crate::provider::http::Access;
use crate::provider::secret::Secret;
use crate::provider::{massive, tiingo};

pub(super) const PLAIN: &str = "write https://host or http://host:port, without user, password and query";
/// A stand-in on this machine accepts any key.
const STANDIN_KEY: &str = "stand-in";

/// The provider of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    AlphaVantage,
    Tiingo,
    Massive,
}

impl Kind {
    /// The name in quotas, stored bars and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AlphaVantage => alpha_vantage::NAME,
            Self::Tiingo => tiingo::NAME,
            Self::Massive => massive::NAME,
        }
    }

    /// The name in texts for people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::AlphaVantage => alpha_vantage::TITLE,
            Self::Tiingo => tiingo::TITLE,
            Self::Massive => massive::TITLE,
        }
    }
}

/// A source as it is configured.
#[derive(Debug, Clone)]
pub(crate) struct SourceConfig {
    pub(crate) kind: Kind,
    /// How it is reached; `None` without a key.
    pub(crate) access: Option<Access>,
    /// The setting that holds its key.
    pub(crate) key_variable: String,
    /// Where its address is configured.
    pub(crate) address_setting: &'static str,
    /// How much of a symbol's history Alpha Vantage is asked for.
    pub(crate) history: History,
    /// Whether splits and dividends are requested in calls of their own, so that three calls stand for one.
    pub(crate) with_actions: bool,
    pub(crate) windows: Vec<Window>,
    /// What the key was bought for, as far as the settings say it.
    pub(crate) plan: &'static str,
}

/// One source of the file. What is absent has the provider's usual value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) base_url: Option<String>,
    pub(super) key_variable: Option<String>,
    pub(super) budgets: Option<Vec<Window>>,
    /// Whether splits and dividends are requested too, of a provider whose prices come without them.
    pub(super) actions: Option<bool>,
}

/// How a source with this key is reached; `None` without one, unless it is on this machine.
pub(super) fn access(
    settings: &mut Settings,
    key: Option<String>,
    base_url: String,
    timeout: Duration,
) -> Option<Access> {
    let key = key.or_else(|| is_local(&base_url).then(|| STANDIN_KEY.to_owned()))?;
    let outbound = Outbound::from_settings(settings, AddressRules::of_operator());
    Some(Access { base_url, key: Secret::from(key), timeout, outbound })
}

/// Whether an address is on this machine, where a stand-in is: it has no limits except those that are set.
pub(super) fn is_local(base_url: &str) -> bool {
    base_url.parse().is_ok_and(|url: EndpointUrl| url.is_loopback())
}
