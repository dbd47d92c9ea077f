//! Settings of the downloader service.

mod alpha_vantage;
pub(crate) mod source_config;
pub(crate) mod sources;

use std::num::{NonZeroU16, NonZeroUsize};
use std::time::Duration;

use domain::market::calendar::Calendar;
use runtime::infrastructure::Infrastructure;
use runtime::settings::{Mistakes, Settings};

use crate::download::source_name::HandOver;
use source_config::SourceConfig;

/// The settings of the downloader service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Postgres, RabbitMQ, address.
    pub(crate) infrastructure: Infrastructure,
    /// The sources of prices, in order of preference: those of `SOURCES_FILE` (default `configs/sources.toml` if it
    /// exists), else Alpha Vantage as the settings `ALPHAVANTAGE_*` describe it. `DOWNLOAD_TIMEOUT` is how many seconds
    /// a call may take (default 20).
    pub(crate) sources: Vec<SourceConfig>,
    /// Which symbols the sources may hand over to each other, as `SOURCES_FILE` says.
    pub(crate) hand_over: HandOver,
    /// `MAX_BUDGET_WAIT`: seconds a call waits for the quota; a longer wait counts as rate limited (default 120).
    pub(crate) max_quota_wait: Duration,
    /// `DOWNLOAD_CONCURRENCY`: concurrent calls per job (default 4).
    pub(crate) download_concurrency: usize,
    /// `PREPARATIONS_AT_ONCE`: jobs whose prices are prepared concurrently (default 4).
    pub(crate) preparations_at_once: usize,
    /// `MARKET_CLOSURES`: closed days that the built-in calendar does not know, separated by commas.
    pub(crate) calendar: Calendar,
    /// `IMPORT_LIMIT_MIB`: the most bytes of an imported file (default 64 MiB).
    pub(crate) import_limit: usize,
}

impl Config {
    /// Reads the settings of a separate process that listens on `port` by default.
    ///
    /// # Errors
    /// All settings that cannot be used.
    pub fn from_settings(settings: &mut Settings, port: u16) -> Result<Self, Mistakes> {
        let infrastructure = Infrastructure::from_settings(settings, "downloader", port);
        let config = Self::read(settings, infrastructure);
        settings.finish(config)
    }

    /// Reads the settings; mistakes are collected in `settings`.
    pub fn read(settings: &mut Settings, infrastructure: Option<Infrastructure>) -> Option<Self> {
        let seconds = "write a number of seconds";
        let (sources, hand_over) = sources::read_all(settings);
        let max_quota_wait = Duration::from_secs(settings.parsed("MAX_BUDGET_WAIT", 120, seconds));
        let count = "write a number above 0";
        let four = NonZeroUsize::MIN.saturating_add(3);
        let download_concurrency = settings.parsed("DOWNLOAD_CONCURRENCY", four, count).get();
        let preparations_at_once = settings.parsed("PREPARATIONS_AT_ONCE", four, count).get();
        let calendar = runtime::market_clock::calendar(settings);
        let sixty_four = NonZeroU16::MIN.saturating_add(63);
        let import_limit = settings.parsed("IMPORT_LIMIT_MIB", sixty_four, "write a number of MiB above 0");
        Some(Self {
            infrastructure: infrastructure?,
            sources,
            hand_over,
            max_quota_wait,
            download_concurrency,
            preparations_at_once,
            calendar,
            import_limit: usize::from(import_limit.get()) << 20,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::alpha_vantage::History;

    fn read(environment: &[(&str, &str)]) -> Result<Config, Mistakes> {
        let required = [("DATABASE_URL", "postgres://p@127.0.0.1/d"), ("AMQP_URL", "amqp://127.0.0.1")];
        let environment = required.iter().chain(environment);
        let environment = environment.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Config::from_settings(&mut Settings::new(environment, None), 8082)
    }

    fn windows_of(environment: &[(&str, &str)]) -> Vec<String> {
        let config = read(environment).unwrap();
        config.sources[0].windows.iter().map(|window| window.id().to_owned()).collect()
    }

    #[test]
    fn a_paying_key_of_the_real_service_is_the_default() {
        let config = read(&[("ALPHAVANTAGE_API_KEY", "K")]).unwrap();

        assert_eq!(config.sources[0].access.as_ref().unwrap().base_url, "https://www.alphavantage.co");
        assert_eq!(config.max_quota_wait, Duration::from_secs(120));
        assert_eq!(windows_of(&[]), ["minute", "provider"]);
    }

    #[test]
    fn a_free_key_is_limited_and_requests_recent_sessions() {
        let config = read(&[("ALPHAADVANTAGE_API_KEY", "K"), ("ALPHAVANTAGE_PLAN", "free")]).unwrap();

        assert_eq!(config.sources[0].history, History::Recent);
        assert_eq!(windows_of(&[("ALPHAVANTAGE_PLAN", "free")]), ["second", "day", "provider"]);
    }

    #[test]
    fn without_a_key_there_is_no_provider() {
        assert!(read(&[]).unwrap().sources[0].access.is_none());
    }

    #[test]
    fn a_provider_on_this_machine_needs_no_key_and_has_only_the_limits_that_are_set() {
        let local = ("ALPHAVANTAGE_BASE_URL", "http://127.0.0.1:8090");

        assert!(read(&[local]).unwrap().sources[0].access.is_some());
        assert_eq!(windows_of(&[local]), ["provider"]);
        assert_eq!(windows_of(&[local, ("ALPHAVANTAGE_CALLS_PER_DAY", "12")]), ["day", "provider"]);
    }

    #[test]
    fn all_mistakes_are_reported_together_and_no_key_is_printed() {
        let mistakes = read(&[
            ("ALPHAVANTAGE_API_KEY", "K3Y9SECRET"),
            ("ALPHAVANTAGE_BASE_URL", "https://K3Y9SECRET@host"),
            ("ALPHAVANTAGE_PLAN", "gold"),
            ("MARKET_CLOSURES", "2025-01-09, tomorrow"),
            ("DOWNLOAD_CONCURRENCY", "0"),
        ]);

        let text = mistakes.unwrap_err().to_string();
        assert!(text.contains("4 setting(s)"), "{text}");
        assert!(text.contains("\"tomorrow\" is not a date"), "{text}");
        assert!(!text.contains("K3Y9SECRET"), "{text}");
    }

    #[test]
    fn an_ad_hoc_closure_is_no_session() {
        let config = read(&[("MARKET_CLOSURES", "2025-10-06, 2025-10-07")]).unwrap();

        assert!(!config.calendar.is_session("2025-10-07".parse().unwrap()));
        assert!(config.calendar.is_session("2025-10-08".parse().unwrap()));
    }
}
