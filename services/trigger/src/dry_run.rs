//! A dry run: what a job would do if it were triggered now. Nothing is stored, published or reserved.

mod response;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::dry_run::cost_estimate::{PastDays, estimate};
use domain::dry_run::{
    DownloadForecast, PortfolioWinners, Source, closed_weekdays, download_forecast, model_day_counts,
    sessions_to_run,
};
use domain::ingest::call_quota::{Decision, REFUSALS, decide, next_window};
use domain::ingest::coverage::{Coverage, Scope, symbols_held_by};
use domain::ingest::fetch_plan::{Offer, Shape};
use domain::ingest::needed_symbols::{compared_symbols, needed_universe};
use domain::ingest::refusals::absent_symbols;
use domain::job::warning::Warning;
use domain::job::{AgentModel, Job, Model, ModelKind};
use domain::market::calendar::{Calendar, exchange_date};
use domain::market::instruments::Symbol;
use domain::simulation::lane::config_changed;
use serde_json::Value;
use storage::PgPool;
use storage::market::held_symbols;
use storage::trigger::dry_run as load;
use storage::trigger::dry_run::StoredSource;

use crate::accept::{Acceptor, NotAccepted, ProposedJob, refuse_unknown_fields};
use response::{ModelForecast, PriceSource};

pub(crate) use response::DryRunBody;

/// What the job that `body` requests would do. Fails like [`Acceptor::propose`].
pub(crate) async fn dry_run(
    acceptor: &Acceptor,
    body: &Value,
    now: DateTime<Utc>,
) -> Result<DryRunBody, NotAccepted> {
    let ProposedJob { request, job, warnings, .. } = acceptor.propose(body, now).await?;
    // This route is not one of the original API, whose clients may send fields that mean nothing.
    refuse_unknown_fields(&request)?;
    let (pool, config) = (&acceptor.pool, &acceptor.config);
    let names: Vec<String> = job.models.iter().map(|model| model.signature.clone()).collect();
    let portfolios = load::portfolio_winners(pool, &job.experiment, &names, job.end).await?;
    let source = price_source(pool, &config.calendar, now).await?;
    let download = planned_download(pool, &config.calendar, &job, &names, &portfolios, &source, now).await?;
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
            model,
        })
        .collect();
    let changed = config_changed(&job, &kept_days(&job, &portfolios));
    let changed = changed.iter().map(|(model, count)| Warning::config_changed(model, *count).message);
    let warnings: Vec<String> = warnings.into_iter().chain(changed).collect();
    Ok(DryRunBody::of(&job, &models, &download, &source, warnings, config.infrastructure.deployment))
}

/// What the past days of the job's agents have used, by model.
async fn past_days(pool: &PgPool, job: &Job) -> Result<BTreeMap<String, PastDays>, NotAccepted> {
    let agents = job.models.iter().filter(|model| agent(model).is_some());
    let agents: Vec<(&str, &str)> =
        agents.map(|model| (model.signature.as_str(), model.config_hash.as_str())).collect();
    if agents.is_empty() { Ok(BTreeMap::new()) } else { Ok(load::past_days(pool, &agents).await?) }
}

async fn price_source(
    pool: &PgPool,
    calendar: &Calendar,
    now: DateTime<Utc>,
) -> Result<PriceSource, NotAccepted> {
    let unknown = PriceSource {
        source: Source::Unknown,
        name: None,
        quota_key: None,
        budget_left: None,
        next_window: None,
        has_calls_to_spare: true,
    };
    let Some(stored) = load::source(pool).await? else { return Ok(unknown) };
    if stored.name.is_none() {
        return Ok(PriceSource { source: Source::Missing, has_calls_to_spare: false, ..unknown });
    }
    let budget_left = budget_left(&stored);
    let waits_too_long = match decide(stored.now, &stored.windows, None) {
        Decision::Allowed => false,
        Decision::Wait { until, .. } => {
            (until - stored.now).to_std().is_ok_and(|wait| wait > stored.max_wait)
        }
    };
    let calls_left = match (waits_too_long, budget_left) {
        (true, _) => 0,
        // A wait that is short enough allows one call more, as in the download.
        (false, Some(calls)) => calls.max(1) as usize,
        (false, None) => usize::MAX,
    };
    let offer = Offer { shape: Shape::BySymbol, earliest: earliest(&stored, calendar, now) };
    let source = Source::Provider { offer, calls_left };
    let budget_left = if waits_too_long { Some(0) } else { budget_left };
    let next_window = next_window(&stored.windows, stored.now);
    Ok(PriceSource {
        source,
        name: stored.name,
        quota_key: stored.quota_key,
        budget_left,
        has_calls_to_spare: next_window.is_none(),
        next_window,
    })
}

/// The oldest session whose prices the provider gives for this key. The recent sessions include today's.
fn earliest(stored: &StoredSource, calendar: &Calendar, now: DateTime<Utc>) -> Option<NaiveDate> {
    let sessions = usize::try_from(stored.recent_sessions?).ok()?;
    let tomorrow = exchange_date(now).succ_opt()?;
    calendar.sessions_before(tomorrow, sessions).first().copied()
}

async fn planned_download(
    pool: &PgPool,
    calendar: &Calendar,
    job: &Job,
    names: &[String],
    portfolios: &PortfolioWinners,
    source: &PriceSource,
    now: DateTime<Utc>,
) -> Result<DownloadForecast, NotAccepted> {
    let needed = sessions_to_run(job, calendar, portfolios);
    let Some((first, last)) = needed.first().copied().zip(needed.last().copied()) else {
        return Ok(DownloadForecast::default());
    };
    let held = symbols_held_by(job, held_symbols(pool, &job.experiment, names).await?);
    let universe = needed_universe(job, &held);
    let mut others = held;
    if source.has_calls_to_spare {
        others.extend(compared_symbols(job, &universe));
    }
    let scope = Scope::new(needed, &universe, &others);
    let symbols: Vec<Symbol> = scope.symbols().cloned().collect();
    let stored = load::stored_prices(pool, &symbols, first, last).await?;
    let bars = stored.bars.iter().flat_map(|(symbol, dates)| dates.iter().map(move |date| (symbol, *date)));
    let sources = |_: &Symbol| source.quota_key.iter().map(String::as_str).collect();
    let absent = absent_symbols(&stored.refusals, sources, now);
    let coverage = Coverage::assess(scope, bars, &stored.spans, now).without(absent.keys());
    let fetchable_until = calendar.last_storable_session(now).unwrap_or(NaiveDate::MIN);
    Ok(download_forecast(&coverage, &source.source, now, fetchable_until))
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

/// Calls left in the tightest window of an hour or more; `None` without such a window.
fn budget_left(stored: &StoredSource) -> Option<u32> {
    let counting =
        stored.windows.iter().filter(|(window, _)| window.id() != REFUSALS && window.per().is_long());
    counting.map(|(window, state)| window.left(state, stored.now)).min()
}
