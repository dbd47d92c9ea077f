//! Settings of the trigger service.

use chrono::NaiveDate;
use domain::agent::EndpointRules;
use domain::job::bounds::MAX_DATES;
use domain::market::calendar::Calendar;
use domain::market::instruments::Universe;
use runtime::infrastructure::Infrastructure;
use runtime::outbound::{endpoint_rules, web_address};
use runtime::settings::{Mistakes, Settings};

use crate::catalogue::{Catalogue, Endpoints};
use crate::files::Files;

/// Settings of the trigger service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Postgres, RabbitMQ, address.
    pub infrastructure: Infrastructure,
    /// The models of `MODELS_FILE`, as read at start. In `DEV` the models with paid endpoints use that of
    /// `DEV_ENDPOINT_URL` instead.
    pub catalogue: Catalogue,
    /// `ENDPOINT_KEYS`, `ENDPOINT_ALLOW`, `DEV_ENDPOINT_URL`: how the endpoints of models are called.
    pub endpoints: Endpoints,
    /// The universe of `UNIVERSE_FILE`, as read at start.
    pub universe: Universe,
    /// `MODELS_FILE` (default `configs/models.toml`) and `UNIVERSE_FILE` (default `configs/universes/nasdaq100.json`).
    pub files: Files,
    /// `MAX_SIMULATION_DAYS`: most calendar days of one job (default 3660).
    pub max_days: u32,
    /// `STRICT_REQUESTS`: whether fields that mean nothing are refused, which the original API ignored.
    pub is_strict: bool,
    /// `MAX_ACTIVE_JOBS`: most jobs that have not ended (default 64).
    pub max_active_jobs: u32,
    /// `MAX_ACTIVE_JOBS_PER_TOKEN`: most of them that one token may have (default half of them, at least one).
    pub max_active_jobs_per_token: u32,
    /// The exchange's calendar, with the closed days of `MARKET_CLOSURES`.
    pub calendar: Calendar,
    /// `SIMULATED_TODAY`: the last date that requests may name, for installations with data of the past.
    pub today: Option<NaiveDate>,
}

impl Config {
    /// Reads the settings of a separate process that listens on `port` by default.
    ///
    /// # Errors
    /// All invalid settings.
    pub fn from_settings(settings: &mut Settings, port: u16) -> Result<Self, Mistakes> {
        let infrastructure = Infrastructure::from_settings(settings, "trigger", port);
        let config = Self::read(settings, infrastructure);
        settings.finish(config)
    }

    /// Reads the settings. `None` when they are invalid, which is noted in `settings`.
    pub fn read(settings: &mut Settings, infrastructure: Option<Infrastructure>) -> Option<Self> {
        let files = Files::from_settings(settings);
        let dev = infrastructure.as_ref().is_some_and(|shared| shared.deployment.is_dev_mode);
        let rules = endpoint_rules(settings, infrastructure.as_ref());
        let script = if dev { script(settings, &rules) } else { None };
        let (catalogue, mistakes) = match files.models() {
            Ok(catalogue) if dev => (scripted(catalogue, settings, script.as_deref()), Vec::new()),
            Ok(catalogue) => (Some(catalogue), Vec::new()),
            Err(mistakes) => (None, mistakes),
        };
        let refused = catalogue.iter().flat_map(|catalogue| catalogue.endpoint_mistakes(&rules));
        for mistake in mistakes.into_iter().chain(refused) {
            let place = files.models.display().to_string();
            settings.mistake(&place, &mistake.key, mistake.problem, &mistake.fix);
        }
        let universe = runtime::universe::required(settings);
        let days = format!("write a number of calendar days, at most {MAX_DATES}");
        let max_days = settings.parsed("MAX_SIMULATION_DAYS", 3660, &days);
        if max_days > MAX_DATES {
            settings.invalid("MAX_SIMULATION_DAYS", format!("{max_days} is too large"), &days);
        }
        let max_active_jobs = settings.parsed("MAX_ACTIVE_JOBS", 64, "write a number of jobs");
        let half = (max_active_jobs / 2).max(1);
        let max_active_jobs_per_token =
            settings.parsed("MAX_ACTIVE_JOBS_PER_TOKEN", half, "write a number of jobs");
        let calendar = runtime::market_clock::calendar(settings);
        let today = runtime::market_clock::today(settings);
        Some(Self {
            infrastructure: infrastructure?,
            catalogue: catalogue?,
            endpoints: Endpoints { rules, is_dev: dev, script },
            universe: universe?,
            files,
            max_days,
            is_strict: settings.flag("STRICT_REQUESTS", false),
            max_active_jobs,
            max_active_jobs_per_token,
            calendar,
            today,
        })
    }
}

const SCRIPT_FIX: &str = "set it to the address of a scripted endpoint, e.g. http://127.0.0.1:8091/v1 of standin-chat, or take these models out of MODELS_FILE";

/// `DEV_ENDPOINT_URL`; `None` when it is not set, or cannot be used, which is noted in `settings`.
fn script(settings: &mut Settings, rules: &EndpointRules) -> Option<String> {
    let url = web_address(settings, "DEV_ENDPOINT_URL", SCRIPT_FIX)?;
    if let Err(refusal) = rules.check(&url, None) {
        settings.invalid("DEV_ENDPOINT_URL", refusal.to_string(), &refusal.fix());
        return None;
    }
    Some(url.trim_end_matches('/').to_owned())
}

/// The catalogue of a `DEV` deployment, without paid endpoints.
fn scripted(catalogue: Catalogue, settings: &mut Settings, script: Option<&str>) -> Option<Catalogue> {
    let paid = catalogue.paid().join(", ");
    if paid.is_empty() {
        return Some(catalogue);
    }
    if script.is_none() && settings.text("DEV_ENDPOINT_URL").is_none() {
        let problem = format!("is not set, and in DEV nothing asks the endpoints of {paid}");
        settings.mistake("environment", "DEV_ENDPOINT_URL", problem, SCRIPT_FIX);
    }
    Some(catalogue.scripted(script?))
}
