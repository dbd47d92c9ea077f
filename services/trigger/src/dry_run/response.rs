//! The response of a dry run.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use domain::dry_run::cost_estimate::{
    BudgetCheck, DailyAmount, DayEstimate, EstimateBasis, JobCost, PastDays,
};
use domain::dry_run::{DownloadForecast, ModelDayCounts};
use domain::ingest::outlook::{Outlook, WAYS_OUT};
use domain::job::{Job, Model};
use domain::market::calendar::Calendar;
use runtime::deployment::Deployment;
use runtime::http::Number;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::price_sources::PriceSources;

/// What one model of the job would do.
pub(super) struct ModelForecast<'a> {
    pub(super) model: &'a Model,
    pub(super) counts: ModelDayCounts,
    /// What its past days have used, and what its days are expected to use; of agents only.
    pub(super) estimate: Option<(PastDays, DayEstimate)>,
    /// Why it cannot run.
    pub(super) why_not_ready: Option<&'a str>,
}

/// The sources of prices, at a moment.
#[derive(Clone, Copy)]
pub(super) struct Reach<'a> {
    pub(super) sources: &'a PriceSources,
    pub(super) calendar: &'a Calendar,
    pub(super) now: DateTime<Utc>,
}

/// What a job would do if it were triggered now.
#[derive(Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct DryRunBody {
    experiment: String,
    start_date: String,
    end_date: String,
    total_model_days: usize,
    model_days: DayCounts,
    models: Vec<ModelBody>,
    prices: DownloadBody,
    cost: CostBody,
    warnings: Option<Vec<String>>,
    #[serde(flatten)]
    deployment: Deployment,
}

/// Requested model-days, by what would become of them.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
#[schema(as = PlannedDays)]
struct DayCounts {
    to_run: usize,
    already_completed: usize,
    market_closed: usize,
    incomplete_prices: usize,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PlannedModel)]
struct ModelBody {
    model: String,
    kind: &'static str,
    trials: u32,
    /// Whether it can run; a job with a model that cannot is refused.
    ready: bool,
    /// Why it cannot; absent when it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    why: Option<String>,
    /// First and last session that would be run; null when there is none.
    first_date: Option<String>,
    last_date: Option<String>,
    model_days: DayCounts,
    /// Null for models that call no endpoint.
    estimate: Option<EstimateBody>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PlanEstimate)]
struct EstimateBody {
    tokens: Amount,
    cost: Amount,
}

/// An amount for all days that would run, and what it is based on.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanAmount)]
struct Amount {
    basis: &'static str,
    /// Past days that the amount is based on.
    past_days: u64,
    per_day: Option<Number>,
    total: Option<Number>,
}

/// What would be downloaded, if anything.
#[derive(Serialize, ToSchema)]
#[schema(as = PlannedDownload)]
struct DownloadBody {
    /// Symbols that lack prices.
    symbols: usize,
    /// Sessions that lack some.
    dates: usize,
    first_date: Option<String>,
    last_date: Option<String>,
    /// Calls that would fetch them.
    requests: usize,
    /// Sessions whose prices no provider can have yet.
    not_yet_available: usize,
    /// The most preferred one; null when there is none, or it is unknown.
    provider: Option<String>,
    /// Calls left in the tightest windows of an hour or more, of all providers together; null without one, or when it is
    /// unknown.
    budget_left: Option<u32>,
    /// Whether the budget covers the requests; null when that is unknown.
    budget_suffices: Option<bool>,
    reason: Option<&'static str>,
    /// When the budget does not suffice: when it returns.
    budget_returns_at: Option<String>,
    /// When the budget does not suffice: in how many of its windows, beside this one, the rest fits.
    windows: Option<u32>,
    /// When the budget does not suffice: what is missing then, and what can be done.
    outlook: Option<String>,
}

/// Dollars of all agents.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanCost)]
struct CostBody {
    basis: &'static str,
    /// Null when the cost of some model is unknown.
    total: Option<Number>,
    /// The part of the total that is known.
    known: Number,
    unknown_models: Vec<String>,
    budget: Option<Number>,
    budget_suffices: Option<bool>,
    reason: Option<&'static str>,
}

impl DryRunBody {
    pub(super) fn of(
        job: &Job,
        models: &[ModelForecast<'_>],
        download: &DownloadForecast,
        sources: &Reach<'_>,
        warnings: Vec<String>,
        deployment: Deployment,
    ) -> Self {
        let all = models.iter().map(|forecast| DayCounts::from(&forecast.counts));
        Self {
            experiment: job.experiment.clone(),
            start_date: job.start.to_string(),
            end_date: job.end.to_string(),
            total_model_days: job.total_model_days(),
            model_days: all.fold(DayCounts::default(), DayCounts::plus),
            models: models.iter().map(Into::into).collect(),
            prices: DownloadBody::of(download, sources),
            cost: CostBody::of(job, models),
            warnings: (!warnings.is_empty()).then_some(warnings),
            deployment,
        }
    }
}

impl DayCounts {
    fn plus(self, other: Self) -> Self {
        Self {
            to_run: self.to_run + other.to_run,
            already_completed: self.already_completed + other.already_completed,
            market_closed: self.market_closed + other.market_closed,
            incomplete_prices: self.incomplete_prices + other.incomplete_prices,
        }
    }
}

impl From<&ModelDayCounts> for DayCounts {
    fn from(counts: &ModelDayCounts) -> Self {
        let ModelDayCounts { to_run, already_completed, market_closed, incomplete_prices, .. } = *counts;
        Self { to_run, already_completed, market_closed, incomplete_prices }
    }
}

impl From<&ModelForecast<'_>> for ModelBody {
    fn from(forecast: &ModelForecast<'_>) -> Self {
        let ModelForecast { model, counts, estimate, why_not_ready } = forecast;
        Self {
            model: model.signature.clone(),
            kind: model.kind.as_str(),
            trials: model.trials,
            ready: why_not_ready.is_none(),
            why: why_not_ready.map(str::to_owned),
            first_date: counts.first.map(|date| date.to_string()),
            last_date: counts.last.map(|date| date.to_string()),
            model_days: counts.into(),
            estimate: estimate
                .as_ref()
                .map(|(past, estimate)| EstimateBody::of(past, estimate, counts.to_run)),
        }
    }
}

impl EstimateBody {
    fn of(past: &PastDays, estimate: &DayEstimate, days: usize) -> Self {
        Self {
            tokens: Amount::of(&estimate.tokens, past.counted, days),
            cost: Amount::of(&estimate.cost, past.priced, days),
        }
    }
}

impl Amount {
    fn of(amount: &DailyAmount, past_days: u64, days: usize) -> Self {
        Self {
            basis: amount.basis.as_str(),
            past_days,
            per_day: amount.amount.map(Into::into),
            total: amount.of_days(days).map(Into::into),
        }
    }
}

impl DownloadBody {
    fn of(download: &DownloadForecast, known: &Reach<'_>) -> Self {
        let Reach { sources, calendar, now } = *known;
        let is_out_of_reach = |date: &NaiveDate| sources.none_reaches(*date, calendar, now);
        let (budget_suffices, reason) = match sources.exist() {
            _ if download.symbols.is_empty() => (Some(true), None),
            None => (None, Some("no downloader has told of its provider")),
            Some(false) => (Some(false), Some("the downloader has no key of a provider")),
            Some(true) if sources.calls_left() < download.requests => {
                (Some(false), Some("the provider's budget is too small for all of them"))
            }
            Some(true) if download.dates.iter().any(is_out_of_reach) => {
                (Some(false), Some("the key's plan does not reach back to all of them"))
            }
            Some(true) => (Some(true), None),
        };
        let outlook = Self::outlook(download, sources);
        Self {
            symbols: download.symbols.len(),
            dates: download.dates.len(),
            first_date: download.dates.first().map(ToString::to_string),
            last_date: download.dates.last().map(ToString::to_string),
            requests: download.requests,
            not_yet_available: download.not_yet.len(),
            provider: sources.name().map(str::to_owned),
            budget_left: sources.budget_left(),
            budget_suffices,
            reason,
            budget_returns_at: outlook
                .map(|outlook| outlook.until.to_rfc3339_opts(SecondsFormat::Micros, true)),
            windows: outlook.and_then(|outlook| outlook.windows),
            outlook: outlook.map(|outlook| format!("{outlook}. To get them, {WAYS_OUT}")),
        }
    }

    /// What is left when the calls of this window are used up; `None` when they suffice.
    fn outlook(download: &DownloadForecast, sources: &PriceSources) -> Option<Outlook> {
        if !sources.exist()? {
            return None;
        }
        let calls = download.requests.checked_sub(sources.calls_left()).filter(|calls| *calls > 0)?;
        let next = sources.next_window()?;
        Some(Outlook::new(next.opens_at, download.symbols.len().min(calls), calls, Some(next.calls)))
    }
}

impl CostBody {
    fn of(job: &Job, models: &[ModelForecast<'_>]) -> Self {
        let agents = || {
            models.iter().filter_map(|forecast| {
                let (_, estimate) = forecast.estimate.as_ref()?;
                Some((forecast, &estimate.cost))
            })
        };
        let total = JobCost::of(agents().map(|(forecast, cost)| (forecast.counts.to_run, cost)));
        let unknown = agents().filter(|(forecast, cost)| cost.of_days(forecast.counts.to_run).is_none());
        let verdict = job.options.budget.map(|budget| total.within(budget));
        let (budget_suffices, reason) = match verdict {
            None => (None, None),
            Some(BudgetCheck::Yes) => (Some(true), None),
            Some(BudgetCheck::No) => (Some(false), Some("past days cost more")),
            Some(BudgetCheck::LimitsAllowMore) => (None, Some("the limits of its days allow more")),
            Some(BudgetCheck::CostUnknown) => (None, Some("the cost of a model is unknown")),
        };
        Self {
            basis: total.basis().as_str(),
            total: (total.basis() != EstimateBasis::Unknown).then(|| total.known().into()),
            known: total.known().into(),
            unknown_models: unknown.map(|(forecast, _)| forecast.model.signature.clone()).collect(),
            budget: job.options.budget.map(|budget: Decimal| budget.into()),
            budget_suffices,
            reason,
        }
    }
}
