//! A preview as the API writes it.

use domain::dry_run::cost_estimate::{Basis, Estimate, PastDays, PerDay, Suffices, Total};
use domain::dry_run::{Download, Share, Source};
use domain::job::{Job, ModelKind};
use runtime::deployment::Deployment;
use runtime::http::Number;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::{KnownSource, ModelPreview};

/// What a job would do if it were triggered now.
#[derive(Serialize, ToSchema)]
#[schema(as = Plan)]
pub(crate) struct Preview {
    experiment: String,
    start_date: String,
    end_date: String,
    total_model_days: usize,
    model_days: Counts,
    models: Vec<ModelDetail>,
    prices: Prices,
    cost: Cost,
    warnings: Option<Vec<String>>,
    #[serde(flatten)]
    deployment: Deployment,
}

/// Weekdays asked for, trials counted, by what would become of them.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
#[schema(as = PlannedDays)]
struct Counts {
    to_run: usize,
    already_completed: usize,
    market_closed: usize,
    incomplete_prices: usize,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PlannedModel)]
struct ModelDetail {
    model: String,
    kind: &'static str,
    trials: u32,
    /// First and last session that would be run; null when there is none.
    first_date: Option<String>,
    last_date: Option<String>,
    model_days: Counts,
    /// Null for models that ask nobody.
    estimate: Option<EstimateDetail>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PlanEstimate)]
struct EstimateDetail {
    tokens: Amount,
    cost: Amount,
}

/// An amount of all days that would be run, with where it comes from.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanAmount)]
struct Amount {
    basis: &'static str,
    /// Past days that told enough to count.
    past_days: u64,
    per_day: Option<Number>,
    total: Option<Number>,
}

/// What would be downloaded, if anything.
#[derive(Serialize, ToSchema)]
#[schema(as = PlannedDownload)]
struct Prices {
    /// Symbols that lack prices.
    symbols: usize,
    /// Sessions that lack some.
    dates: usize,
    first_date: Option<String>,
    last_date: Option<String>,
    /// Calls that would fetch them.
    requests: usize,
    /// Sessions whose prices no provider has yet.
    not_yet_available: usize,
    /// Null when there is none, or nobody knows.
    provider: Option<String>,
    /// Calls left for a long time; null without a limit, or when nobody knows.
    budget_left: Option<u32>,
    /// Whether the budget covers the requests; null when nobody knows.
    budget_suffices: Option<bool>,
    reason: Option<&'static str>,
}

/// Dollars of all agents together.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanCost)]
struct Cost {
    basis: &'static str,
    /// Null when the cost of some model is unknown.
    total: Option<Number>,
    /// What is known of it.
    known: Number,
    unknown_models: Vec<String>,
    budget: Option<Number>,
    budget_suffices: Option<bool>,
    reason: Option<&'static str>,
}

impl Preview {
    pub(super) fn of(
        job: &Job,
        models: &[ModelPreview<'_>],
        download: &Download,
        source: &KnownSource,
        warnings: Vec<String>,
        deployment: Deployment,
    ) -> Self {
        let all = models.iter().map(|preview| Counts::from(&preview.share));
        Self {
            experiment: job.experiment.clone(),
            start_date: job.start.to_string(),
            end_date: job.end.to_string(),
            total_model_days: job.total_model_days(),
            model_days: all.fold(Counts::default(), Counts::plus),
            models: models.iter().map(Into::into).collect(),
            prices: Prices::of(download, source),
            cost: Cost::of(job, models),
            warnings: (!warnings.is_empty()).then_some(warnings),
            deployment,
        }
    }
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            to_run: self.to_run + other.to_run,
            already_completed: self.already_completed + other.already_completed,
            market_closed: self.market_closed + other.market_closed,
            incomplete_prices: self.incomplete_prices + other.incomplete_prices,
        }
    }
}

impl From<&Share> for Counts {
    fn from(share: &Share) -> Self {
        let Share { to_run, already_completed, market_closed, incomplete_prices, .. } = *share;
        Self { to_run, already_completed, market_closed, incomplete_prices }
    }
}

impl From<&ModelPreview<'_>> for ModelDetail {
    fn from(preview: &ModelPreview<'_>) -> Self {
        let ModelPreview { model, share, estimate } = preview;
        Self {
            model: model.signature.clone(),
            kind: match &model.kind {
                ModelKind::Recorded(_) => "recorded",
                ModelKind::Policy(_) => "policy",
                ModelKind::Agent(agent) => agent.kind(),
            },
            trials: model.trials,
            first_date: share.first.map(|date| date.to_string()),
            last_date: share.last.map(|date| date.to_string()),
            model_days: share.into(),
            estimate: estimate
                .as_ref()
                .map(|(past, estimate)| EstimateDetail::of(past, estimate, share.to_run)),
        }
    }
}

impl EstimateDetail {
    fn of(past: &PastDays, estimate: &Estimate, days: usize) -> Self {
        Self {
            tokens: Amount::of(&estimate.tokens, past.counted, days),
            cost: Amount::of(&estimate.cost, past.priced, days),
        }
    }
}

impl Amount {
    fn of(amount: &PerDay, past_days: u64, days: usize) -> Self {
        Self {
            basis: amount.basis.as_str(),
            past_days,
            per_day: amount.amount.map(Into::into),
            total: amount.of_days(days).map(Into::into),
        }
    }
}

impl Prices {
    fn of(download: &Download, known: &KnownSource) -> Self {
        let (budget_suffices, reason) = match known.source {
            _ if download.symbols.is_empty() => (Some(true), None),
            Source::Unknown => (None, Some("no downloader has told of its provider")),
            Source::Missing => (Some(false), Some("the downloader has no key of a provider")),
            Source::Provider { calls_left, .. } if calls_left < download.requests => {
                (Some(false), Some("the provider's budget is too small for all of them"))
            }
            Source::Provider { offer, .. }
                if offer
                    .earliest
                    .is_some_and(|earliest| download.dates.iter().any(|date| *date < earliest)) =>
            {
                (Some(false), Some("the key's plan does not reach back to all of them"))
            }
            Source::Provider { .. } => (Some(true), None),
        };
        Self {
            symbols: download.symbols.len(),
            dates: download.dates.len(),
            first_date: download.dates.first().map(ToString::to_string),
            last_date: download.dates.last().map(ToString::to_string),
            requests: download.requests,
            not_yet_available: download.not_yet.len(),
            provider: known.name.clone(),
            budget_left: known.budget_left,
            budget_suffices,
            reason,
        }
    }
}

impl Cost {
    fn of(job: &Job, models: &[ModelPreview<'_>]) -> Self {
        let agents = || {
            models.iter().filter_map(|preview| {
                let (_, estimate) = preview.estimate.as_ref()?;
                Some((preview, &estimate.cost))
            })
        };
        let total = Total::of(agents().map(|(preview, cost)| (preview.share.to_run, cost)));
        let unknown = agents().filter(|(preview, cost)| cost.of_days(preview.share.to_run).is_none());
        let verdict = job.options.budget.map(|budget| total.within(budget));
        let (budget_suffices, reason) = match verdict {
            None => (None, None),
            Some(Suffices::Yes) => (Some(true), None),
            Some(Suffices::No) => (Some(false), Some("past days cost more")),
            Some(Suffices::LimitsAllowMore) => (None, Some("the limits of its days allow more")),
            Some(Suffices::CostUnknown) => (None, Some("the cost of a model is unknown")),
        };
        Self {
            basis: total.basis().as_str(),
            total: (total.basis() != Basis::Unknown).then(|| total.known().into()),
            known: total.known().into(),
            unknown_models: unknown.map(|(preview, _)| preview.model.signature.clone()).collect(),
            budget: job.options.budget.map(|budget: Decimal| budget.into()),
            budget_suffices,
            reason,
        }
    }
}
