//! Results of one date: each model-day in full, from its event.

use std::collections::BTreeMap;

use domain::accounting::applied_action::AppliedAction;
use domain::accounting::portfolio::Portfolio;
use domain::accounting::refusal::RefusedOrder;
use domain::agent::Message;
use domain::market::instruments::Symbol;
use domain::simulation::model_day::{CompletedDay, DayRef, Trade};
use runtime::http::{Number, Problem};
use rust_decimal::Decimal;
use serde::{Deserialize as _, Serialize};
use storage::status::{HeldSymbols, WinnerKey, WinnerRow, day_bodies, training_cutoffs};
use utoipa::ToSchema;

use super::query::Reasoning;
use crate::api::chains::Chains;
use crate::api::completed_day::completed_day;
use crate::api::format::{instant, seconds};
use crate::api::state::Api;

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
    /// The effects of corporate actions on the holdings before the open.
    corporate_actions: Vec<ActionDetail>,
    trades: Vec<TradeDetail>,
    refused_orders: Vec<RefusedDetail>,
    final_position: Position,
    metadata: Metadata,
    reasoning: Option<ReasoningText>,
    revision: u32,
    stale: bool,
    /// Whether the day is within the model's training data; null when its cutoff is unknown.
    in_sample: Option<bool>,
    /// What was traded or held at prices that are adjusted for dividends, at which no trade happened.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    total_return_symbols: Vec<String>,
}

/// What was held, and its value at the day's open. `portfolio_value_close` is the value at the day's close for
/// the final position, and at the close of the previous day for the starting one.
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
    /// True when the symbol had no bar on the day and is valued at its last known price.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    stale: bool,
    /// The session of that price.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    price_date: Option<String>,
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
    /// `split`, `dividend`, `spin_off`, `rename`, `stock_merger`, `cash_merger` or `delisting`.
    action_type: &'static str,
    symbol: String,
    /// Of a split: new to old shares, e.g. `10:1`. Of a spin-off or a merger: shares of the new symbol for shares of the
    /// old one.
    ratio: Option<String>,
    /// Dollars for each share, as far as they are known.
    per_share: Option<Number>,
    shares_before: u64,
    shares_after: u64,
    /// Dollars that were paid, those for fractions of shares included.
    cash: Number,
    /// The symbol whose shares were received; only of spin-offs, renames and mergers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    new_symbol: Option<String>,
    /// How many shares of it were received.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    new_shares: Option<u64>,
    /// True when nobody knew what is paid for a share, and the last close was taken.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    estimated: bool,
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

/// A message of a conversation, with the field names of the original API.
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

fn messages(conversation: &serde_json::Value) -> Vec<SaidTurn> {
    // A message that a later version has written in another form is left out, not the whole conversation.
    let messages = conversation.as_array().into_iter().flatten();
    let messages = messages.filter_map(|message| Message::deserialize(message).ok());
    messages
        .map(|message| SaidTurn {
            role: message.role.as_str().to_owned(),
            content: message.content,
            step: message.step,
            name: message.name,
            tool_input: message.arguments,
        })
        .collect()
}

/// What the model said last; `None` of a model without a conversation, or that only called tools.
fn last_words(conversation: &serde_json::Value) -> Option<String> {
    let said = |message: &SaidTurn| message.role == "assistant" && !message.content.trim().is_empty();
    messages(conversation).into_iter().rev().find(said).map(|message| message.content.trim().to_owned())
}

pub(super) async fn results(
    api: &Api,
    rows: &[WinnerRow],
    chains: &Chains,
    reasoning: Reasoning,
    total_return: &HeldSymbols,
) -> Result<Vec<DayResult>, Problem> {
    let keys: Vec<WinnerKey> = rows.iter().map(|row| row.key.clone()).collect();
    let bases: Vec<WinnerKey> = rows.iter().filter_map(|row| Some(at(row, row.figures.base?))).collect();
    let bodies = day_bodies(&api.pool, &[keys, bases].concat()).await?;
    let days: BTreeMap<WinnerKey, CompletedDay> = bodies
        .into_iter()
        .map(|(key, body)| Ok((key, completed_day(&body)?)))
        .collect::<Result<_, Problem>>()?;
    let conversations = match reasoning {
        Reasoning::Full | Reasoning::Summary => {
            let keys: Vec<_> = rows.iter().map(|row| (row.job, row.key.clone())).collect();
            storage::status::conversations(&api.pool, &keys).await?
        }
        Reasoning::None => BTreeMap::new(),
    };
    let cutoffs = training_cutoffs(&api.pool, &chains.models()).await?;
    let result = |row: &WinnerRow| {
        let day = days.get(&row.key)?;
        let base = row.figures.base.and_then(|base| days.get(&at(row, base)));
        let chain = chains.of(&row.key.model, row.key.trial);
        let stale = chain.is_some_and(|chain| chain.is_stale(row.key.day.date));
        let reasoning = match reasoning {
            Reasoning::None => None,
            Reasoning::Summary => {
                let words = conversations.get(&row.key).and_then(last_words);
                Some(ReasoningText::Summary(words.unwrap_or_else(|| summary(day))))
            }
            // Recorded and policy models have no conversation.
            Reasoning::Full => {
                Some(ReasoningText::Full(conversations.get(&row.key).map(messages).unwrap_or_default()))
            }
        };
        let in_sample = cutoffs.get(&row.key.model).map(|cutoff| row.key.day.date <= *cutoff);
        let held = total_return.get(&(row.key.model.clone(), row.key.trial));
        let total_return_symbols = held.cloned().unwrap_or_default();
        Some(DayResult { stale, in_sample, reasoning, total_return_symbols, ..day_result(row, day, base) })
    };
    Ok(rows.iter().filter_map(result).collect())
}

fn at(row: &WinnerRow, day: DayRef) -> WinnerKey {
    WinnerKey { day, ..row.key.clone() }
}

/// A day as its event has it; the caller adds what other tables know.
fn day_result(row: &WinnerRow, day: &CompletedDay, base: Option<&CompletedDay>) -> DayResult {
    let before_close = base.map_or(day.starting_value, |base| base.value_at_close);
    let starting = match (&day.starting_position, base) {
        (Some(position), _) => position_of(day, position, day.starting_value, before_close),
        (None, Some(base)) => position_of(day, &base.ending_position, day.starting_value, before_close),
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
        final_position: position_of(day, &day.ending_position, day.value_at_open, day.value_at_close),
        metadata: Metadata {
            total_actions: day.trades.len(),
            session_duration_seconds: seconds(day.started_at, day.completed_at),
            completed_at: instant(day.completed_at),
        },
        reasoning: None,
        revision: day.revision,
        stale: false,
        in_sample: None,
        total_return_symbols: Vec::new(),
    }
}

fn position_of(day: &CompletedDay, portfolio: &Portfolio, value: Decimal, close: Decimal) -> Position {
    let holding = |(symbol, quantity): (&Symbol, &u64)| Holding {
        symbol: symbol.to_string(),
        quantity: *quantity,
        stale: day.stale_symbols.contains(symbol),
        price_date: day.price_dates.get(symbol).map(|date| date.to_string()),
    };
    Position {
        holdings: portfolio.holdings().iter().map(holding).collect(),
        cash: portfolio.cash().into(),
        portfolio_value: value.into(),
        portfolio_value_close: close.into(),
    }
}

fn action_detail(applied: &AppliedAction) -> ActionDetail {
    let action = &applied.action;
    let new_symbol = action.new_symbol().map(ToString::to_string);
    ActionDetail {
        action_type: action.kind().as_str(),
        symbol: applied.symbol.to_string(),
        ratio: action.ratio().map(|ratio| ratio.to_string()),
        per_share: action.per_share().map(Into::into),
        new_shares: new_symbol.is_some().then_some(applied.new_shares),
        new_symbol,
        estimated: action.is_estimated(),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_last_words_are_the_text_that_the_model_wrote_last() {
        let said = |role: &str, content: &str| json!({ "role": role, "step": 1, "content": content });
        let conversation = json!([
            said("user", "Trade."),
            said("assistant", "I buy."),
            said("tool", "{}"),
            said("assistant", " I bought AAPL. "),
            said("tool", "{}"),
            said("assistant", "  "),
        ]);

        assert_eq!(last_words(&conversation).as_deref(), Some("I bought AAPL."));
        assert_eq!(last_words(&json!([said("user", "Trade."), said("assistant", "")])), None);
        assert_eq!(last_words(&json!(null)), None);
    }
}
