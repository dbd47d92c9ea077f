//! Settings of the trigger service.

use std::path::PathBuf;

use chrono::NaiveDate;
use domain::market::calendar::Calendar;
use domain::market::instruments::Universe;
use runtime::infrastructure::Infrastructure;
use runtime::settings::{Mistakes, Settings};

use crate::catalogue::Catalogue;

/// Settings of the trigger service.
#[derive(Debug, Clone)]
pub struct Config {
    /// Postgres, RabbitMQ, address.
    pub infrastructure: Infrastructure,
    /// The models of `MODELS_FILE` (default `configs/models.toml`). In `DEV` the models with paid endpoints use that of
    /// `DEV_ENDPOINT_URL` instead.
    pub catalogue: Catalogue,
    /// The universe of `UNIVERSE_FILE` (default `configs/universes/nasdaq100.json`).
    pub universe: Universe,
    /// `MAX_SIMULATION_DAYS`: most calendar days of one job (default 3660).
    pub max_days: u32,
    /// `MAX_ACTIVE_JOBS`: most jobs that have not ended (default 64).
    pub max_active_jobs: u32,
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
        let models_file =
            PathBuf::from(settings.text("MODELS_FILE").unwrap_or("configs/models.toml".to_owned()));
        let catalogue = Catalogue::load(&models_file);
        if let Err(mistakes) = &catalogue {
            for mistake in mistakes {
                let place = models_file.display().to_string();
                settings.mistake(&place, &mistake.key, mistake.problem.clone(), &mistake.fix);
            }
        }
        let dev = infrastructure.as_ref().is_some_and(|shared| shared.deployment.is_dev_mode);
        let catalogue = match catalogue {
            Ok(catalogue) if dev => scripted(catalogue, settings),
            catalogue => catalogue.ok(),
        };
        let universe = runtime::universe::required(settings);
        let max_days = settings.parsed("MAX_SIMULATION_DAYS", 3660, "write a number of calendar days");
        let max_active_jobs = settings.parsed("MAX_ACTIVE_JOBS", 64, "write a number of jobs");
        let calendar = runtime::market_clock::calendar(settings);
        let today = runtime::market_clock::today(settings);
        Some(Self {
            infrastructure: infrastructure?,
            catalogue: catalogue?,
            universe: universe?,
            max_days,
            max_active_jobs,
            calendar,
            today,
        })
    }
}

/// The catalogue of a `DEV` deployment, without paid endpoints.
fn scripted(catalogue: Catalogue, settings: &mut Settings) -> Option<Catalogue> {
    let paid = catalogue.paid().join(", ");
    if paid.is_empty() {
        return Some(catalogue);
    }
    let fix = "set it to the address of a scripted endpoint, e.g. http://127.0.0.1:8091/v1 of standin-chat, or take these models out of MODELS_FILE";
    match settings.text("DEV_ENDPOINT_URL") {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            Some(catalogue.scripted(url.trim_end_matches('/')))
        }
        Some(_) => {
            settings.invalid("DEV_ENDPOINT_URL", "is no http or https address".to_owned(), fix);
            None
        }
        None => {
            let problem = format!("is not set, and in DEV nothing asks the endpoints of {paid}");
            settings.mistake("environment", "DEV_ENDPOINT_URL", problem, fix);
            None
        }
    }
}
