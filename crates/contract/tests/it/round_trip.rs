//! Every domain value survives the wire.

use std::num::NonZeroU16;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use contract::{decode_event, encode_event, kind};
use domain::accounting::applied_action::AppliedAction;
use domain::accounting::costs::{CostTerms, Costs};
use domain::accounting::order::Side;
use domain::accounting::portfolio::Portfolio;
use domain::accounting::refusal::RefusedOrder;
use domain::agent::{AgentReport, AgentSettings, Dialect, Limits, UsageTotal};
use domain::events::event::{Event, JobEnded, JobStarted};
use domain::job::requested_dates::RequestedDates;
use domain::job::{AgentModel, Job, JobOutcome, Model, ModelKind, OnFailure, Options, Priority, Tally};
use domain::market::corporate_action::{Action, ActionKind, Ratio};
use domain::market::instruments::{Symbol, Universe};
use domain::simulation::model_day::{CompletedDay, DayRef, Trade};
use domain::strategy::policy::Policy;
use domain::strategy::recorded_orders::RecordedOrder;
use domain::values::ids::{JobId, ModelDayKey};
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::documents::objections;

fn job_id() -> impl Strategy<Value = JobId> {
    any::<u128>().prop_map(|bits| JobId(Uuid::from_u128(bits)))
}

fn date() -> impl Strategy<Value = NaiveDate> {
    (0i64..10_000).prop_map(|day| NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() + TimeDelta::days(day))
}

fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    (0i64..4_000_000_000_000_000).prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap())
}

fn decimal() -> impl Strategy<Value = Decimal> {
    (any::<i64>(), 0u32..=20).prop_map(|(digits, scale)| Decimal::new(digits, scale))
}

/// At least zero.
fn amount() -> impl Strategy<Value = Decimal> {
    decimal().prop_map(|value| value.abs())
}

/// Above zero.
fn price() -> impl Strategy<Value = Decimal> {
    amount().prop_filter("above zero", |value| !value.is_zero())
}

fn symbol() -> impl Strategy<Value = Symbol> {
    "[A-Z0-9.-]{1,12}".prop_map(|text| text.parse().unwrap())
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

/// Share counts that fit the wire.
fn shares() -> impl Strategy<Value = u64> {
    1..=i64::MAX as u64
}

fn portfolio() -> impl Strategy<Value = Portfolio> {
    let holdings = prop::collection::btree_map(symbol(), shares(), 0..4);
    (amount(), holdings).prop_map(|(cash, holdings)| Portfolio::new(cash, holdings).unwrap())
}

fn trade() -> impl Strategy<Value = Trade> {
    (any::<u32>(), side(), symbol(), shares(), price(), amount(), amount()).prop_map(
        |(sequence, side, symbol, quantity, price, fee, cash_after)| Trade {
            sequence,
            side,
            symbol,
            quantity,
            price,
            fee,
            cash_after,
        },
    )
}

fn refused() -> impl Strategy<Value = RefusedOrder> {
    (any::<u32>(), side(), any::<String>(), any::<String>(), any::<String>()).prop_map(
        |(sequence, side, symbol, quantity, code)| RefusedOrder { sequence, side, symbol, quantity, code },
    )
}

prop_compose! {
    fn key()(
        job in job_id(), experiment: String, model: String, trial in 0u32..1_000, date in date(),
    ) -> ModelDayKey {
        ModelDayKey { job, experiment, model, trial, date }
    }
}

prop_compose! {
    fn base()(date in date(), revision in 1u32..) -> DayRef {
        DayRef { date, revision }
    }
}

prop_compose! {
    fn agent_report()(
        (reason, summary) in ("[a-z_]{1,20}", any::<String>()),
        (calls, prompt_tokens, cached, completion, reasoning) in any::<(u64, u64, u64, u64, u64)>(),
        cost in prop::option::of(amount()),
        (unknown_calls, unpriced_calls, possibly_paid_twice) in any::<(u64, u64, u64)>(),
        tool_calls: Option<u64>,
    ) -> AgentReport {
        let spent = UsageTotal {
            calls, prompt_tokens, cached, completion, reasoning, cost, unknown_calls, unpriced_calls,
        };
        AgentReport { reason, summary, spent, possibly_paid_twice, tool_calls }
    }
}

prop_compose! {
    fn agent_model()(
        dialect in prop::sample::select(vec![
            Dialect::ChatCompletions, Dialect::Messages, Dialect::Responses, Dialect::Agent, Dialect::Mcp,
        ]),
        key_variable in prop::option::of("[A-Z_]{1,20}"),
        tokens_per_minute in prop::option::of(any::<u64>()),
        (concurrency, timeout_seconds, max_steps) in (1u32..=10_000, 1u64..=300, 0u32..=10_000),
        max_cost in prop::option::of(amount()),
    ) -> AgentModel {
        let limits = Limits { max_steps, max_cost, ..Limits::default() };
        AgentModel {
            dialect,
            url: "https://example.org/v1".to_owned(),
            key_variable,
            settings: AgentSettings {
                basemodel: "m".to_owned(),
                limits,
                sampling: Default::default(),
                prompt: Default::default(),
                search: dialect == Dialect::Agent,
                prices: None,
                cost_basis: Default::default(),
            },
            concurrency,
            tokens_per_minute,
            timeout_seconds,
        }
    }
}

prop_compose! {
    fn completed_day()(
        (key, base, config_hash) in (key(), prop::option::of(base()), any::<String>()),
        (attempt, revision, days_since_last_trading) in (1u32.., 1u32.., any::<u32>()),
        (starting_position, ending_position) in (prop::option::of(portfolio()), portfolio()),
        (starting_value, profit, return_pct) in (decimal(), decimal(), decimal()),
        (value_at_open, value_at_close) in (decimal(), decimal()),
        trades in prop::collection::vec(trade(), 0..4),
        refused in prop::collection::vec(refused(), 0..3),
        stale_symbols in prop::collection::vec(symbol(), 0..3),
        price_dates in prop::collection::btree_map(symbol(), date(), 0..3),
        corporate_actions in prop::collection::vec(applied_action(), 0..3),
        (started_at, completed_at) in (instant(), instant()),
        agent in prop::option::of(agent_report()),
    ) -> CompletedDay {
        CompletedDay {
            key, attempt, revision, base, config_hash, starting_position, starting_value, profit, return_pct,
            days_since_last_trading, trades, refused, ending_position, value_at_open, value_at_close,
            corporate_actions,
            stale_symbols, price_dates, started_at, completed_at,
            agent,
        }
    }
}

fn action() -> impl Strategy<Value = Action> {
    let shares = || (1u32..).prop_map(|shares| shares.try_into().unwrap());
    let ratio = (shares(), shares()).prop_map(|(from, to)| Ratio::new(from, to));
    let kind = prop::sample::select(ActionKind::ALL.as_slice());
    (kind, ratio, 1i64..1_000_000, symbol(), any::<bool>()).prop_map(|(kind, ratio, amount, new, is_paid)| {
        let needs_amount = matches!(kind, ActionKind::Dividend | ActionKind::CashMerger);
        let amount = (is_paid || needs_amount).then(|| Decimal::new(amount, 4).normalize());
        Action::of(kind, Some(ratio), amount, Some(new)).unwrap()
    })
}

prop_compose! {
    fn applied_action()(
        symbol in symbol(), action in action(), cash in amount(),
        (shares_before, shares_after) in (0..i64::MAX.cast_unsigned(), 0..i64::MAX.cast_unsigned()),
        new_shares in 0..i64::MAX.cast_unsigned(),
    ) -> AppliedAction {
        AppliedAction { symbol, action, shares_before, shares_after, new_shares, cash }
    }
}

prop_compose! {
    fn costs()(
        (bps, per_share, min) in (amount(), amount(), amount()),
        max_bps_of_notional in prop::option::of(amount()),
        slippage in 0i64..100_000_000,
    ) -> Costs {
        let slippage_bps = Decimal::new(slippage, 4);
        Costs::try_from(CostTerms { bps, per_share, min, max_bps_of_notional, slippage_bps }).unwrap()
    }
}

prop_compose! {
    fn recorded_order()(
        date in date(), sequence: u32, side in side(), symbol: String, quantity: i64,
    ) -> RecordedOrder {
        RecordedOrder { date, sequence, side, symbol, quantity }
    }
}

fn model_kind() -> impl Strategy<Value = ModelKind> {
    let count = || (1..=u16::MAX).prop_map(|count| NonZeroU16::new(count).unwrap());
    let policy = prop_oneof![
        symbol().prop_map(|symbol| Policy::BuyAndHold { symbol }),
        Just(Policy::EqualWeight),
        (count(), count(), count()).prop_map(|(lookback, top, rebalance_every)| Policy::Momentum {
            lookback,
            top,
            rebalance_every
        }),
        (any::<u64>(), any::<u16>())
            .prop_map(|(seed, orders_per_day)| Policy::Random { seed, orders_per_day }),
        Just(Policy::Cash),
    ];
    prop_oneof![
        policy.prop_map(ModelKind::Policy),
        agent_model().prop_map(|agent| ModelKind::Agent(Box::new(agent))),
        prop::collection::vec(recorded_order(), 0..4).prop_map(ModelKind::Recorded),
    ]
}

prop_compose! {
    fn model()(
        (signature, config_hash) in (".{1,20}", any::<String>()),
        (initial_cash, trials, start) in (amount(), 1u32..=300, date()),
        costs in prop_oneof![Just(Costs::NONE), costs()],
        training_cutoff in prop::option::of(date()),
        requested_dates in prop::option::of(requested_dates()),
        kind in model_kind(),
    ) -> Model {
        Model { signature, config_hash, initial_cash, trials, start, requested_dates, costs, training_cutoff, kind }
    }
}

fn requested_dates() -> impl Strategy<Value = RequestedDates> {
    prop::collection::vec((any::<u32>(), date()), 1..6).prop_map(|pairs| pairs.into_iter().collect())
}

/// Models whose signatures differ.
fn models() -> impl Strategy<Value = Vec<Model>> {
    prop::collection::vec(model(), 0..4).prop_map(|mut models| {
        for (place, model) in models.iter_mut().enumerate() {
            model.signature = format!("{place}{}", model.signature);
        }
        models
    })
}

prop_compose! {
    fn options()(
        replace_existing: bool, stop: bool, wait_for_data: bool, reprocess_stale: bool,
        budget in prop::option::of(amount()), priority in prop::sample::select(&Priority::ALL[..]),
    ) -> Options {
        let on_failure = if stop { OnFailure::Stop } else { OnFailure::Continue };
        Options { replace_existing, on_failure, wait_for_data, reprocess_stale, budget, priority }
    }
}

prop_compose! {
    fn universe()(
        name: String, symbols in prop::collection::vec(symbol(), 0..4), benchmark in prop::option::of(symbol()),
    ) -> Universe {
        Universe { name, symbols, benchmark }
    }
}

prop_compose! {
    fn job()(
        id in job_id(), experiment in ".{1,20}", models in models(), universe in universe(), one in date(),
        other in date(), options in options(), accepted_at in instant(), retry_of in prop::option::of(job_id()),
        unknown_fields in prop::collection::vec(".{0,20}", 0..4), requested_by in ".{0,20}",
    ) -> Job {
        let (start, end) = (one.min(other), one.max(other));
        Job {
            id, experiment, models, universe, start, end, options, accepted_at, retry_of, unknown_fields,
            requested_by,
        }
    }
}

/// The start and the end of the job, which carry it in short.
fn start_and_end(job: &Job) -> [Event; 2] {
    let started = JobStarted { job: job.id, lanes: 2, model_days: 3, outline: Some(job.into()) };
    let ended = JobEnded {
        job: job.id,
        outcome: JobOutcome::Completed,
        tally: Tally::default(),
        error: None,
        warnings: Vec::new(),
        ended_at: job.accepted_at,
        outline: Some(job.into()),
    };
    [Event::JobStarted(started), Event::JobEnded(ended)]
}

proptest! {
    #[test]
    fn a_completed_day_survives(day in completed_day()) {
        let event = Event::ModelDayCompleted(Box::new(day));

        let body = encode_event(&event).unwrap();

        prop_assert_eq!(decode_event(kind::MODEL_DAY_COMPLETED, body.as_bytes()).unwrap(), event);
    }

    #[test]
    fn a_job_survives(job in job()) {
        let event = Event::JobRequested(job);

        let body = encode_event(&event).unwrap();

        prop_assert_eq!(decode_event(kind::JOB_REQUESTED, body.as_bytes()).unwrap(), event);
    }

    #[test]
    fn a_job_in_short_survives(job in job()) {
        for event in start_and_end(&job) {
            let body = encode_event(&event).unwrap();

            prop_assert_eq!(decode_event(kind::of(&event), body.as_bytes()).unwrap(), event);
        }
    }

    #[test]
    fn whatever_is_sent_fits_its_schema(day in completed_day(), job in job()) {
        let [started, ended] = start_and_end(&job);
        for event in [Event::ModelDayCompleted(Box::new(day)), Event::JobRequested(job), started, ended] {
            let body = serde_json::from_str(&encode_event(&event).unwrap()).unwrap();

            prop_assert_eq!(objections(kind::of(&event), &body), Vec::<String>::new());
        }
    }
}
