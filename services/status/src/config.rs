//! Settings of the status service.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::NaiveDate;
use domain::market::calendar::Calendar;
use runtime::deployment::Deployment;
use runtime::infrastructure::Infrastructure;
use runtime::settings::{Mistakes, Settings};

/// What the status service is told at start.
#[derive(Debug, Clone)]
pub struct Config {
    /// Postgres, RabbitMQ, address.
    pub infrastructure: Infrastructure,
    /// What the routes go by.
    pub reading: Reading,
}

/// What the routes go by.
#[derive(Debug, Clone)]
pub struct Reading {
    /// `DEFAULT_RESULTS_LOOKBACK_DAYS`: how far results go back when no date is given (default 30).
    pub lookback_days: u32,
    /// `SIMULATED_TODAY`: the date that requests may not go beyond, for installations that live in the past.
    pub today: Option<NaiveDate>,
    /// Trailer of the status answer.
    pub deployment: Deployment,
    /// The exchange's sessions.
    pub calendar: Calendar,
    /// `STREAM_HEARTBEAT_SECONDS`: how long a stream of events is silent before it shows that it is there (default 15).
    pub heartbeat: Duration,
}

impl Config {
    /// Reads the settings of a service of its own that listens on `port` by default.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn from_settings(settings: &mut Settings, port: u16) -> Result<Self, Mistakes> {
        let infrastructure = Infrastructure::from_settings(settings, "status", port);
        let config = Self::read(settings, infrastructure);
        settings.finish(config)
    }

    /// Reads the settings; mistakes stay with `settings`, for whoever reads more of them.
    pub fn read(settings: &mut Settings, infrastructure: Option<Infrastructure>) -> Option<Self> {
        let lookback_days =
            settings.parsed("DEFAULT_RESULTS_LOOKBACK_DAYS", 30, "write a number of calendar days");
        let today = runtime::market_clock::today(settings);
        let calendar = runtime::market_clock::calendar(settings);
        let fifteen = NonZeroU32::MIN.saturating_add(14);
        let seconds = settings.parsed("STREAM_HEARTBEAT_SECONDS", fifteen, "write a whole number from 1");
        let heartbeat = Duration::from_secs(seconds.get().into());
        let infrastructure = infrastructure?;
        let deployment = infrastructure.deployment;
        Some(Self {
            infrastructure,
            reading: Reading { lookback_days, today, deployment, calendar, heartbeat },
        })
    }
}
