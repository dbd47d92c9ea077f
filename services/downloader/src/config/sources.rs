//! The sources of prices, in order of preference: those of `SOURCES_FILE`, or Alpha Vantage alone.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use runtime::settings::Settings;
use serde::Deserialize;

use super::alpha_vantage;
use super::source_config::{Entry, Kind, PLAIN, SourceConfig, access, is_local};
use crate::download::source_name::HandOver;
use crate::provider::alpha_vantage::History;
use crate::provider::http::is_plain_address;
use crate::provider::limits::with_refusals;
use crate::provider::{massive, tiingo};

/// Where the list of sources is looked for when no setting names it.
const DEFAULT_FILE: &str = "configs/sources.toml";
const FIX: &str = "write it as docs/prices.md describes";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourcesFile {
    sources: Vec<Entry>,
    #[serde(default)]
    hand_over: HandOver,
}

/// The sources in order of preference, and which symbols they may hand over to each other.
pub(crate) type ReadSources = (Vec<SourceConfig>, HandOver);

/// Where the list of sources is.
pub(crate) fn file(settings: &mut Settings) -> String {
    settings.text("SOURCES_FILE").unwrap_or_else(|| DEFAULT_FILE.to_owned())
}

/// Reads the list of sources, with `DOWNLOAD_TIMEOUT` as the time of a call; mistakes are noted in `settings`.
pub(crate) fn read_all(settings: &mut Settings) -> ReadSources {
    let seconds = settings.parsed("DOWNLOAD_TIMEOUT", 20, "write a number of seconds");
    sources(settings, Duration::from_secs(seconds))
}

/// The same with another time of a call.
pub(crate) fn sources(settings: &mut Settings, timeout: Duration) -> ReadSources {
    let named = settings.text("SOURCES_FILE");
    let path = file(settings);
    let file = if named.is_none() && !Path::new(&path).exists() {
        let entry = Entry {
            kind: Kind::AlphaVantage,
            base_url: None,
            key_variable: None,
            budgets: None,
            actions: None,
        };
        SourcesFile { sources: vec![entry], hand_over: HandOver::default() }
    } else {
        match read(&path) {
            Ok(file) => file,
            Err(problem) => {
                settings.mistake(&path, "sources", problem, FIX);
                return (Vec::new(), HandOver::default());
            }
        }
    };
    let mut sources = Vec::new();
    for entry in file.sources {
        if entry.base_url.as_deref().is_some_and(|url| !is_plain_address(url)) {
            // It is not printed, as people put keys into addresses.
            settings.mistake(&path, "base_url", "is not a plain http or https address".to_owned(), PLAIN);
        }
        sources.push(match entry.kind {
            Kind::AlphaVantage => alpha_vantage::source(settings, entry, timeout),
            Kind::Tiingo | Kind::Massive => source(settings, entry, timeout),
        });
    }
    (sources, file.hand_over)
}

fn read(path: &str) -> Result<SourcesFile, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    let file: SourcesFile = toml::from_str(&text).map_err(|error| error.message().to_owned())?;
    if file.sources.is_empty() {
        return Err("there is no source".to_owned());
    }
    for entry in &file.sources {
        let mut ids = BTreeSet::new();
        if let (Kind::Tiingo, Some(_)) = (entry.kind, entry.actions) {
            return Err("the prices of tiingo come with splits and dividends; leave out `actions`".to_owned());
        }
        if let Some(window) = entry.budgets.iter().flatten().find(|window| !ids.insert(window.id())) {
            return Err(format!("the budget {:?} is there twice", window.id()));
        }
    }
    Ok(file)
}

/// A source of which the settings hold nothing but the key.
fn source(settings: &mut Settings, entry: Entry, timeout: Duration) -> SourceConfig {
    let is_tiingo = entry.kind == Kind::Tiingo;
    let base_url = entry.base_url.unwrap_or_else(|| {
        let address = if is_tiingo { tiingo::ADDRESS } else { massive::ADDRESS };
        address.to_owned()
    });
    let budgets = entry.budgets.unwrap_or_else(|| match is_local(&base_url) {
        true => Vec::new(),
        false if is_tiingo => tiingo::free_budgets(),
        false => massive::free_budgets(),
    });
    let usual_key = if is_tiingo { "TIINGO_API_KEY" } else { "MASSIVE_API_KEY" };
    let key_variable = entry.key_variable.unwrap_or_else(|| usual_key.to_owned());
    let key = settings.text(&key_variable);
    SourceConfig {
        kind: entry.kind,
        access: access(settings, key, base_url, timeout),
        key_variable,
        address_setting: "its base_url",
        history: History::AsNeeded,
        with_actions: entry.actions.unwrap_or(false),
        windows: with_refusals(budgets),
        plan: "as budgeted",
    }
}

#[cfg(test)]
mod tests;
