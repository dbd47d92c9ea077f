//! Settings of the executor service.

use std::num::NonZeroU16;
use std::time::Duration;

use domain::market::calendar::Calendar;
use runtime::infrastructure::Infrastructure;
use runtime::outbound::web_address;
use runtime::settings::{Mistakes, Settings};

use crate::agent::EndpointAccess;
use crate::housekeeping::Kept;
use crate::lane::day_spans::TracedDays;

const PORTFOLIOS_PLANNED_AT_ONCE: usize = 1_000;

/// Settings of the executor service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Postgres, RabbitMQ, address.
    pub infrastructure: Infrastructure,
    /// `LANE_SLICE_MS`: how long a turn of a lane lasts; 0 ends it after every day (default 250).
    pub slice: Duration,
    /// `LANES_AT_ONCE`: lanes of recorded and policy models side by side (default 10).
    pub lanes_at_once: u16,
    /// `AGENT_SLICE_MS`: how long a turn of an agent's lane lasts; it ends between steps (default 10,000).
    pub agent_slice: Duration,
    /// `AGENTS_AT_ONCE`: lanes of agents side by side (default 32).
    pub agents_at_once: u16,
    /// `ENDPOINT_KEYS`, `ENDPOINT_ALLOW`, `OUTBOUND_PROXY`: which endpoints may be called with which keys.
    pub endpoints: EndpointAccess,
    /// `SEARCH_URL` and `SEARCH_API_KEY` (or `JINA_API_KEY`): where agents may search, with which key;
    /// nowhere without one of them, or in `DEV`.
    pub search: Option<(String, Option<String>)>,
    /// `LANE_PATIENCE_SECONDS`: after which an untaken turn is sent again (default 6).
    pub patience: Duration,
    /// `TURNS_IN_LINE`: how many turns stand in line in a queue, about, while more lanes are ready (default 64).
    pub turns_in_line: u32,
    /// Portfolios of a job that are planned in one transaction, at most: 1,000, which no setting changes.
    pub portfolios_planned_at_once: usize,
    /// `TRACE_DAYS`: which days have a span each (default: those of agents).
    pub traced_days: TracedDays,
    /// How long the records of agents' days are kept.
    pub kept: Kept,
    /// The exchange's sessions, without `MARKET_CLOSURES`.
    pub calendar: Calendar,
}

impl Config {
    /// Reads the settings of a service of its own that listens on `port` by default.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn from_settings(settings: &mut Settings, port: u16) -> Result<Self, Mistakes> {
        let infrastructure = Infrastructure::from_settings(settings, "executor", port);
        let config = Self::read(settings, infrastructure);
        settings.finish(config)
    }

    /// Reads the settings; mistakes stay with `settings`, so that they are reported together with others.
    pub fn read(settings: &mut Settings, infrastructure: Option<Infrastructure>) -> Option<Self> {
        let slice = settings.parsed("LANE_SLICE_MS", 250, "write a number of milliseconds");
        let ten = NonZeroU16::MIN.saturating_add(9);
        let lanes_at_once = settings.parsed("LANES_AT_ONCE", ten, "write a number above 0").get();
        let agent_slice = settings.parsed("AGENT_SLICE_MS", 10_000, "write a number of milliseconds");
        let thirty_two = NonZeroU16::MIN.saturating_add(31);
        let agents_at_once = settings.parsed("AGENTS_AT_ONCE", thirty_two, "write a number above 0").get();
        let endpoints = EndpointAccess::from_settings(settings, infrastructure.as_ref());
        let dev = infrastructure.as_ref().is_some_and(|shared| shared.deployment.is_dev_mode);
        // A search costs money, as a model does.
        let search = search_engine(settings).filter(|_| !dev);
        let patience = settings.parsed("LANE_PATIENCE_SECONDS", 6, "write a number of seconds");
        let sixty_four = NonZeroU16::MIN.saturating_add(63);
        let turns_in_line = settings.parsed("TURNS_IN_LINE", sixty_four, "write a number above 0").get();
        let traced_days = settings.parsed("TRACE_DAYS", TracedDays::default(), "write turns or all");
        let kept = Kept::from_settings(settings);
        let calendar = runtime::market_clock::calendar(settings);
        Some(Self {
            infrastructure: infrastructure?,
            slice: Duration::from_millis(slice),
            lanes_at_once,
            agent_slice: Duration::from_millis(agent_slice),
            agents_at_once,
            endpoints,
            search,
            patience: Duration::from_secs(patience),
            turns_in_line: turns_in_line.into(),
            portfolios_planned_at_once: PORTFOLIOS_PLANNED_AT_ONCE,
            traced_days,
            kept,
            calendar,
        })
    }
}

/// Where agents may search and with which key: `SEARCH_URL`, `SEARCH_API_KEY`. `None` when they may not.
pub fn search_engine(settings: &mut Settings) -> Option<(String, Option<String>)> {
    let key = settings.text("SEARCH_API_KEY").or_else(|| settings.text("JINA_API_KEY"));
    let fix = "write the http or https address of a search engine that answers ?q= with JSON";
    let url = web_address(settings, "SEARCH_URL", fix);
    match (url, key) {
        (Some(url), key) => Some((url, key)),
        (None, Some(key)) => Some(("https://s.jina.ai/".to_owned(), Some(key))),
        (None, None) => None,
    }
}
