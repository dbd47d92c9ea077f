//! A dry run: what a job would do if it were triggered now. Nothing is stored, published or reserved.

mod price_sources;
mod response;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::dry_run::cost_estimate::{PastDays, estimate};
use domain::dry_run::{
    DownloadForecast, PortfolioWinners, closed_weekdays, download_forecast, model_day_counts, sessions_to_run,
};
use domain::ingest::coverage::Coverage;
use domain::ingest::job_symbols::JobSymbols;
use domain::ingest::refusals::absent_symbols;
use domain::job::warning::Warning;
use domain::job::{AgentModel, Job, Model, ModelKind};
use domain::market::calendar::Calendar;
use domain::market::instruments::Symbol;
use domain::simulation::lane::config_changed;
use serde_json::Value;
use storage::PgPool;
use storage::market;
use storage::trigger::dry_run as load;

use crate::accept::{Acceptor, NotAccepted, ProposedJob, refuse_unknown_fields};
use price_sources::PriceSources;
use response::{ModelForecast, Reach};

pub(crate) use response::DryRunBody;

/// What the job that `body` requests would do. Fails like [`Acceptor::propose`].
pub(crate) async fn dry_run(
    acceptor: &Acceptor,
    body: &Value,
    now: DateTime<Utc>,
) -> Result<DryRunBody, NotAccepted> {
    let ProposedJob { request, job, warnings, not_ready, .. } =
        acceptor.propose(&*acceptor.catalogue.current().await?, body, now).await?;
    // This route is not one of the original API, whose clients may send fields that mean nothing.
    refuse_unknown_fields(&request)?;
    let (pool, config) = (&acceptor.pool, &acceptor.config);
    let names: Vec<String> = job.models.iter().map(|model| model.signature.clone()).collect();
    let portfolios = load::portfolio_winners(pool, &job.experiment, &names, job.end).await?;
    let sources = price_sources(pool).await?;
    let download = planned_download(pool, &config.calendar, &job, &names, &portfolios, &sources, now).await?;
    let past = past_days(pool, &job).await?;

    let closed = closed_weekdays(&job, &config.calendar);
    let none = PastDays::default();
    let models: Vec<ModelForecast<'_>> = job
        .models
        .iter()
        .map(|model| ModelForecast {
            counts: model_day_counts(&job, model, &closed, &download.runnable, &portfolios),
            estimate: agent(model).map(|agent| {
                let past = *past.get(&model.signature).unwrap_or(&none);
                (past, estimate(&agent.settings, &past))
            }),
            why_not_ready: not_ready.get(&model.signature).map(String::as_str),
            model,
        })
        .collect();
    let reach = Reach { sources: &sources, calendar: &config.calendar, now };
    let changed = config_changed(&job, &kept_days(&job, &portfolios));
    let changed = changed.iter().map(|(model, count)| Warning::config_changed(model, *count).message);
    let not_ready = not_ready.iter().map(|(model, why)| format!("{model} is not ready: {why}"));
    let warnings: Vec<String> = not_ready.chain(warnings).chain(changed).collect();
    Ok(DryRunBody::of(&job, &models, &download, &reach, warnings, config.infrastructure.deployment))
}

/// What the past days of the job's agents have used, by model.
async fn past_days(pool: &PgPool, job: &Job) -> Result<BTreeMap<String, PastDays>, NotAccepted> {
    let agents = job.models.iter().filter(|model| agent(model).is_some());
    let agents: Vec<(&str, &str)> =
        agents.map(|model| (model.signature.as_str(), model.config_hash.as_str())).collect();
    if agents.is_empty() { Ok(BTreeMap::new()) } else { Ok(load::past_days(pool, &agents).await?) }
}

async fn price_sources(pool: &PgPool) -> Result<PriceSources, NotAccepted> {
    Ok(load::sources(pool).await?.map_or_else(PriceSources::unknown, PriceSources::of))
}

async fn planned_download(
    pool: &PgPool,
    calendar: &Calendar,
    job: &Job,
    names: &[String],
    portfolios: &PortfolioWinners,
    sources: &PriceSources,
    now: DateTime<Utc>,
) -> Result<DownloadForecast, NotAccepted> {
    let needed = sessions_to_run(job, calendar, portfolios);
    let Some((first, last)) = needed.first().copied().zip(needed.last().copied()) else {
        return Ok(DownloadForecast::default());
    };
    let mut job = job.clone();
    let renames = market::renames(pool, &job.universe.symbols, job.end).await?;
    let holdings = market::held_symbols(pool, &job.experiment, names).await?;
    let of_job = JobSymbols::of(&mut job, holdings, &renames);
    let mut others = market::received_in_job(pool, &job, &of_job).await?;
    if sources.have_calls_to_spare() {
        others.extend(of_job.compared(&job));
    }
    let scope = of_job.scope(needed, others);
    let symbols: Vec<Symbol> = scope.symbols().cloned().collect();
    let stored = load::stored_prices(pool, &symbols, first, last).await?;
    let bars = stored.bars.iter().flat_map(|(symbol, dates)| dates.iter().map(move |date| (symbol, *date)));
    let asked = |_: &Symbol| sources.keys();
    let absent = absent_symbols(&stored.refusals, asked, now);
    let coverage = Coverage::assess(scope, bars, &stored.spans, now).without(absent.keys());
    let fetchable_until = calendar.last_storable_session(now).unwrap_or(NaiveDate::MIN);
    let listed = sources.forecast(calendar, &stored.refusals, now);
    Ok(download_forecast(&coverage, &listed, now, fetchable_until))
}

fn agent(model: &Model) -> Option<&AgentModel> {
    match &model.kind {
        ModelKind::Agent(agent) => Some(agent),
        ModelKind::Recorded(_) | ModelKind::Policy(_) => None,
    }
}

/// How many completed days the job keeps, by model and the hash of the configuration that they were made with.
fn kept_days(job: &Job, portfolios: &PortfolioWinners) -> Vec<(String, String, usize)> {
    if job.options.replace_existing || job.options.reprocess_stale {
        return Vec::new();
    }
    let mut kept: BTreeMap<(String, String), usize> = BTreeMap::new();
    for model in job.models.iter().filter(|model| model.start <= job.end) {
        for winners in (0..model.trials).filter_map(|trial| portfolios.get(&(model.signature.clone(), trial)))
        {
            for winner in winners.range(model.start..=job.end).map(|(_, winner)| winner) {
                *kept.entry((model.signature.clone(), winner.config_hash.clone())).or_default() += 1;
            }
        }
    }
    kept.into_iter().map(|((model, hash), days)| (model, hash, days)).collect()
}
