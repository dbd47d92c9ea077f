//! Universes, positions, warnings and skipped dates on the wire.

use std::collections::BTreeMap;

use domain::accounting::portfolio::Portfolio;
use domain::job::warning::Warning;
use domain::market::instruments::Universe;
use domain::simulation::model_day::{SkipReason, SkippedDate};

use crate::error::ContractError;
use crate::fields::{
    date, date_texts, dates, decimal, decimal_text, optional, parse, quantity_wire, shares, symbol_texts,
    symbols,
};
use crate::wire;

impl TryFrom<wire::Universe> for Universe {
    type Error = ContractError;

    fn try_from(universe: wire::Universe) -> Result<Self, Self::Error> {
        Ok(Self {
            name: universe.name,
            symbols: symbols("universe.symbols", &universe.symbols)?,
            benchmark: optional(&universe.benchmark)
                .map(|text| parse("universe.benchmark", text))
                .transpose()?,
        })
    }
}

impl From<&Universe> for wire::Universe {
    fn from(universe: &Universe) -> Self {
        Self {
            name: universe.name.clone(),
            symbols: symbol_texts(&universe.symbols),
            benchmark: universe.benchmark.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

impl TryFrom<wire::Position> for Portfolio {
    type Error = ContractError;

    fn try_from(position: wire::Position) -> Result<Self, Self::Error> {
        let mut holdings = BTreeMap::new();
        for holding in &position.holdings {
            let symbol = parse("position.holdings.symbol", &holding.symbol)?;
            let quantity = shares("position.holdings.quantity", holding.quantity)?;
            if holdings.insert(symbol, quantity).is_some() {
                let problem = format_args!("{} is listed twice", holding.symbol);
                return Err(ContractError::invalid("position.holdings.symbol", problem));
            }
        }
        let cash = decimal("position.cash", &position.cash)?;
        Self::new(cash, holdings).map_err(|problem| ContractError::invalid("position", problem))
    }
}

impl From<&Portfolio> for wire::Position {
    fn from(portfolio: &Portfolio) -> Self {
        let holding = |(symbol, quantity): (&domain::market::instruments::Symbol, &u64)| wire::Holding {
            symbol: symbol.to_string(),
            quantity: quantity_wire(*quantity),
        };
        Self {
            cash: decimal_text(portfolio.cash()),
            holdings: portfolio.holdings().iter().map(holding).collect(),
        }
    }
}

impl TryFrom<wire::Warning> for Warning {
    type Error = ContractError;

    fn try_from(warning: wire::Warning) -> Result<Self, Self::Error> {
        Ok(Self {
            code: warning.code,
            message: warning.message,
            symbols: symbols("warnings.symbols", &warning.symbols)?,
            dates: dates("warnings.dates", &warning.dates)?,
            count: warning.count,
        })
    }
}

impl From<&Warning> for wire::Warning {
    fn from(warning: &Warning) -> Self {
        Self {
            code: warning.code.clone(),
            message: warning.message.clone(),
            symbols: symbol_texts(&warning.symbols),
            dates: date_texts(&warning.dates),
            count: warning.count,
        }
    }
}

pub(crate) fn warnings(list: Vec<wire::Warning>) -> Result<Vec<Warning>, ContractError> {
    list.into_iter().map(TryInto::try_into).collect()
}

pub(crate) fn warnings_wire(list: &[Warning]) -> Vec<wire::Warning> {
    list.iter().map(Into::into).collect()
}

pub(crate) fn skipped(list: Vec<wire::SkippedDate>) -> Result<Vec<SkippedDate>, ContractError> {
    list.into_iter().map(TryInto::try_into).collect()
}

pub(crate) fn skipped_wire(list: &[SkippedDate]) -> Vec<wire::SkippedDate> {
    list.iter().map(Into::into).collect()
}

impl TryFrom<wire::SkippedDate> for SkippedDate {
    type Error = ContractError;

    fn try_from(skipped: wire::SkippedDate) -> Result<Self, Self::Error> {
        let reason = match skipped.reason() {
            wire::SkipReason::MarketClosed => SkipReason::MarketClosed,
            wire::SkipReason::AlreadyCompleted => SkipReason::AlreadyCompleted,
            wire::SkipReason::IncompletePriceData => SkipReason::IncompletePriceData,
            wire::SkipReason::Cancelled => SkipReason::Cancelled,
            wire::SkipReason::StoppedAfterFailure => SkipReason::StoppedAfterFailure,
            wire::SkipReason::BudgetExhausted => SkipReason::BudgetExhausted,
            wire::SkipReason::Unspecified => return Err(ContractError::missing("skipped_dates.reason")),
        };
        Ok(Self { date: date("skipped_dates.trading_date", &skipped.trading_date)?, reason })
    }
}

impl From<&SkippedDate> for wire::SkippedDate {
    fn from(skipped: &SkippedDate) -> Self {
        let reason = match skipped.reason {
            SkipReason::MarketClosed => wire::SkipReason::MarketClosed,
            SkipReason::AlreadyCompleted => wire::SkipReason::AlreadyCompleted,
            SkipReason::IncompletePriceData => wire::SkipReason::IncompletePriceData,
            SkipReason::Cancelled => wire::SkipReason::Cancelled,
            SkipReason::StoppedAfterFailure => wire::SkipReason::StoppedAfterFailure,
            SkipReason::BudgetExhausted => wire::SkipReason::BudgetExhausted,
        };
        Self { trading_date: skipped.date.to_string(), reason: reason.into() }
    }
}
