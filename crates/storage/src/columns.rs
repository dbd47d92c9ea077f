//! Columns that several tables have, read with what may be wrong with them.

use std::fmt::Display;

use chrono::NaiveDate;
use domain::job::JobState;
use domain::market::instruments::Symbol;
use domain::market::rules::MarketRules;
use domain::simulation::model_day::DayRef;
use domain::values::money::Price;
use rust_decimal::Decimal;

use crate::error::{Result, StorageError};

/// Turns a problem with a row of `table` into an error.
pub(crate) fn corrupt<P: Display>(table: &'static str) -> impl Fn(P) -> StorageError {
    move |problem| StorageError::corrupt(table, problem)
}

pub(crate) fn symbol(table: &'static str, text: String) -> Result<Symbol> {
    Symbol::try_from(text).map_err(corrupt(table))
}

pub(crate) fn price(table: &'static str, amount: Decimal) -> Result<Price> {
    Price::try_from(amount).map_err(corrupt(table))
}

pub(crate) fn job_state(table: &'static str, name: &str) -> Result<JobState> {
    JobState::parse(name).ok_or_else(|| StorageError::corrupt(table, format_args!("state {name:?}")))
}

pub(crate) fn rules(table: &'static str, name: &str) -> Result<MarketRules> {
    MarketRules::parse(name).ok_or_else(|| StorageError::corrupt(table, format_args!("rules {name:?}")))
}

/// The day that another one continued from; its date and its revision are both there, or neither is.
pub(crate) fn base(
    table: &'static str,
    date: Option<NaiveDate>,
    revision: Option<i32>,
) -> Result<Option<DayRef>> {
    match (date, revision) {
        (Some(date), Some(revision)) => Ok(Some(DayRef { date, revision: revision.cast_unsigned() })),
        (None, None) => Ok(None),
        half => Err(StorageError::corrupt(table, format_args!("a base of {half:?}"))),
    }
}

/// A column that is only null in rows of another kind.
pub(crate) fn present<T>(table: &'static str, column: &'static str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| StorageError::corrupt(table, format_args!("no {column}")))
}
