//! Jobs and their models on the wire.

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use chrono::NaiveDate;
use domain::accounting::costs::{CostTerms, Costs};
use domain::job::bounds;
use domain::job::requested_dates::RequestedDates;
use domain::job::{Job, Model, ModelKind, OnFailure, Options, Priority};
use domain::strategy::policy::Policy;
use domain::strategy::recorded_orders::RecordedOrder;
use rust_decimal::Decimal;

use crate::error::ContractError;
use crate::events::read;
use crate::fields::{
    amount, date, decimal, decimal_text, instant, instant_text, optional, parse, side, side_wire,
};
use crate::wire;

impl TryFrom<wire::Job> for Job {
    type Error = ContractError;

    fn try_from(job: wire::Job) -> Result<Self, Self::Error> {
        let options = job.options.unwrap_or_default();
        let (start, end) = (date("job.start_date", &job.start_date)?, date("job.end_date", &job.end_date)?);
        if start > end {
            return Err(ContractError::invalid("job.end_date", format_args!("{end} is before {start}")));
        }
        let job = Self {
            id: parse("job.job_id", &job.job_id)?,
            experiment: optional(&job.experiment).ok_or(ContractError::missing("job.experiment"))?.to_owned(),
            models: models(job.models)?,
            universe: job.universe.ok_or(ContractError::missing("job.universe"))?.try_into()?,
            start,
            end,
            options: Options {
                replace_existing: options.replace_existing,
                on_failure: match options.on_failure() {
                    wire::OnFailure::Stop => OnFailure::Stop,
                    wire::OnFailure::Continue | wire::OnFailure::Unspecified => OnFailure::Continue,
                },
                wait_for_data: options.wait_for_data,
                reprocess_stale: options.reprocess_stale,
                budget: optional(&options.budget)
                    .map(|text| amount("job.options.budget", text))
                    .transpose()?,
                priority: match options.priority() {
                    wire::Priority::Low => Priority::Low,
                    wire::Priority::Normal | wire::Priority::Unspecified => Priority::Normal,
                    wire::Priority::High => Priority::High,
                },
            },
            accepted_at: instant("job.accepted_at", &job.accepted_at)?,
            retry_of: optional(&job.retry_of).map(|text| parse("job.retry_of", text)).transpose()?,
            unknown_fields: job.unknown_fields,
            requested_by: job.requested_by,
        };
        bounds::check_job(&job)?;
        Ok(job)
    }
}

impl From<&Job> for wire::Job {
    fn from(job: &Job) -> Self {
        let on_failure = match job.options.on_failure {
            OnFailure::Continue => wire::OnFailure::Continue,
            OnFailure::Stop => wire::OnFailure::Stop,
        };
        let priority = match job.options.priority {
            Priority::Low => wire::Priority::Low,
            // As in messages of before.
            Priority::Normal => wire::Priority::Unspecified,
            Priority::High => wire::Priority::High,
        };
        Self {
            job_id: job.id.to_string(),
            experiment: job.experiment.clone(),
            models: job.models.iter().map(Into::into).collect(),
            universe: Some((&job.universe).into()),
            start_date: job.start.to_string(),
            end_date: job.end.to_string(),
            options: Some(wire::Options {
                replace_existing: job.options.replace_existing,
                on_failure: on_failure.into(),
                wait_for_data: job.options.wait_for_data,
                reprocess_stale: job.options.reprocess_stale,
                budget: job.options.budget.map(decimal_text).unwrap_or_default(),
                priority: priority.into(),
            }),
            accepted_at: instant_text(job.accepted_at),
            retry_of: job.retry_of.map(|job| job.to_string()).unwrap_or_default(),
            unknown_fields: job.unknown_fields.clone(),
            requested_by: job.requested_by.clone(),
        }
    }
}

fn models(list: Vec<wire::Model>) -> Result<Vec<Model>, ContractError> {
    let mut signatures = BTreeSet::new();
    if let Some(twice) = list.iter().find(|model| !signatures.insert(model.signature.as_str())) {
        let problem = format_args!("{:?} is listed twice", twice.signature);
        return Err(ContractError::invalid("models.signature", problem));
    }
    list.into_iter().map(TryInto::try_into).collect()
}

impl TryFrom<wire::Model> for Model {
    type Error = ContractError;

    fn try_from(model: wire::Model) -> Result<Self, Self::Error> {
        let kind = match model.kind.ok_or(ContractError::missing("models.kind"))? {
            wire::model::Kind::Recorded(recorded) => ModelKind::Recorded(
                recorded.orders.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            ),
            wire::model::Kind::Policy(policy) => ModelKind::Policy(policy.try_into()?),
            wire::model::Kind::Agent(agent) => ModelKind::Agent(Box::new(agent.try_into()?)),
        };
        Ok(Self {
            signature: optional(&model.signature)
                .ok_or(ContractError::missing("models.signature"))?
                .to_owned(),
            config_hash: model.config_hash,
            initial_cash: amount("models.initial_cash", &model.initial_cash)?,
            trials: model.trials.max(1),
            start: date("models.start_date", &model.start_date)?,
            requested_dates: requested_dates(&model.only)?,
            costs: model.costs.unwrap_or_default().try_into()?,
            training_cutoff: optional(&model.training_cutoff)
                .map(|text| date("models.training_cutoff", text))
                .transpose()?,
            kind,
        })
    }
}

impl From<&Model> for wire::Model {
    fn from(model: &Model) -> Self {
        let kind = match &model.kind {
            ModelKind::Recorded(orders) => wire::model::Kind::Recorded(wire::RecordedModel {
                orders: orders.iter().map(Into::into).collect(),
            }),
            ModelKind::Policy(policy) => wire::model::Kind::Policy(policy.into()),
            ModelKind::Agent(agent) => wire::model::Kind::Agent(agent.as_ref().into()),
        };
        Self {
            signature: model.signature.clone(),
            config_hash: model.config_hash.clone(),
            initial_cash: decimal_text(model.initial_cash),
            trials: model.trials,
            start_date: model.start.to_string(),
            only: model.requested_dates.iter().flat_map(RequestedDates::trials).map(trial_dates).collect(),
            costs: (model.costs != Costs::NONE).then(|| (&model.costs).into()),
            training_cutoff: model.training_cutoff.map(|date| date.to_string()).unwrap_or_default(),
            kind: Some(kind),
        }
    }
}

/// The text of a model as messages carry it.
///
/// # Errors
/// When it cannot be written.
pub fn encode_model(model: &Model) -> Result<String, ContractError> {
    serde_json::to_string(&wire::Model::from(model)).map_err(ContractError::Unwritable)
}

/// The model of such a text.
///
/// # Errors
/// What is wrong with it.
pub fn decode_model(text: &str) -> Result<Model, ContractError> {
    read::<wire::Model>("a model", text.as_bytes())?.try_into()
}

/// The dates of the listed trials; `None` when none is listed.
fn requested_dates(trials: &[wire::TrialDates]) -> Result<Option<RequestedDates>, ContractError> {
    let mut pairs = Vec::new();
    for wire::TrialDates { trial, dates } in trials {
        for text in dates {
            pairs.push((*trial, date("models.only.dates", text)?));
        }
    }
    // A listed trial without dates stays a selection: `None` would mean every date.
    Ok((!trials.is_empty()).then(|| pairs.into_iter().collect()))
}

fn trial_dates((trial, dates): (u32, &BTreeSet<NaiveDate>)) -> wire::TrialDates {
    wire::TrialDates { trial, dates: dates.iter().map(ToString::to_string).collect() }
}

impl TryFrom<wire::Costs> for Costs {
    type Error = ContractError;

    fn try_from(costs: wire::Costs) -> Result<Self, Self::Error> {
        let term = |field, text: &str| optional(text).map(|text| decimal(field, text)).transpose();
        let terms = CostTerms {
            bps: term("models.costs.bps", &costs.bps)?.unwrap_or_default(),
            per_share: term("models.costs.per_share", &costs.per_share)?.unwrap_or_default(),
            min: term("models.costs.min", &costs.min)?.unwrap_or_default(),
            max_bps_of_notional: term("models.costs.max_bps_of_notional", &costs.max_bps_of_notional)?,
            slippage_bps: term("models.costs.slippage_bps", &costs.slippage_bps)?.unwrap_or_default(),
        };
        Self::try_from(terms).map_err(|problem| ContractError::invalid("models.costs", problem))
    }
}

impl From<&Costs> for wire::Costs {
    fn from(costs: &Costs) -> Self {
        let text = |value: Decimal| if value.is_zero() { String::new() } else { decimal_text(value) };
        let terms = costs.terms();
        Self {
            bps: text(terms.bps),
            per_share: text(terms.per_share),
            min: text(terms.min),
            max_bps_of_notional: terms.max_bps_of_notional.map(decimal_text).unwrap_or_default(),
            slippage_bps: text(terms.slippage_bps),
        }
    }
}

impl TryFrom<wire::RecordedOrder> for RecordedOrder {
    type Error = ContractError;

    fn try_from(order: wire::RecordedOrder) -> Result<Self, Self::Error> {
        Ok(Self {
            date: date("models.recorded.orders.trading_date", &order.trading_date)?,
            sequence: order.sequence,
            side: side("models.recorded.orders.side", order.side)?,
            symbol: order.symbol,
            quantity: order.quantity,
        })
    }
}

impl From<&RecordedOrder> for wire::RecordedOrder {
    fn from(order: &RecordedOrder) -> Self {
        Self {
            trading_date: order.date.to_string(),
            sequence: order.sequence,
            side: side_wire(order.side),
            symbol: order.symbol.clone(),
            quantity: order.quantity,
        }
    }
}

fn at_least_one(field: &'static str, value: u32) -> Result<NonZeroU16, ContractError> {
    u16::try_from(value).ok().and_then(NonZeroU16::new).ok_or_else(|| {
        ContractError::invalid(field, format_args!("{value} is not between 1 and {}", u16::MAX))
    })
}

impl TryFrom<wire::PolicyModel> for Policy {
    type Error = ContractError;

    fn try_from(model: wire::PolicyModel) -> Result<Self, Self::Error> {
        use wire::policy_model::Policy as Wire;
        Ok(match model.policy.ok_or(ContractError::missing("models.policy"))? {
            Wire::BuyAndHold(policy) => {
                Self::BuyAndHold { symbol: parse("models.policy.buy_and_hold.symbol", &policy.symbol)? }
            }
            Wire::EqualWeight(wire::EqualWeight {}) => Self::EqualWeight,
            Wire::Momentum(policy) => Self::Momentum {
                lookback: at_least_one("models.policy.momentum.lookback", policy.lookback)?,
                top: at_least_one("models.policy.momentum.top", policy.top)?,
                rebalance_every: at_least_one(
                    "models.policy.momentum.rebalance_every",
                    policy.rebalance_every,
                )?,
            },
            Wire::Random(policy) => Self::Random {
                seed: policy.seed,
                orders_per_day: u16::try_from(policy.orders_per_day).map_err(|problem| {
                    ContractError::invalid("models.policy.random.orders_per_day", problem)
                })?,
            },
            Wire::Cash(wire::CashPolicy {}) => Self::Cash,
        })
    }
}

impl From<&Policy> for wire::PolicyModel {
    fn from(policy: &Policy) -> Self {
        use wire::policy_model::Policy as Wire;
        let policy = match policy {
            Policy::BuyAndHold { symbol } => {
                Wire::BuyAndHold(wire::BuyAndHold { symbol: symbol.to_string() })
            }
            Policy::EqualWeight => Wire::EqualWeight(wire::EqualWeight {}),
            Policy::Momentum { lookback, top, rebalance_every } => Wire::Momentum(wire::Momentum {
                lookback: lookback.get().into(),
                top: top.get().into(),
                rebalance_every: rebalance_every.get().into(),
            }),
            Policy::Random { seed, orders_per_day } => {
                Wire::Random(wire::RandomPolicy { seed: *seed, orders_per_day: (*orders_per_day).into() })
            }
            Policy::Cash => Wire::Cash(wire::CashPolicy {}),
        };
        Self { policy: Some(policy) }
    }
}
