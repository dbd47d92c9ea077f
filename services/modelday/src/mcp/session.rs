//! A session as it begins: its portfolio, its prices, and its search engine.

use anyhow::{Context as _, ensure};
use chrono::NaiveDate;
use clap::Args;
use domain::agent::AddressRules;
use domain::agent::sandbox::{Sandbox, SandboxSettings};
use domain::market::instruments::{Symbol, Universe};
use domain::values::date::required_date;
use executor::Searcher;
use runtime::deployment::Deployment;
use runtime::outbound::Outbound;
use runtime::settings::{Mistakes, Settings};
use rust_decimal::Decimal;
use storage::{Database, Owner};

use super::stored_bars::StoredBars;

/// Where a session begins.
#[derive(Args)]
pub(crate) struct McpArguments {
    /// The first day, YYYY-MM-DD: a session of the exchange whose prices are stored.
    #[arg(long, value_parser = required_date)]
    date: NaiveDate,
    /// Dollars to begin with.
    #[arg(long, default_value = "10000")]
    cash: Decimal,
    /// What may be traded, separated by commas; without it, what UNIVERSE_FILE lists.
    #[arg(long, value_delimiter = ',')]
    symbols: Vec<Symbol>,
}

/// A session before its first call.
pub(super) struct Session {
    pub(super) sandbox: Sandbox,
    pub(super) bars: StoredBars,
    pub(super) searcher: Option<Searcher>,
}

struct Config {
    database: Database,
    universe: Universe,
    /// The search engine's URL and key.
    search: Option<(String, Option<String>)>,
    outbound: Outbound,
}

impl Config {
    fn read(mut settings: Settings, arguments: &McpArguments) -> Result<Self, Mistakes> {
        let deployment = Deployment::from_settings(&mut settings);
        let database = runtime::infrastructure::database(&mut settings, &["executor"], deployment);
        let universe = if arguments.symbols.is_empty() {
            runtime::universe::required(&mut settings)
        } else {
            let symbols = arguments.symbols.clone();
            Some(Universe { name: "symbols".to_owned(), symbols, benchmark: None })
        };
        let search = executor::search_engine(&mut settings).filter(|_| !deployment.is_dev_mode);
        let outbound = Outbound::from_settings(&mut settings, AddressRules::of_operator());
        let complete = || Some(Self { database: database?, universe: universe?, search, outbound });
        settings.finish(complete())
    }
}

/// Reads the settings, and the prices up to the first day.
pub(super) async fn begin(arguments: McpArguments) -> anyhow::Result<Session> {
    let mut settings = Settings::load();
    let calendar = runtime::market_clock::calendar(&mut settings);
    let Config { database, universe, search, outbound } = Config::read(settings, &arguments)?;
    let McpArguments { date, cash, .. } = arguments;
    ensure!(
        calendar.is_session(date),
        "{date} is no session of the exchange; the next one is {}",
        calendar.next_session(date).map_or_else(|| "unknown".to_owned(), |next| next.to_string())
    );
    let pool =
        storage::connect(&Database { max_connections: 1, ..database }, Owner::Executor).await.context(
            "connecting to Postgres; DATABASE_URL names a database that 'modelday migrate' has prepared",
        )?;
    let symbols = universe.symbols.iter().chain(&universe.benchmark).cloned().collect();
    let bars = StoredBars { pool, symbols };
    let known = bars.up_to(date, &calendar).await?;
    let searcher = search.map(|(url, key)| Searcher::new(&outbound, url, key)).transpose()?;
    let settings = SandboxSettings { universe, calendar, initial_cash: cash, search: searcher.is_some() };
    Ok(Session { sandbox: Sandbox::begin(settings, date, known).context("--cash")?, bars, searcher })
}
