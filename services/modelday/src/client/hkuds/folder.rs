//! Which files of a folder are of use.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::NaiveDate;
use domain::values::date::parse_date;
use rust_decimal::Decimal;
use serde::Deserialize;

/// Folders of folders that are looked into. Those of the project have at most five.
const MAX_DEPTH: usize = 8;

/// The files of a folder that are of use, in the order of their names.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    /// What agents did: `AGENT/position/position.jsonl`.
    pub(crate) positions: Vec<PathBuf>,
    /// What agents said on a day: `AGENT/log/DATE/log.jsonl`.
    pub(crate) logs: Vec<DayLog>,
    /// Prices of a symbol each, as Alpha Vantage gives them: `daily_prices_AAPL.json`.
    pub(crate) prices: Vec<PathBuf>,
    /// Prices of all symbols: `merged.jsonl`.
    pub(crate) merged: Vec<PathBuf>,
    /// Configurations with models.
    pub(crate) configurations: Vec<Configuration>,
}

/// What an agent said on a day.
#[derive(Debug)]
pub(crate) struct DayLog {
    pub(crate) agent: String,
    pub(crate) date: NaiveDate,
    pub(crate) path: PathBuf,
}

impl DayLog {
    /// The log of this path, when its folders are those of a day.
    fn of(path: &Path) -> Option<Self> {
        let day = path.parent()?;
        let date = parse_date(day.file_name()?.to_str()?)?;
        let folder = day.parent().filter(|folder| folder.file_name().is_some_and(|name| name == "log"))?;
        let agent = folder.parent()?.file_name()?.to_str()?.to_owned();
        Some(Self { agent, date, path: path.to_owned() })
    }
}

/// What a configuration says about agents.
#[derive(Debug, Deserialize)]
pub(crate) struct Configuration {
    models: Vec<ConfiguredModel>,
    #[serde(default)]
    agent_config: AgentConfiguration,
}

#[derive(Debug, Deserialize)]
struct ConfiguredModel {
    signature: String,
}

#[derive(Debug, Default, Deserialize)]
struct AgentConfiguration {
    initial_cash: Option<f64>,
}

impl Folder {
    /// Looks through a folder: that of the whole project, its `data`, its `agent_data`, or that of one agent.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub(crate) fn scan(folder: &Path) -> anyhow::Result<Self> {
        let mut found = Self::default();
        found.look_into(folder, 0)?;
        Ok(found)
    }

    /// The cash that a configuration gives the agent.
    pub(crate) fn configured_cash(&self, agent: &str) -> Option<Decimal> {
        let of_agent = |configuration: &&Configuration| {
            configuration.models.iter().any(|model| model.signature == agent)
        };
        let configuration = self.configurations.iter().find(of_agent)?;
        Decimal::try_from(configuration.agent_config.initial_cash?).ok()
    }

    fn look_into(&mut self, folder: &Path, depth: usize) -> anyhow::Result<()> {
        let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
        let mut paths = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("reading {}", folder.display()))?;
        paths.sort();
        for path in paths {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            // A link may lead out of the folder, or in a circle.
            if name.starts_with('.') || name == "node_modules" || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                if depth < MAX_DEPTH {
                    self.look_into(&path, depth + 1)?;
                }
            } else if name == "position.jsonl" {
                self.positions.push(path);
            } else if name == "log.jsonl" {
                self.logs.extend(DayLog::of(&path));
            } else if name.starts_with("daily_price") && name.ends_with(".json") {
                self.prices.push(path);
            } else if name.starts_with("merged") && name.ends_with(".jsonl") {
                self.merged.push(path);
            } else if name.ends_with(".json") && folder.file_name().is_some_and(|name| name == "configs") {
                let text = fs::read_to_string(&path).unwrap_or_default();
                self.configurations.extend(serde_json::from_str::<Configuration>(&text).ok());
            }
        }
        Ok(())
    }
}

/// The agent whose file this is: the folder above `position`.
pub(crate) fn agent_of(positions: &Path) -> String {
    let folder = positions.parent().unwrap_or(positions);
    let folder = match folder.file_name() {
        Some(name) if name == "position" => folder.parent().unwrap_or(folder),
        _ => folder,
    };
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_else(|| "agent".to_owned())
}
