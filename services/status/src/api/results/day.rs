//! The single-day form: each model-day in full, from its event.

use std::collections::BTreeMap;

use domain::accounting::corporate_action::{Action, AppliedAction};
use domain::accounting::portfolio::Portfolio;
use domain::accounting::refusal::RefusedOrder;
use domain::agent::Message;
use domain::events::event::Event;
use domain::simulation::model_day::{CompletedDay, DayRef, Trade};
use runtime::http::{Number, Problem};
use rust_decimal::Decimal;
use serde::{Deserialize as _, Serialize};
use storage::status::{WinnerKey, WinnerRow, conversations, day_bodies, training_cutoffs};
use utoipa::ToSchema;

use super::Reasoning;
use crate::api::stale::Chains;
use crate::api::{Api, instant, seconds};

/// A model-day.
#[derive(Serialize, ToSchema)]
pub(crate) struct DayResult {
    date: String,
    model: String,
    experiment: String,
    trial: u32,
    job_id: String,
    starting_position: Position,
    daily_metrics: DailyMetrics,
    /// What splits and dividends did before the open to what was held.
    corporate_actions: Vec<ActionDetail>,
    trades: Vec<TradeDetail>,
    refused_orders: Vec<RefusedDetail>,
    final_position: Position,
    metadata: Metadata,
    reasoning: Option<ReasoningText>,
    revision: u32,
    stale: bool,
    /// Whether the model may know the day from its training; null when its cutoff is not known.
    in_sample: Option<bool>,
}

/// What was held, and what it was worth at the day's open; `portfolio_value_close` is at the day's close for
/// the final position, and at the previous day's for the starting one.
#[derive(Serialize, ToSchema)]
struct Position {
    holdings: Vec<Holding>,
    cash: Number,
    portfolio_value: Number,
    portfolio_value_close: Number,
}

#[derive(Serialize, ToSchema)]
struct Holding {
    symbol: String,
    quantity: u64,
}

#[derive(Serialize, ToSchema)]
struct DailyMetrics {
    profit: Number,
    return_pct: Number,
    days_since_last_trading: u32,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DayCorporateAction)]
struct ActionDetail {
    /// `split` or `dividend`.
    action_type: &'static str,
    symbol: String,
    /// Of a split: new shares for old ones, e.g. `10:1`.
    ratio: Option<String>,
    /// Of a dividend: dollars for each share.
    per_share: Option<Number>,
    shares_before: u64,
    shares_after: u64,
    /// Dollars that it brought: a dividend, or the fraction of a share that a split left.
    cash: Number,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DayTrade)]
struct TradeDetail {
    action_type: &'static str,
    symbol: String,
    quantity: u64,
    price: Number,
    fee: Number,
    created_at: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RefusedOrder)]
struct RefusedDetail {
    action_type: &'static str,
    symbol: String,
    quantity: String,
    code: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DayMetadata)]
struct Metadata {
    total_actions: usize,
    session_duration_seconds: f64,
    completed_at: String,
}

#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = Reasoning)]
enum ReasoningText {
    Summary(String),
    Full(Vec<SaidTurn>),
}

/// A turn of a conversation, under the names of the original.
#[derive(Serialize, ToSchema)]
struct SaidTurn {
    role: String,
    content: String,
    step: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_input: Option<String>,
}

fn turns(said: &serde_json::Value) -> Vec<SaidTurn> {
    // A turn of a later version that cannot be read is left out, not the whole conversation.
    let turns = said.as_array().into_iter().flatten();
    let turns = turns.filter_map(|turn| Message::deserialize(turn).ok());
    turns
        .map(|turn| SaidTurn {
            role: turn.role.as_str().to_owned(),
            content: turn.content,
            step: turn.step,
            name: turn.name,
            tool_input: turn.arguments,
        })
        .collect()
}

/// The model-days of `rows` in full.
pub(super) async fn results(
    api: &Api,
    rows: &[WinnerRow],
    chains: &Chains,
    reasoning: Reasoning,
) -> Result<Vec<DayResult>, Problem> {
    let keys: Vec<WinnerKey> = rows.iter().map(|row| row.key.clone()).collect();
    let bases: Vec<WinnerKey> = rows.iter().filter_map(|row| Some(at(row, row.figures.base?))).collect();
    let bodies = day_bodies(&api.pool, &[keys, bases].concat()).await?;
    let days: BTreeMap<WinnerKey, CompletedDay> =
        bodies.into_iter().map(|(key, body)| Ok((key, completed(&body)?))).collect::<Result<_, Problem>>()?;
    let said = match reasoning {
        Reasoning::Full => {
            let keys: Vec<_> = rows.iter().map(|row| (row.job, row.key.clone())).collect();
            conversations(&api.pool, &keys).await.map_err(|problem| Problem::internal(&problem))?
        }
        Reasoning::None | Reasoning::Summary => BTreeMap::new(),
    };
    let cutoffs = training_cutoffs(&api.pool, &chains.models()).await?;
    let result = |row: &WinnerRow| {
        let day = days.get(&row.key)?;
        let base = row.figures.base.and_then(|base| days.get(&at(row, base)));
        let chain = chains.of(&row.key.model, row.key.trial);
        let stale = chain.is_some_and(|chain| chain.is_stale(row.key.day.date));
        let reasoning = match reasoning {
            Reasoning::None => None,
            Reasoning::Summary => Some(ReasoningText::Summary(summary(day))),
            // Recorded and policy models say nothing.
            Reasoning::Full => Some(ReasoningText::Full(said.get(&row.key).map(turns).unwrap_or_default())),
        };
        let in_sample = cutoffs.get(&row.key.model).map(|cutoff| row.key.day.date <= *cutoff);
        Some(DayResult { stale, in_sample, reasoning, ..day_result(row, day, base) })
    };
    Ok(rows.iter().filter_map(result).collect())
}

fn at(row: &WinnerRow, day: DayRef) -> WinnerKey {
    WinnerKey { day, ..row.key.clone() }
}

/// The day that a `model_day.completed` tells of.
///
/// # Errors
/// When it cannot be read.
pub(in crate::api) fn completed(body: &str) -> Result<CompletedDay, Problem> {
    match contract::decode_event(contract::kind::MODEL_DAY_COMPLETED, body.as_bytes()) {
        Ok(Event::ModelDayCompleted(day)) => Ok(*day),
        Ok(_) => Err(Problem::internal(&std::io::Error::other("a completed day's event is of another type"))),
        Err(problem) => Err(Problem::internal(&problem)),
    }
}

/// A day as it stands in its event; what others know of it is added by the caller.
fn day_result(row: &WinnerRow, day: &CompletedDay, base: Option<&CompletedDay>) -> DayResult {
    let before_close = base.map_or(day.starting_value, |base| base.value_at_close);
    let starting = match (&day.starting_position, base) {
        (Some(position), _) => position_of(position, day.starting_value, before_close),
        (None, Some(base)) => position_of(&base.ending_position, day.starting_value, before_close),
        // A first day starts with nothing but cash.
        (None, None) => Position {
            holdings: Vec::new(),
            cash: day.starting_value.into(),
            portfolio_value: day.starting_value.into(),
            portfolio_value_close: before_close.into(),
        },
    };
    DayResult {
        date: day.key.date.to_string(),
        model: day.key.model.clone(),
        experiment: day.key.experiment.clone(),
        trial: day.key.trial,
        job_id: row.job.to_string(),
        starting_position: starting,
        daily_metrics: DailyMetrics {
            profit: day.profit.into(),
            return_pct: day.return_pct.into(),
            days_since_last_trading: day.days_since_last_trading,
        },
        corporate_actions: day.corporate_actions.iter().map(action_detail).collect(),
        trades: day.trades.iter().map(|trade| trade_detail(trade, day)).collect(),
        refused_orders: day.refused.iter().map(refused_detail).collect(),
        final_position: position_of(&day.ending_position, day.value_at_open, day.value_at_close),
        metadata: Metadata {
            total_actions: day.trades.len(),
            session_duration_seconds: seconds(day.started_at, day.completed_at),
            completed_at: instant(day.completed_at),
        },
        reasoning: None,
        revision: day.revision,
        stale: false,
        in_sample: None,
    }
}

fn position_of(portfolio: &Portfolio, value: Decimal, close: Decimal) -> Position {
    let holding = |(symbol, quantity): (&domain::market::instruments::Symbol, &u64)| Holding {
        symbol: symbol.to_string(),
        quantity: *quantity,
    };
    Position {
        holdings: portfolio.holdings().iter().map(holding).collect(),
        cash: portfolio.cash().into(),
        portfolio_value: value.into(),
        portfolio_value_close: close.into(),
    }
}

fn action_detail(applied: &AppliedAction) -> ActionDetail {
    let (action_type, ratio, per_share) = match applied.action {
        Action::Split { from, to } => ("split", Some(format!("{to}:{from}")), None),
        Action::Dividend { per_share } => ("dividend", None, Some(per_share.amount().into())),
    };
    ActionDetail {
        action_type,
        symbol: applied.symbol.to_string(),
        ratio,
        per_share,
        shares_before: applied.shares_before,
        shares_after: applied.shares_after,
        cash: applied.cash.into(),
    }
}

fn trade_detail(trade: &Trade, day: &CompletedDay) -> TradeDetail {
    TradeDetail {
        action_type: trade.side.as_str(),
        symbol: trade.symbol.to_string(),
        quantity: trade.quantity,
        price: trade.price.into(),
        fee: trade.fee.into(),
        created_at: instant(day.completed_at),
    }
}

fn refused_detail(order: &RefusedOrder) -> RefusedDetail {
    RefusedDetail {
        action_type: order.side.as_str(),
        symbol: order.symbol.clone(),
        quantity: order.quantity.clone(),
        code: order.code.clone(),
    }
}

fn summary(day: &CompletedDay) -> String {
    if let Some(agent) = &day.agent {
        return agent.summary.clone();
    }
    match (day.trades.len(), day.refused.len()) {
        (0, 0) => "No trading activity recorded.".to_owned(),
        (filled, 0) => format!("{filled} orders filled."),
        (filled, refused) => format!("{filled} orders filled, {refused} refused."),
    }
}
