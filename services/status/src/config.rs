//! Settings of the status service.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::NaiveDate;
use contract::schema::SchemaLocation;
use domain::market::calendar::Calendar;
use runtime::deployment::Deployment;
use runtime::http::Streams;
use runtime::infrastructure::Infrastructure;
use runtime::settings::{Mistakes, Settings};

use crate::trace_links::TraceLinks;

/// Settings of the status service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Postgres, RabbitMQ, address.
    pub infrastructure: Infrastructure,
    /// `DEAD_LETTER_DAYS`: how long dead letters are kept (default 90).
    pub dead_letter_days: u32,
    /// Settings of the routes.
    pub api: ApiSettings,
}

/// Settings of the routes.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// `DEFAULT_RESULTS_LOOKBACK_DAYS`: calendar days that results go back when a request has no date (default 30).
    pub lookback_days: u32,
    /// `SIMULATED_TODAY`: the last date that requests may name, for installations with data of the past.
    pub today: Option<NaiveDate>,
    /// The deployment that a job's status names.
    pub deployment: Deployment,
    /// The exchange's calendar.
    pub calendar: Calendar,
    /// `STREAM_HEARTBEAT_SECONDS`: time without an event after which a stream sends a heartbeat (default 15).
    pub heartbeat: Duration,
    /// The streams of each caller, up to `MAX_STREAMS_PER_TOKEN`.
    pub streams: Streams,
    /// Where the schemas of messages are served: below `PUBLIC_URL`.
    pub schemas: SchemaLocation,
    /// `TRACE_URL_TEMPLATE`: where traces are shown.
    pub trace_links: TraceLinks,
}

impl Config {
    /// Reads the settings of a separate process that listens on `port` by default.
    ///
    /// # Errors
    /// All invalid settings.
    pub fn from_settings(settings: &mut Settings, port: u16) -> Result<Self, Mistakes> {
        let infrastructure = Infrastructure::from_settings(settings, "status", port);
        let config = Self::read(settings, infrastructure);
        settings.finish(config)
    }

    /// Reads the settings. `None` when they are invalid, which is noted in `settings`.
    pub fn read(settings: &mut Settings, infrastructure: Option<Infrastructure>) -> Option<Self> {
        let lookback_days =
            settings.parsed("DEFAULT_RESULTS_LOOKBACK_DAYS", 30, "write a number of calendar days");
        let today = runtime::market_clock::today(settings);
        let calendar = runtime::market_clock::calendar(settings);
        let fifteen = NonZeroU32::MIN.saturating_add(14);
        let seconds = settings.parsed("STREAM_HEARTBEAT_SECONDS", fifteen, "write a whole number from 1");
        let heartbeat = Duration::from_secs(seconds.get().into());
        let dead_letter_days = settings.parsed("DEAD_LETTER_DAYS", 90, "write a number of days");
        let fix = "write an http or https address with {trace_id} in it, such as https://tempo.example/trace/{trace_id}";
        let trace_links = settings.parsed("TRACE_URL_TEMPLATE", TraceLinks::default(), fix);
        let infrastructure = infrastructure?;
        let schemas = infrastructure.schemas.clone();
        let deployment = infrastructure.deployment;
        let streams = infrastructure.address.access.streams.clone();
        Some(Self {
            infrastructure,
            dead_letter_days,
            api: ApiSettings {
                lookback_days,
                today,
                deployment,
                calendar,
                heartbeat,
                streams,
                schemas,
                trace_links,
            },
        })
    }
}
