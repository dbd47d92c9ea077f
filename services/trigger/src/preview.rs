//! What a job would do: load -> decide -> answer. Stores nothing, sends nothing, holds nothing.

mod answer;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use domain::dry_run::cost_estimate::{Estimate, PastDays, estimate};
use domain::dry_run::{Chains, Download, Share, Source, closed, download, needed, share};
use domain::ingest::call_quota::{Decision, Per, REFUSALS, decide};
use domain::ingest::coverage::{Coverage, Scope, symbols_held_by};
use domain::ingest::fetch_plan::{Offer, Shape};
use domain::job::warning::Warning;
use domain::job::{Job, Model, ModelKind};
use domain::market::instruments::Symbol;
use domain::simulation::lane::config_changed;
use serde_json::Value;
use storage::market::held_symbols;
use storage::trigger::plan::{self, StoredSource};

use crate::accept::{Acceptor, NotAccepted, Wanted};

pub(crate) use answer::Preview;

/// One model of the job.
struct ModelPreview<'a> {
    model: &'a Model,
    share: Share,
    /// What its days have used, and are expected to use; of agents only.
    estimate: Option<(PastDays, Estimate)>,
}

/// What is known of the source of prices.
struct KnownSource {
    source: Source,
    name: Option<String>,
    /// Calls left in the tightest window of an hour or more; `None` without one, or when nobody knows.
    budget_left: Option<u32>,
}

impl Acceptor {
    /// What the job that `body` asks for would do.
    ///
    /// # Errors
    /// As for accepting it, but for keys and room.
    pub(crate) async fn preview(&self, body: &Value, now: DateTime<Utc>) -> Result<Preview, NotAccepted> {
        let Wanted { job, warnings, .. } = self.wanted(body, now).await?;
        let names: Vec<String> = job.models.iter().map(|model| model.signature.clone()).collect();
        let chains = plan::chains(&self.pool, &job.experiment, &names, job.end).await?;
        let source = self.source(now).await?;
        let download = self.download(&job, &names, &chains, &source.source, now).await?;
        let past = self.past(&job).await?;

        let closed = closed(&job, &self.config.calendar);
        let none = PastDays::default();
        let models: Vec<ModelPreview<'_>> = job
            .models
            .iter()
            .map(|model| ModelPreview {
                share: share(&job, model, &closed, &download.runnable, &chains),
                estimate: agent(model).map(|agent| {
                    let past = *past.get(&model.signature).unwrap_or(&none);
                    (past, estimate(&agent.settings, &past))
                }),
                model,
            })
            .collect();
        let changed = config_changed(&job, &kept(&job, &chains));
        let changed = changed.iter().map(|(model, count)| Warning::config_changed(model, *count).message);
        let warnings: Vec<String> = warnings.into_iter().chain(changed).collect();
        Ok(Preview::of(&job, &models, &download, &source, warnings, self.config.infrastructure.deployment))
    }

    async fn past(&self, job: &Job) -> Result<BTreeMap<String, PastDays>, NotAccepted> {
        let agents = job.models.iter().filter(|model| agent(model).is_some());
        let agents: Vec<(&str, &str)> =
            agents.map(|model| (model.signature.as_str(), model.config_hash.as_str())).collect();
        if agents.is_empty() { Ok(BTreeMap::new()) } else { Ok(plan::past_days(&self.pool, &agents).await?) }
    }

    async fn source(&self, now: DateTime<Utc>) -> Result<KnownSource, NotAccepted> {
        let unknown = KnownSource { source: Source::Unknown, name: None, budget_left: None };
        let Some(stored) = plan::source(&self.pool).await? else { return Ok(unknown) };
        if stored.name.is_none() {
            return Ok(KnownSource { source: Source::Missing, ..unknown });
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
            // What is waited for counts as one call, as in the download.
            (false, Some(calls)) => calls.max(1) as usize,
            (false, None) => usize::MAX,
        };
        let offer = Offer { shape: Shape::BySymbol, earliest: self.earliest(&stored, now) };
        let source = Source::Provider { offer, calls_left };
        Ok(KnownSource {
            source,
            name: stored.name,
            budget_left: if waits_too_long { Some(0) } else { budget_left },
        })
    }

    /// The oldest session that the key's plan reaches; today's counts among the recent ones.
    fn earliest(&self, stored: &StoredSource, now: DateTime<Utc>) -> Option<NaiveDate> {
        let sessions = usize::try_from(stored.recent_sessions?).ok()?;
        let tomorrow = domain::market::calendar::exchange_date(now).succ_opt()?;
        self.config.calendar.sessions_before(tomorrow, sessions).first().copied()
    }

    async fn download(
        &self,
        job: &Job,
        names: &[String],
        chains: &Chains,
        source: &Source,
        now: DateTime<Utc>,
    ) -> Result<Download, NotAccepted> {
        let needed = needed(job, &self.config.calendar, chains);
        let Some((first, last)) = needed.first().copied().zip(needed.last().copied()) else {
            return Ok(Download::default());
        };
        let held = symbols_held_by(job, held_symbols(&self.pool, &job.experiment, names).await?);
        let symbols: BTreeSet<&Symbol> =
            job.universe.symbols.iter().chain(&job.universe.benchmark).chain(&held).collect();
        let symbols: Vec<Symbol> = symbols.into_iter().cloned().collect();
        let stored = plan::stored_prices(&self.pool, &symbols, first, last).await?;
        let bars =
            stored.bars.iter().flat_map(|(symbol, dates)| dates.iter().map(move |date| (symbol, *date)));
        let coverage = Coverage::assess(Scope::new(needed, &job.universe, &held), bars, &stored.spans, now);
        let fetchable_until = self.config.calendar.last_storable_session(now).unwrap_or(NaiveDate::MIN);
        Ok(download(&coverage, source, now, fetchable_until))
    }
}

fn agent(model: &Model) -> Option<&domain::job::AgentModel> {
    match &model.kind {
        ModelKind::Agent(agent) => Some(agent),
        ModelKind::Recorded(_) | ModelKind::Policy(_) => None,
    }
}

/// The completed days that the job keeps, by model and the configuration that they were made under.
fn kept(job: &Job, chains: &Chains) -> Vec<(String, String, usize)> {
    if job.options.replace_existing || job.options.reprocess_stale {
        return Vec::new();
    }
    let mut kept: BTreeMap<(String, String), usize> = BTreeMap::new();
    for model in job.models.iter().filter(|model| model.start <= job.end) {
        for winners in (0..model.trials).filter_map(|trial| chains.get(&(model.signature.clone(), trial))) {
            for winner in winners.range(model.start..=job.end).map(|(_, winner)| winner) {
                *kept.entry((model.signature.clone(), winner.config_hash.clone())).or_default() += 1;
            }
        }
    }
    kept.into_iter().map(|((model, hash), days)| (model, hash, days)).collect()
}

fn budget_left(stored: &StoredSource) -> Option<u32> {
    let is_long = |per: Per| match per {
        Per::Second | Per::Minute => false,
        Per::Hour | Per::Day | Per::Month => true,
    };
    let counting =
        stored.windows.iter().filter(|(window, _)| window.id() != REFUSALS && is_long(window.per()));
    counting.map(|(window, state)| window.left(state, stored.now)).min()
}
