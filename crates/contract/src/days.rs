//! Model-days on the wire.

use domain::accounting::refusal::RefusedOrder;
use domain::job::bounds::MAX_TRIALS;
use domain::simulation::model_day::{CompletedDay, DayRef, FailedDay, Trade};
use domain::values::ids::ModelDayKey;

use crate::error::ContractError;
use crate::fields::{
    amount, date, decimal, decimal_text, from_one, instant, instant_text, parse, price, quantity_wire,
    shares, side, side_wire, symbol_texts, symbols,
};
use crate::wire;

pub(crate) fn key(key: Option<wire::ModelDayKey>) -> Result<ModelDayKey, ContractError> {
    let key = key.ok_or(ContractError::missing("key"))?;
    if key.trial >= MAX_TRIALS {
        return Err(ContractError::invalid(
            "key.trial",
            format_args!("{} is not below {MAX_TRIALS}", key.trial),
        ));
    }
    Ok(ModelDayKey {
        job: parse("key.job_id", &key.job_id)?,
        experiment: key.experiment,
        model: key.model,
        trial: key.trial,
        date: date("key.trading_date", &key.trading_date)?,
    })
}

pub(crate) fn key_wire(key: &ModelDayKey) -> Option<wire::ModelDayKey> {
    Some(wire::ModelDayKey {
        job_id: key.job.to_string(),
        experiment: key.experiment.clone(),
        model: key.model.clone(),
        trial: key.trial,
        trading_date: key.date.to_string(),
    })
}

impl TryFrom<wire::ModelDayCompleted> for CompletedDay {
    type Error = ContractError;

    fn try_from(day: wire::ModelDayCompleted) -> Result<Self, Self::Error> {
        let base = day.base.map(|base| {
            Ok::<_, ContractError>(DayRef {
                date: date("base.trading_date", &base.trading_date)?,
                revision: from_one("base.revision", base.revision)?,
            })
        });
        Ok(Self {
            key: key(day.key)?,
            attempt: from_one("attempt", day.attempt)?,
            revision: from_one("revision", day.revision)?,
            base: base.transpose()?,
            config_hash: day.config_hash,
            corporate_actions: day
                .corporate_actions
                .into_iter()
                .map(TryInto::try_into)
                .collect::<Result<_, _>>()?,
            starting_position: day.starting_position.map(TryInto::try_into).transpose()?,
            starting_value: decimal("starting_value", &day.starting_value)?,
            profit: decimal("profit", &day.profit)?,
            return_pct: decimal("return_pct", &day.return_pct)?,
            days_since_last_trading: day.days_since_last_trading,
            trades: day.trades.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            refused: day.refused.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            ending_position: day
                .ending_position
                .ok_or(ContractError::missing("ending_position"))?
                .try_into()?,
            value_at_open: decimal("value_at_open", &day.value_at_open)?,
            value_at_close: decimal("value_at_close", &day.value_at_close)?,
            stale_symbols: symbols("stale_symbols", &day.stale_symbols)?,
            price_dates: day
                .stale_prices
                .iter()
                .map(|price| {
                    let symbol = parse("stale_prices.symbol", &price.symbol)?;
                    Ok((symbol, date("stale_prices.price_date", &price.price_date)?))
                })
                .collect::<Result<_, ContractError>>()?,
            started_at: instant("started_at", &day.started_at)?,
            completed_at: instant("completed_at", &day.completed_at)?,
            agent: day.agent.map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<&CompletedDay> for wire::ModelDayCompleted {
    fn from(day: &CompletedDay) -> Self {
        Self {
            key: key_wire(&day.key),
            attempt: day.attempt,
            revision: day.revision,
            base: day
                .base
                .map(|base| wire::Base { trading_date: base.date.to_string(), revision: base.revision }),
            config_hash: day.config_hash.clone(),
            starting_position: day.starting_position.as_ref().map(Into::into),
            starting_value: decimal_text(day.starting_value),
            profit: decimal_text(day.profit),
            return_pct: decimal_text(day.return_pct),
            days_since_last_trading: day.days_since_last_trading,
            trades: day.trades.iter().map(Into::into).collect(),
            refused: day.refused.iter().map(Into::into).collect(),
            ending_position: Some((&day.ending_position).into()),
            value_at_open: decimal_text(day.value_at_open),
            value_at_close: decimal_text(day.value_at_close),
            stale_symbols: symbol_texts(&day.stale_symbols),
            stale_prices: day
                .price_dates
                .iter()
                .map(|(symbol, date)| wire::StalePrice {
                    symbol: symbol.to_string(),
                    price_date: date.to_string(),
                })
                .collect(),
            started_at: instant_text(day.started_at),
            completed_at: instant_text(day.completed_at),
            agent: day.agent.as_ref().map(Into::into),
            corporate_actions: day.corporate_actions.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<wire::Trade> for Trade {
    type Error = ContractError;

    fn try_from(trade: wire::Trade) -> Result<Self, Self::Error> {
        Ok(Self {
            sequence: trade.sequence,
            side: side("trades.side", trade.side)?,
            symbol: parse("trades.symbol", &trade.symbol)?,
            quantity: shares("trades.quantity", trade.quantity)?,
            price: price("trades.price", &trade.price)?,
            fee: amount("trades.fee", &trade.fee)?,
            cash_after: amount("trades.cash_after", &trade.cash_after)?,
        })
    }
}

impl From<&Trade> for wire::Trade {
    fn from(trade: &Trade) -> Self {
        Self {
            sequence: trade.sequence,
            side: side_wire(trade.side),
            symbol: trade.symbol.to_string(),
            quantity: quantity_wire(trade.quantity),
            price: decimal_text(trade.price),
            fee: decimal_text(trade.fee),
            cash_after: decimal_text(trade.cash_after),
        }
    }
}

impl TryFrom<wire::RefusedOrder> for RefusedOrder {
    type Error = ContractError;

    fn try_from(order: wire::RefusedOrder) -> Result<Self, Self::Error> {
        Ok(Self {
            sequence: order.sequence,
            side: side("refused.side", order.side)?,
            symbol: order.symbol,
            quantity: order.quantity,
            code: order.code,
        })
    }
}

impl From<&RefusedOrder> for wire::RefusedOrder {
    fn from(order: &RefusedOrder) -> Self {
        Self {
            sequence: order.sequence,
            side: side_wire(order.side),
            symbol: order.symbol.clone(),
            quantity: order.quantity.clone(),
            code: order.code.clone(),
        }
    }
}

impl TryFrom<wire::ModelDayFailed> for FailedDay {
    type Error = ContractError;

    fn try_from(day: wire::ModelDayFailed) -> Result<Self, Self::Error> {
        Ok(Self {
            key: key(day.key)?,
            attempt: from_one("attempt", day.attempt)?,
            error: day.error,
            started_at: instant("started_at", &day.started_at)?,
            completed_at: instant("completed_at", &day.completed_at)?,
            agent: day.agent.map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<&FailedDay> for wire::ModelDayFailed {
    fn from(day: &FailedDay) -> Self {
        Self {
            key: key_wire(&day.key),
            attempt: day.attempt,
            error: day.error.clone(),
            started_at: instant_text(day.started_at),
            completed_at: instant_text(day.completed_at),
            agent: day.agent.as_ref().map(Into::into),
        }
    }
}
